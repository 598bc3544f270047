"""Sizes of encoders, settings of training, and the presets that combine them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an encoder."""

    vocabulary_size: int
    hidden_size: int
    layers: int
    heads: int
    intermediate_size: int
    max_positions: int
    """longest input, in tokens"""
    token_types: int = 2
    dropout: float = 0.1
    """share of activations zeroed in training"""
    attention_dropout: float = 0.1
    """share of attention weights zeroed in training"""
    pooling: Literal["first", "mean"] = "first"
    """what the pooled output is made of: [CLS], as in BERT, or the mean over all tokens"""
    initial_deviation: float = 0.02
    """standard deviation of fresh weights"""
    norm_epsilon: float = 1e-12
    storage: Literal["float32", "float16"] = "float32"
    """of matrices; float16 halves an exported model and is for scoring only"""

    def compact(self) -> EncoderConfig:
        """The same encoder with its matrices in float16."""
        return replace(self, storage="float16")


@dataclass(frozen=True)
class TrainingSettings:
    """How a classifier is trained."""

    epochs: int
    batch_size: int
    """reviews"""
    learning_rate: float
    """the highest one, at the end of the warm-up"""
    max_length: int
    """tokens of a review, [CLS] and [SEP] included"""
    head_share: float
    """0..1, the share of a long review's tokens taken from its beginning; the rest from its end"""
    head_dropout: float
    """share of the pooled output zeroed"""
    token_dropout: float
    """share of word pieces hidden behind [UNK]: Iyyer et al. 2015, section 3.1"""
    warm_up_share: float = 0.1
    """share of all steps during which the learning rate rises"""
    weight_decay: float = 0.01
    largest_gradient: float = 1.0
    """longer gradients (norm over all weights) are shortened to this"""
    class_weight: Literal["none", "balanced"] = "none"
    """`balanced`: reviews count so that both classes count alike, however many each has"""
    seed: int = 1


class Preset(NamedTuple):
    """An encoder and the training that suits it."""

    encoder: EncoderConfig
    training: TrainingSettings


PRESETS = {
    "tiny": Preset(
        EncoderConfig(
            vocabulary_size=30_522,
            hidden_size=128,
            layers=2,
            heads=2,
            intermediate_size=512,
            max_positions=256,
            attention_dropout=0.0,  # costs a fifth of the training time and changes little
            pooling="mean",
        ),
        TrainingSettings(
            epochs=2,
            batch_size=32,
            learning_rate=5e-4,
            max_length=256,
            head_share=0.25,
            head_dropout=0.1,
            token_dropout=0.1,
        ),
    )
}
