"""Fitting a classifier: optimizer, learning rate, progress."""

from __future__ import annotations

import sys
import time

import numpy as np
import tensorflow as tf
import tf_keras

from model.batches import LengthBatches
from model.settings import TrainingSettings
from model.tokenized import TokenizedReviews

NO_DECAY = ["bias", "norm"]  # in names of variables; decaying these only hurts
SECONDS_BETWEEN_LINES = 10.0


def fit(
    classifier: tf_keras.Model,
    reviews: TokenizedReviews,
    unknown: int,
    settings: TrainingSettings,
) -> list[float]:
    """Trains a classifier in place, telling its progress on stderr.

    Args:
        classifier: see `model.classifier.build_classifier`.
        reviews: of both classes.
        unknown: the token id that hides a dropped token.
        settings: how.

    Returns:
        The mean loss of each epoch, in nats per review.
    """
    batches = LengthBatches(reviews.tokens, reviews.labels, settings, unknown)
    steps = len(batches) * settings.epochs
    # The loss of Keras is a mean over the last axis: of single reviews only if they have another.
    network = tf_keras.Model(classifier.input, classifier.output[:, tf.newaxis])
    network.compile(
        optimizer(steps, settings),
        tf_keras.losses.BinaryCrossentropy(),
        metrics=[tf_keras.metrics.BinaryAccuracy()],
    )
    balanced = settings.class_weight == "balanced"
    weights = class_weights(reviews.labels) if balanced else None
    progress = Progress(steps, settings.batch_size)
    losses: list[float] = []
    # Keras' own loop would feed batches through a generator dataset, which makes the process return
    # freed memory to the system at once, and ask for it again at the next step.
    for epoch in range(settings.epochs):
        for step, (ids, labels) in enumerate(batches):
            loss, accuracy = network.train_on_batch(
                ids, labels, class_weight=weights, reset_metrics=step == 0
            )
            progress.advance(epoch, loss, accuracy)
        losses.append(float(loss))
    return losses


def class_weights(labels: np.ndarray) -> dict[int, float]:
    """Weights by which both classes count alike, and reviews 1 in the mean.

    Args:
        labels: float32 [n], 0 and 1, both of them.
    """
    share = float(labels.mean())
    return {0: 0.5 / (1.0 - share), 1: 0.5 / share}


def optimizer(steps: int, settings: TrainingSettings) -> tf_keras.optimizers.Optimizer:
    """AdamW of Loshchilov and Hutter 2019 (https://arxiv.org/abs/1711.05101).

    Args:
        steps: total number of training steps.
        settings: learning rate, warm-up, weight decay, clipping.
    """
    adam = tf_keras.optimizers.AdamW(
        RiseAndFall(settings.learning_rate, steps, settings.warm_up_share),
        weight_decay=settings.weight_decay,
        global_clipnorm=settings.largest_gradient,
    )
    adam.exclude_from_weight_decay(var_names=NO_DECAY)
    return adam


class RiseAndFall(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to the highest rate, then linear decay to zero, as BERT is fine-tuned."""

    def __init__(self, highest: float, steps: int, warm_up_share: float) -> None:
        """
        Args:
            highest: learning rate at the end of the warm-up.
            steps: total number of steps.
            warm_up_share: 0..1, share of the steps.
        """
        self._highest = highest
        self._warm_up = max(1.0, steps * warm_up_share)
        self._decay = max(1.0, steps - self._warm_up)
        self._steps = steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rise = (step + 1.0) / self._warm_up
        fall = (self._steps - step) / self._decay
        return self._highest * tf.clip_by_value(tf.minimum(rise, fall), 0.0, 1.0)


class Progress:
    """A line on stderr every few seconds: where, how well, how fast, how much longer."""

    def __init__(self, steps: int, batch_size: int) -> None:
        """
        Args:
            steps: total number of training steps.
            batch_size: reviews per step.
        """
        self._steps = steps
        self._batch_size = batch_size
        self._done = 0
        self._began = self._told = time.monotonic()

    def advance(self, epoch: int, loss: float, accuracy: float) -> None:
        """Counts a step.

        Args:
            epoch: the current one, from 0.
            loss: mean of this epoch so far, in nats per review.
            accuracy: mean of this epoch so far, 0..1.
        """
        self._done += 1
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES or self._done == self._steps:
            self._told = now
            quality = f"epoch {epoch + 1}  loss {loss:.3f}  accuracy {accuracy:.3f}"
            print(f"{quality}  {self._pace(now - self._began)}", file=sys.stderr, flush=True)

    def _pace(self, seconds: float) -> str:
        rate = self._done * self._batch_size / seconds
        left = seconds / self._done * (self._steps - self._done)
        return f"step {self._done}/{self._steps}  {rate:.0f} reviews/s  {left:.0f} s left"


def fix_seeds(seed: int) -> None:
    """Makes the next training repeatable on the same machine and the same number of threads."""
    tf_keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
