"""Where a training stands, kept on disk, so that one that is interrupted goes on from there."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import tensorflow as tf
import tf_keras

from model.progress import Quality

SECONDS_BETWEEN_BACKUPS = 60.0
LATEST, BEST = "latest", "best"


@dataclass
class Position(tf.train.experimental.PythonState):
    """How far a training is; part of each backup.

    Attributes:
        epoch: the current one, from 0.
        step: steps of it that are done.
        loss: sum over these of the mean loss of a review, in nats.
        accuracy: likewise, of the share of right labels.
        losses: of each epoch that is done, the mean training loss.
        tuning_losses: of each epoch that is done, the log loss of the tuning part.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    accuracy: float = 0.0
    losses: list[float] = field(default_factory=list)
    tuning_losses: list[float] = field(default_factory=list)

    def serialize(self) -> str:
        """For TensorFlow, which keeps it beside the weights."""
        return json.dumps(asdict(self))

    def deserialize(self, string_value: str) -> None:
        """The reverse."""
        for name, value in json.loads(string_value).items():
            setattr(self, name, value)

    def advance(self, loss: float, accuracy: float) -> Quality:
        """Counts a step, and tells the means of the epoch."""
        self.step += 1
        self.loss += loss
        self.accuracy += accuracy
        return Quality(self.loss / self.step, self.accuracy / self.step)

    def end_epoch(self, tuning_loss: float) -> None:
        """Goes on to the next one."""
        self.losses.append(self.loss / self.step)
        self.tuning_losses.append(tuning_loss)
        self.epoch += 1
        self.step, self.loss, self.accuracy = 0, 0.0, 0.0

    def steps_done(self, steps_of_epoch: int) -> int:
        """Since the beginning of the training."""
        return self.epoch * steps_of_epoch + self.step

    @property
    def last_is_best(self) -> bool:
        """Whether no epoch had a smaller tuning loss than the one that has ended last."""
        return self.best_epoch == self.epoch - 1

    @property
    def best_epoch(self) -> int:
        """The epoch with the least tuning loss, from 0; the last one before any has ended."""
        return min(range(len(self.tuning_losses)), key=self.tuning_losses.__getitem__, default=-1)


class Backups:
    """The folder in which a training is kept until it is over."""

    def __init__(self, folder: Path, network: tf_keras.Model) -> None:
        """
        Args:
            folder: made unless it is there.
            network: compiled.
        """
        self._folder = folder
        self.position = Position()
        network.optimizer.build(network.trainable_variables)
        self._latest = tf.train.CheckpointManager(
            tf.train.Checkpoint(
                network=network, optimizer=network.optimizer, position=self.position
            ),
            str(folder / LATEST),
            max_to_keep=1,
        )
        self._best = tf.train.Checkpoint(network=network)
        self._saved = time.monotonic()

    def resume(self) -> Position:
        """Goes back to the latest backup, if there is one; tells where the training is."""
        path = self._latest.latest_checkpoint
        if path:
            self._latest.checkpoint.restore(path).assert_existing_objects_matched()
            epoch, step = self.position.epoch + 1, self.position.step
            print(f"going on from epoch {epoch}, step {step}", file=sys.stderr, flush=True)
        return self.position

    def save_now_and_then(self) -> None:
        """Makes a backup if the last one is old enough."""
        if time.monotonic() - self._saved >= SECONDS_BETWEEN_BACKUPS:
            self._save()

    def end_epoch(self) -> None:
        """Makes a backup, and keeps the weights if the epoch that has just ended is the best."""
        if self.position.last_is_best:
            self._best.write(str(self._folder / BEST))
        self._save()

    def _save(self) -> None:
        self._latest.save()
        self._saved = time.monotonic()

    def restore_best(self) -> None:
        """Goes back to the weights of the best epoch."""
        if not self.position.last_is_best:
            self._best.read(str(self._folder / BEST)).assert_existing_objects_matched()
