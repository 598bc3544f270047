"""What is told of a training while it runs: lines on stderr, and scalars for TensorBoard."""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import tensorflow as tf

SECONDS_BETWEEN_LINES = 10.0


class Quality(NamedTuple):
    """How well it goes.

    Attributes:
        loss: mean of this epoch so far, in nats per review.
        accuracy: mean of this epoch so far, 0..1.
    """

    loss: float
    accuracy: float


class Progress:
    """A line every few seconds: where, how well, how fast, how much longer."""

    def __init__(self, steps: int, done: int, batch_size: int) -> None:
        """
        Args:
            steps: total number of training steps.
            done: those of an earlier, interrupted run.
            batch_size: reviews per step.
        """
        self._steps = steps
        self._earlier = self._done = done
        self._batch_size = batch_size
        self._began = self._told = time.monotonic()

    def advance(self, epoch: int, quality: Quality) -> None:
        """Counts a step of an epoch, from 0."""
        self._done += 1
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES or self._done == self._steps:
            self._told = now
            said = f"epoch {epoch + 1}  loss {quality.loss:.3f}  accuracy {quality.accuracy:.3f}"
            print(f"{said}  {self._pace(now - self._began)}", file=sys.stderr, flush=True)

    def end_epoch(self, epoch: int, tuning_loss: float, best: bool) -> None:
        """Tells how an epoch, from 0, has ended."""
        rank = "the least so far" if best else "no better than before"
        print(
            f"epoch {epoch + 1} is done: loss {tuning_loss:.3f} on the reviews to tune on, {rank}",
            file=sys.stderr,
            flush=True,
        )

    def _pace(self, seconds: float) -> str:
        steps = self._done - self._earlier
        rate = steps * self._batch_size / seconds
        left = seconds / steps * (self._steps - self._done)
        return f"step {self._done}/{self._steps}  {rate:.0f} reviews/s  {left:.0f} s left"


class Scalars:
    """The course of a training, in the files that TensorBoard shows."""

    def __init__(self, folder: str) -> None:
        """
        Args:
            folder: where its files go; empty for none.
        """
        self._writer = (
            tf.summary.create_file_writer(folder) if folder else tf.summary.create_noop_writer()
        )

    def write(self, step: int, **scalars: float) -> None:
        """Adds numbers, each by its name.

        Args:
            step: since the beginning of the training, from 1.
            scalars: the numbers.
        """
        with self._writer.as_default(step):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
