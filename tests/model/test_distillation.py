import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, logit

from model.distillation import DistillationLoss, lessons_of_teacher, teacher_logits
from model.labelled_reviews import UNLABELLED, LabelledReview
from model.savedmodel import load
from model.settings import PRESETS
from model.tokenized import tokenize_reviews
from tests.model.conftest import Toy

SETTINGS = PRESETS["tiny"].training
REVIEWS = [
    LabelledReview("a good film.", 1),
    LabelledReview("a bad film, bad acting and a bad end!", 0),
    LabelledReview("the plot.", UNLABELLED),
]


def entropy(wanted: np.ndarray, given: np.ndarray) -> np.ndarray:
    return -wanted * np.log(given) - (1 - wanted) * np.log(1 - given)


def test_is_the_loss_of_the_paper() -> None:
    """Hinton et al. 2015, section 2: softened cross-entropy times T squared, plus the usual one."""
    labels, teacher = np.array([0.0, 1.0, 1.0]), np.array([-3.0, 0.5, 4.0])
    own = np.array([1.0, -2.0, 3.0], np.float32)
    settings = dataclasses.replace(SETTINGS, soft_share=0.7, softness=3.0)
    targets = tf.constant(np.stack([labels, teacher], axis=1), tf.float32)

    found = DistillationLoss(settings).call(targets, tf.constant(own[:, None]))

    soft = 9 * entropy(expit(teacher / 3), expit(own / 3))
    expected = 0.7 * soft + 0.3 * entropy(labels, expit(own))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_softer_logits_pull_as_hard() -> None:
    """What the square of the softness is for: the gradient nears the difference of the logits."""
    logits = tf.Variable([[0.3]])
    for softness in (20.0, 40.0):
        settings = dataclasses.replace(SETTINGS, soft_share=1.0, softness=softness)
        with tf.GradientTape() as tape:
            loss = DistillationLoss(settings).call(tf.constant([[1.0, 1.1]]), logits)
        assert tape.gradient(loss, logits).numpy() == pytest.approx((0.3 - 1.1) / 4, rel=0.01)


def test_the_teacher_is_asked_in_its_own_words(toy: Toy) -> None:
    found = teacher_logits(toy.directory, REVIEWS)

    expected = load(toy.directory).text_probabilities([review.text for review in REVIEWS])
    np.testing.assert_allclose(expit(found), expected, atol=1e-6)
    assert found.dtype == np.float32


def test_unlabelled_reviews_have_what_the_teacher_says(toy: Toy) -> None:
    reviews = tokenize_reviews(REVIEWS, toy.tokenizer)
    said = np.array([2.0, -1.0, logit(0.8)], np.float32)

    lessons = lessons_of_teacher(reviews, said, toy.tokenizer.unknown, SETTINGS)

    np.testing.assert_allclose(lessons.targets[:, 0], [1, 0, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(lessons.targets[:, 1], said)


def test_a_teacher_that_is_certain_stays_finite(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.distillation.predict", lambda *_: np.array([0.0, 1.0], np.float32))
    low, high = teacher_logits(toy.directory, REVIEWS[:2])
    assert low == pytest.approx(-high, rel=1e-4)
    assert 13 < high < 15
