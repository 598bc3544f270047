"""A toy BERT, real reviews, and the bundled model."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tf_keras

from model.card import default_model_directory
from model.classifier import build_classifier, compact, probabilities_of
from model.data import packaged
from model.encoder import build_encoder, set_word_embeddings
from model.labelled_reviews import LabelledReview
from model.savedmodel import ScoringModel, export, load
from model.settings import EncoderConfig
from model.signatures import Serving
from model.tokenizer import Tokenizer

TOY_WORDS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "act", "##ing", "##or"),
    *("the", "a", "not", ",", ".", "!", "plot", "end"),
)
TOY_LENGTH = 12


class Toy(NamedTuple):
    """A classifier small enough for any test, and its artifact."""

    directory: Path
    tokenizer: Tokenizer
    config: EncoderConfig
    classifier: tf_keras.Model


@pytest.fixture(scope="session")
def toy_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy") / "vocab.txt"
    path.write_text("\n".join(TOY_WORDS) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def toy_config() -> EncoderConfig:
    return EncoderConfig(
        vocabulary_size=len(TOY_WORDS),
        hidden_size=8,
        layers=2,
        heads=2,
        intermediate_size=16,
        max_positions=TOY_LENGTH,
        pooling="mean",
        initial_deviation=0.5,  # large enough for probabilities to differ
    )


@pytest.fixture(scope="session")
def toy(toy_vocabulary: Path, toy_config: EncoderConfig) -> Toy:
    tf_keras.utils.set_random_seed(3)
    tokenizer = Tokenizer(toy_vocabulary, lower_case=True, max_length=TOY_LENGTH, head_share=0.25)
    table = np.random.default_rng(3).normal(size=[len(TOY_WORDS), 8]).astype(np.float32)
    encoder = build_encoder(toy_config)
    set_word_embeddings(encoder, table)
    classifier = build_classifier(encoder, dropout=0.5)
    directory = toy_vocabulary.parent / "artifact"
    serving = Serving(probabilities_of(compact(classifier, toy_config)), tokenizer)
    export(serving, toy_card(toy_config), directory)
    return Toy(directory, tokenizer, toy_config, classifier)


def toy_card(config: EncoderConfig) -> dict[str, object]:
    """As much of a card as is needed to score."""
    return {
        "name": "toy",
        "labels": ["negative", "positive"],
        "max_length": TOY_LENGTH,
        "truncation": {"head_share": 0.25},
        "lower_case": True,
        "encoder": dataclasses.asdict(config),
    }


@pytest.fixture(scope="session")
def imdb() -> list[LabelledReview]:
    return list(packaged("imdb"))


@pytest.fixture(scope="session")
def bundled() -> ScoringModel:
    return load(default_model_directory())


@pytest.fixture(scope="session")
def bundled_tokenizer() -> Tokenizer:
    return Tokenizer.from_artifact(default_model_directory())
