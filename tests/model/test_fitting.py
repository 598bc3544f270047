import dataclasses
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import NamedTuple

import numpy as np
import pytest
import tf_keras

from model.classifier import new_classifier
from model.evaluation import predict
from model.fitting import RiseAndFall, class_weights, fit, fix_seeds, optimizer
from model.labelled_reviews import LabelledReview
from model.settings import PRESETS, TrainingSettings
from model.tokenized import tokenize_reviews
from tests.model.conftest import TOY_WORDS, Toy

REVIEWS = [
    LabelledReview(text, label)
    for text, label in (
        ("a good film.", 1),
        ("a bad film.", 0),
        ("a good end!", 1),
        ("a bad end!", 0),
    )
    for _ in range(25)
]
SETTINGS = dataclasses.replace(
    PRESETS["tiny"].training, epochs=5, batch_size=10, learning_rate=0.02, token_dropout=0.0
)


class Trained(NamedTuple):
    """A toy classifier after training, and what was seen of it."""

    classifier: tf_keras.Model
    losses: list[float]
    stderr: str


def train(
    toy: Toy,
    settings: TrainingSettings = SETTINGS,
    labelled: Sequence[LabelledReview] = REVIEWS,
) -> Trained:
    fix_seeds(1)
    config = dataclasses.replace(toy.config, layers=1, initial_deviation=0.1)
    table = np.random.default_rng(0).normal(size=[len(TOY_WORDS), 8]).astype(np.float32)
    classifier = new_classifier(config, table, dropout=0.1)
    with redirect_stderr(StringIO()) as stderr:
        reviews = tokenize_reviews(labelled, toy.tokenizer)
        losses = fit(classifier, reviews, toy.tokenizer.unknown, settings)
    return Trained(classifier, losses, stderr.getvalue())


@pytest.fixture(scope="module")
def trained(toy: Toy) -> Trained:
    return train(toy)


def test_learns_which_word_is_good(toy: Toy, trained: Trained) -> None:
    assert len(trained.losses) == SETTINGS.epochs
    assert trained.losses[-1] < 0.1 < 0.3 < trained.losses[0]
    unseen = [LabelledReview("a good end.", 1), LabelledReview("a bad film!", 0)]
    tokenized = tokenize_reviews(unseen, toy.tokenizer)
    good, bad = predict(trained.classifier.predict_on_batch, tokenized.tokens)
    assert bad < 0.5 < good


def test_balanced_classes_count_alike(toy: Toy) -> None:
    labels = np.array([1, 1, 1, 0], np.float32)
    weights = class_weights(labels)
    assert weights == pytest.approx({0: 2.0, 1: 2 / 3})  # as scikit-learn's "balanced"

    # Among words that say nothing, a positive majority decides, unless it counts no more.
    reviews = [LabelledReview("the film.", int(i % 5 != 0)) for i in range(100)]
    settings = dataclasses.replace(SETTINGS, epochs=10)
    found = {}
    for weight in ("none", "balanced"):
        chosen = dataclasses.replace(settings, class_weight=weight)
        classifier = train(toy, chosen, reviews).classifier
        tokens = tokenize_reviews(reviews[:1], toy.tokenizer).tokens
        found[weight] = float(predict(classifier.predict_on_batch, tokens)[0])
    assert found["none"] == pytest.approx(0.8, abs=0.1)
    assert found["balanced"] == pytest.approx(0.5, abs=0.15)


def test_tells_where_it_is(trained: Trained) -> None:
    last = trained.stderr.splitlines()[-1]
    assert last.startswith("epoch 5  loss 0.")
    assert "step 50/50" in last
    assert "reviews/s  0 s left" in last


@pytest.mark.slow
def test_equal_seeds_give_equal_weights(toy: Toy, trained: Trained) -> None:
    pairs = zip(trained.classifier.weights, train(toy).classifier.weights, strict=True)
    for first, second in pairs:
        np.testing.assert_array_equal(first.numpy(), second.numpy())


def test_learning_rate_rises_then_falls() -> None:
    rates = [float(RiseAndFall(0.1, 100, 0.2)(step)) for step in range(101)]
    assert rates[0] == pytest.approx(0.005)
    assert rates[19] == pytest.approx(0.1)
    assert rates[60] == pytest.approx(0.05)
    assert rates[100] == 0.0
    assert np.argmax(rates) in (19, 20)
    assert all(rate <= 0.1 + 1e-7 for rate in rates)


def test_a_single_step_is_enough_for_a_schedule() -> None:
    assert 0 < float(RiseAndFall(0.1, 1, 0.1)(0)) <= 0.1 + 1e-7


def test_biases_and_norms_do_not_decay(toy: Toy) -> None:
    adam = optimizer(10, SETTINGS)
    adam.build(toy.classifier.trainable_variables)
    kept = {
        variable.name
        for variable in toy.classifier.trainable_variables
        if not adam._use_weight_decay(variable)
    }
    assert kept == {
        variable.name
        for variable in toy.classifier.trainable_variables
        if variable.name.endswith(("/bias:0", "/gamma:0", "/beta:0"))
    }
