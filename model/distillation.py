"""Learning from a larger model: Hinton et al. 2015, https://arxiv.org/abs/1503.02531."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from model.calibration import sigmoid
from model.evaluation import predict
from model.fitting import Lessons
from model.labelled_reviews import UNLABELLED, LabelledReview
from model.savedmodel import load
from model.settings import TrainingSettings
from model.tokenized import TokenizedReviews, tokenize_reviews
from model.tokenizer import Tokenizer

NEAREST = 1e-6
"""No probability of a teacher counts as nearer to 0 or 1: float32 can't tell them apart."""


class DistillationLoss(tf_keras.losses.Loss):
    """How far logits are from the labels, and from those of the teacher when both are softened."""

    def __init__(self, settings: TrainingSettings) -> None:
        """
        Args:
            settings: `soft_share` and `softness`.
        """
        super().__init__()
        self._share = settings.soft_share
        self._softness = settings.softness

    def call(self, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The loss.

        Args:
            targets: float32 [batch, 2], probability by the labels and logit of the teacher.
            logits: float32 [batch, 1].

        Returns:
            float32 [batch], in nats.
        """
        entropy = tf.nn.sigmoid_cross_entropy_with_logits
        soft_targets = tf.sigmoid(targets[:, 1] / self._softness)
        # The gradients of softened logits are smaller by the square of the softness.
        soft = entropy(soft_targets, logits[:, 0] / self._softness) * self._softness**2
        hard = entropy(targets[:, 0], logits[:, 0])
        return self._share * soft + (1.0 - self._share) * hard


def teacher_logits(teacher: Path, reviews: Iterable[LabelledReview]) -> np.ndarray:
    """What a teacher says of reviews, which it cuts into its own word pieces.

    Args:
        teacher: directory of an exported model.
        reviews: n, labelled or not.

    Returns:
        float32 [n].

    Raises:
        UserError: it isn't a model that train-sentiment made.
    """
    tokens = tokenize_reviews(reviews, Tokenizer.from_artifact(teacher)).tokens
    exact = predict(load(teacher).probabilities, tokens).astype(np.float64)
    within = np.clip(exact, NEAREST, 1 - NEAREST)
    return (np.log(within) - np.log1p(-within)).astype(np.float32)


def lessons_of_teacher(
    reviews: TokenizedReviews, logits: np.ndarray, unknown: int, settings: TrainingSettings
) -> Lessons:
    """To give reviews the probabilities that a teacher gives them, and the labels they have.

    Args:
        reviews: n; those without a label have the teacher's probability in its place.
        logits: float32 [n], of the teacher.
        unknown: the id that hides a dropped token.
        settings: how much the teacher counts.
    """
    known = reviews.labels != UNLABELLED
    labels = np.where(known, reviews.labels, sigmoid(logits.astype(np.float64)))
    targets = np.stack([labels, logits], axis=1).astype(np.float32)
    return Lessons(reviews.tokens, unknown, targets, DistillationLoss(settings))
