"""Sizes of encoders, settings of training, and the presets that combine them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

HEAD_SHARE = 0.25
"""Of a long review, as in Sun et al. 2019 (https://arxiv.org/abs/1905.05583)."""

MOST_TOKENS = 4096
"""Most tokens that are read of a review in windows: a memory must hold them."""


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
    """tokens that are read together, [CLS] and [SEP] included"""
    long_reviews: Literal["head", "head_tail", "windows"]
    """what is read of a longer review: its beginning; beginning and end; or overlapping windows"""
    head_dropout: float
    """share of the pooled output zeroed"""
    token_dropout: float
    """share of word pieces hidden behind [UNK]: Iyyer et al. 2015, section 3.1"""
    warm_up_share: float = 0.1
    """share of all steps during which the learning rate rises"""
    weight_decay: float = 0.01
    largest_gradient: float = 1.0
    """longer gradients (norm over all weights) are shortened to this"""
    patience: int = 2
    """epochs without a smaller tuning loss after which training stops"""
    soft_share: float = 0.9
    """0..1, how much a teacher counts; its labels by people count for the rest"""
    softness: float = 2.0
    """both networks' logits are divided by it before they are compared: Hinton's temperature"""
    class_weight: Literal["none", "balanced"] = "none"
    """`balanced`: reviews count so that both classes count alike, however many each has"""
    freeze_encoder: bool = False
    """whether only the head is trained"""
    seed: int = 1

    @property
    def head_share(self) -> float:
        """0..1, the share of a long review's tokens taken from its beginning."""
        return HEAD_SHARE if self.long_reviews == "head_tail" else 1.0

    @property
    def longest(self) -> int:
        """Most tokens that are read of a review, [CLS] and [SEP] included."""
        return self.max_length if self.window is None else max(self.max_length, MOST_TOKENS)

    @property
    def window(self) -> int | None:
        """The length of windows, if reviews are read so."""
        return self.max_length if self.long_reviews == "windows" else None


@dataclass(frozen=True)
class Adaptation:
    """What is different in an encoder that is taken from a checkpoint as a whole."""

    pooling: Literal["first", "mean"]
    attention_dropout: float


class Preset(NamedTuple):
    """An encoder and the training that suits it."""

    shape: EncoderConfig | Adaptation
    """sizes of a small encoder that begins with a checkpoint's words, or changes to a whole one"""
    training: TrainingSettings
    encoder: str = ""
    """where it is taken from: see `model.encoder_sources.encoder_at_hand`"""


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
            long_reviews="head_tail",
            head_dropout=0.1,
            token_dropout=0.1,
        ),
    ),
    "base": Preset(
        Adaptation(pooling="mean", attention_dropout=0.0),
        TrainingSettings(
            epochs=1,
            batch_size=16,
            learning_rate=1e-4,
            max_length=256,
            long_reviews="head_tail",
            head_dropout=0.1,
            token_dropout=0.0,
        ),
    ),
    # The small BERT on the first 128 tokens, as it is usually fine-tuned.
    "lab": Preset(
        Adaptation(pooling="first", attention_dropout=0.1),
        TrainingSettings(
            epochs=3,
            batch_size=32,
            learning_rate=3e-5,
            max_length=128,
            long_reviews="head",
            head_dropout=0.1,
            token_dropout=0.0,
        ),
        "https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-4_H-512_A-8/2",
    ),
}
