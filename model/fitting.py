"""Fitting a classifier: optimizer, learning rate, epochs, and when to stop."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from model.batches import LengthBatches
from model.calibration import sigmoid
from model.evaluation import predict
from model.metrics import log_loss
from model.progress import Progress, Scalars
from model.runtime import half_precision
from model.settings import TrainingSettings
from model.tokenized import TokenizedReviews
from model.tokenizer import TokenIds
from model.training_state import Backups, Position
from model.windows import reader
from schemas.errors import UserError

NO_DECAY = ["bias", "norm"]  # in names of variables; decaying these only hurts


class Lessons(NamedTuple):
    """What is learnt, and from what.

    Attributes:
        tokens: the ids of n reviews.
        unknown: the id that hides a dropped token.
        targets: float32 [n, k]; the first is the probability of a positive review, 0 or 1 where
            a person has labelled it; others are for the loss.
        loss: from targets and logits, float32 [batch, 1], to nats per review.
    """

    tokens: TokenIds
    unknown: int
    targets: np.ndarray
    loss: tf_keras.losses.Loss


def labels_as_lessons(reviews: TokenizedReviews, unknown: int) -> Lessons:
    """To give reviews the labels that people have given them."""
    loss = tf_keras.losses.BinaryCrossentropy(from_logits=True)
    return Lessons(reviews.tokens, unknown, reviews.labels[:, np.newaxis], loss)


def fit(
    classifier: tf_keras.Model,
    lessons: Lessons,
    tuning: TokenizedReviews,
    settings: TrainingSettings,
    backup_dir: Path,
    tensorboard: str = "",
) -> Position:
    """Trains a classifier in place, telling its progress on stderr.

    Args:
        classifier: see `model.classifier.build_classifier`. It ends with the weights of the epoch
            after which the tuning loss was least.
        lessons: what it learns from.
        tuning: reviews that it doesn't learn from.
        settings: how.
        backup_dir: folder of backups. One that is there is gone on from, with the result that the
            training would have had without a break. Left there at the end.
        tensorboard: folder for the files of TensorBoard; empty for none.

    Returns:
        The losses of each epoch.

    Raises:
        UserError: the loss isn't a number any more.
    """
    batches = LengthBatches(lessons.tokens, settings, lessons.unknown)
    steps = len(batches) * settings.epochs
    # A loss of Keras is a mean over the last axis: of single reviews only if they have another.
    network = tf_keras.Model(classifier.input, classifier.output[:, tf.newaxis])
    adam = optimizer(steps, settings)
    # Gradients that are too small for float16 would be lost.
    scaled = tf_keras.mixed_precision.LossScaleOptimizer(adam) if half_precision() else adam
    network.compile(scaled, lessons.loss, metrics=[accuracy])
    read = reader(classifier, settings.window)
    weights = review_weights(lessons.targets[:, 0], settings)
    backups, scalars = Backups(backup_dir, network), Scalars(tensorboard)
    position = backups.resume()
    progress = Progress(steps, position.steps_done(len(batches)), settings.batch_size)
    # Keras' own loop would feed batches through a generator dataset, which makes the process return
    # freed memory to the system at once, and ask for it again at the next step.
    while not is_over(position, settings):
        for rows, ids in batches.epoch(position.epoch, position.step):
            found = network.train_on_batch(
                ids, lessons.targets[rows], weights[rows], reset_metrics=True
            )
            quality = position.advance(*map(float, found))
            check_finite(quality.loss, position)
            progress.advance(position.epoch, quality)
            scalars.write(position.steps_done(len(batches)), **quality._asdict())
            backups.save_now_and_then()
        tuning_loss = log_loss(sigmoid(logits(read, tuning)), tuning.labels)
        position.end_epoch(tuning_loss)
        progress.end_epoch(position.epoch - 1, tuning_loss, position.last_is_best)
        scalars.write(position.steps_done(len(batches)), tuning_loss=tuning_loss)
        backups.end_epoch()
    backups.restore_best()
    return position


def is_over(position: Position, settings: TrainingSettings) -> bool:
    """Whether all epochs are done, or none has been better for as many as `patience`."""
    waited = position.epoch - 1 - position.best_epoch
    return position.epoch == settings.epochs or waited >= settings.patience


def check_finite(loss: float, position: Position) -> None:
    """Raises UserError where the loss isn't finite."""
    if not math.isfinite(loss):
        raise UserError(
            f"the loss is {loss} at step {position.step} of epoch {position.epoch + 1}: give a "
            "smaller --learning_rate"
        )


def logits(classifier: tf_keras.Model, reviews: TokenizedReviews) -> np.ndarray:
    """What a classifier gives for each review, float64 [n]."""
    return predict(classifier.predict_on_batch, reviews.tokens).astype(np.float64)


def accuracy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Which reviews get the right label at a threshold of 0.5, float32 [batch]."""
    return tf.cast((targets[:, 0] >= 0.5) == (logits[:, 0] >= 0.0), tf.float32)


def review_weights(labels: np.ndarray, settings: TrainingSettings) -> np.ndarray:
    """How much each review counts, 1 in the mean.

    Args:
        labels: float32 [n], 0..1, both classes among them.
        settings: with `class_weight` balanced, both classes count alike.

    Returns:
        float32 [n].
    """
    if settings.class_weight == "none":
        return np.ones_like(labels)
    share = float(labels.mean())
    return labels * (0.5 / share) + (1 - labels) * (0.5 / (1 - share))


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


def fix_seeds(seed: int) -> None:
    """Makes the next training repeatable on the same machine and the same number of threads."""
    tf_keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
