import dataclasses
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy.special import expit
from sklearn.metrics import log_loss
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from model.classifier import build_classifier
from model.encoder import build_encoder, set_word_embeddings
from model.fitting import (
    RiseAndFall,
    fit,
    fix_seeds,
    labels_as_lessons,
    logits,
    optimizer,
    review_weights,
)
from model.labelled_reviews import LabelledReview
from model.settings import PRESETS, TrainingSettings
from model.tokenized import tokenize_reviews
from model.training_state import Position
from schemas.errors import UserError
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
    course: Position
    stderr: str


def train(
    toy: Toy,
    folder: Path,
    settings: TrainingSettings = SETTINGS,
    labelled: Sequence[LabelledReview] = REVIEWS,
    tuning: Sequence[LabelledReview] = REVIEWS[::10],
) -> Trained:
    fix_seeds(1)
    config = dataclasses.replace(toy.config, layers=1, initial_deviation=0.1)
    encoder = build_encoder(config)
    table = np.random.default_rng(0).normal(size=[len(TOY_WORDS), 8]).astype(np.float32)
    set_word_embeddings(encoder, table)
    classifier = build_classifier(encoder, dropout=0.1)
    with redirect_stderr(StringIO()) as stderr:
        reviews = tokenize_reviews(labelled, toy.tokenizer)
        lessons = labels_as_lessons(reviews, toy.tokenizer.unknown)
        others = tokenize_reviews(tuning, toy.tokenizer)
        course = fit(classifier, lessons, others, settings, folder)
    return Trained(classifier, course, stderr.getvalue())


@pytest.fixture(scope="module")
def trained(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(toy, tmp_path_factory.mktemp("backups"))


def equal_weights(first: tf_keras.Model, second: tf_keras.Model) -> bool:
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def test_learns_which_word_is_good(toy: Toy, trained: Trained) -> None:
    losses = trained.course.losses
    assert len(losses) == SETTINGS.epochs
    assert losses[-1] < 0.1 < 0.3 < losses[0]
    unseen = [LabelledReview("a good end.", 1), LabelledReview("a bad film!", 0)]
    good, bad = logits(trained.classifier, tokenize_reviews(unseen, toy.tokenizer))
    assert bad < 0 < good


def test_balanced_classes_count_alike(toy: Toy, tmp_path: Path) -> None:
    labels = np.array([1, 1, 1, 0], np.float32)
    balanced = dataclasses.replace(SETTINGS, class_weight="balanced", epochs=10)
    # As scikit-learn's "balanced".
    np.testing.assert_allclose(review_weights(labels, balanced), [2 / 3, 2 / 3, 2 / 3, 2.0])

    # Among words that say nothing, a positive majority decides, unless it counts no more.
    reviews = [LabelledReview("the film.", int(i % 5 != 0)) for i in range(100)]
    found = {}
    for settings in (balanced, dataclasses.replace(balanced, class_weight="none")):
        folder = tmp_path / settings.class_weight
        classifier = train(toy, folder, settings, reviews, reviews).classifier
        one = tokenize_reviews(reviews[:1], toy.tokenizer)
        found[settings.class_weight] = float(expit(logits(classifier, one))[0])
    assert found["none"] == pytest.approx(0.8, abs=0.1)
    assert found["balanced"] == pytest.approx(0.5, abs=0.15)


def test_tells_where_it_is(trained: Trained) -> None:
    *_, last, end = trained.stderr.splitlines()
    loss = trained.course.tuning_losses[-1]
    assert end.startswith(f"epoch 5 is done: loss {loss:.3f} on the reviews to tune on, the least")
    assert last.startswith("epoch 5  loss 0.")
    assert "step 50/50" in last
    assert "reviews/s  0 s left" in last


def test_goes_on_after_any_step_as_if_there_had_been_no_break(
    toy: Toy, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.training_state.SECONDS_BETWEEN_BACKUPS", 0.0)
    steps_left = 0

    def stop_in_time(*_: object) -> None:
        nonlocal steps_left
        steps_left -= 1
        if steps_left < 0:
            raise KeyboardInterrupt

    monkeypatch.setattr("model.fitting.check_finite", stop_in_time)
    for steps in (3, 20):  # in the first epoch, and in the third
        steps_left = steps
        with pytest.raises(KeyboardInterrupt):
            train(toy, tmp_path)
    steps_left = 50
    resumed = train(toy, tmp_path)

    assert resumed.stderr.startswith("going on from epoch 3, step 3\n")
    assert resumed.course == trained.course
    assert equal_weights(resumed.classifier, trained.classifier)


def test_stops_early_and_keeps_the_best_weights(toy: Toy, tmp_path: Path) -> None:
    # What is learnt is wrong of these: the longer, the worse.
    wrong = [LabelledReview(text, 1 - label) for text, label, _ in REVIEWS]
    settings = dataclasses.replace(SETTINGS, epochs=9, learning_rate=0.005)
    found = train(toy, tmp_path / "nine", settings, REVIEWS, wrong)
    assert len(found.course.tuning_losses) == 1 + settings.patience
    assert found.course.best_epoch == 0
    assert found.course.tuning_losses == sorted(found.course.tuning_losses)

    others = tokenize_reviews(wrong, toy.tokenizer)
    kept = log_loss(others.labels, expit(logits(found.classifier, others)))
    assert kept == pytest.approx(found.course.tuning_losses[0], rel=1e-5)


def test_a_loss_that_is_no_number_is_told(toy: Toy, tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, learning_rate=1e30, largest_gradient=1e30)
    with pytest.raises(UserError, match=r"loss is nan at step \d+ of epoch 1: give a smaller"):
        train(toy, tmp_path, settings)


def test_half_precision_learns_too(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rewriting itself needs a GPU; what goes with it, the scaling of the loss, does not.
    monkeypatch.setattr("model.fitting.half_precision", lambda: True)
    course = train(toy, tmp_path).course
    assert course.losses[-1] < 0.1


def test_scalars_are_those_of_the_course(toy: Toy, tmp_path: Path) -> None:
    reviews = tokenize_reviews(REVIEWS, toy.tokenizer)
    lessons = labels_as_lessons(reviews, toy.tokenizer.unknown)
    classifier = build_classifier(build_encoder(toy.config), dropout=0.0)
    with redirect_stderr(StringIO()):
        course = fit(classifier, lessons, reviews, SETTINGS, tmp_path / "a", str(tmp_path / "b"))

    shown = EventAccumulator(str(tmp_path / "b"), size_guidance={"tensors": 0})
    shown.Reload()
    written = {
        tag: [(event.step, tf.make_ndarray(event.tensor_proto)) for event in shown.Tensors(tag)]
        for tag in shown.Tags()["tensors"]
    }
    assert set(written) == {"loss", "accuracy", "tuning_loss"}
    assert [step for step, _ in written["loss"]] == list(range(1, 51))
    assert [step for step, _ in written["tuning_loss"]] == [10, 20, 30, 40, 50]
    np.testing.assert_allclose([value for _, value in written["tuning_loss"]], course.tuning_losses)
    np.testing.assert_allclose(
        [value for step, value in written["loss"] if step % 10 == 0], course.losses, rtol=1e-5
    )


@pytest.mark.slow
def test_equal_seeds_give_equal_weights(toy: Toy, trained: Trained, tmp_path: Path) -> None:
    assert equal_weights(trained.classifier, train(toy, tmp_path).classifier)


def test_a_step_is_that_of_the_paper() -> None:
    """Loshchilov and Hutter 2019, algorithm 2, after clipping by the norm of all gradients."""
    start = {"kernel": np.array([[0.5, -2.0]]), "bias": np.array([1.0])}
    gradients = {"kernel": np.array([[3.0, 0.1]]), "bias": np.array([-4.0])}
    variables = [tf.Variable(start[name], name=name, dtype=tf.float32) for name in start]
    adam = optimizer(10, dataclasses.replace(SETTINGS, weight_decay=0.1))
    steepest = [tf.constant(gradients[name], tf.float32) for name in start]
    for _ in range(3):
        adam.apply_gradients(zip(steepest, variables, strict=True))

    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
    for variable, name, decay in zip(variables, start, (0.1, 0.0), strict=True):
        value, first, second = start[name], 0.0, 0.0
        for step in range(3):
            rate = 0.02 * min(1.0, (10 - step) / 9)  # one step of warm-up among ten
            gradient = gradients[name] / norm
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            unbiased = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.999 ** (step + 1))
            value = value - rate * (unbiased[0] / (np.sqrt(unbiased[1]) + 1e-7) + decay * value)
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4)


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
