"""Batches of reviews of like length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from model.settings import TrainingSettings
from model.tokenizer import TokenIds

POOL = 64  # batches' worth of shuffled reviews that are sorted by length together


class LengthBatches:
    """Training batches; iterating once gives one epoch, and every epoch is drawn anew."""

    def __init__(
        self, tokens: TokenIds, labels: np.ndarray, settings: TrainingSettings, unknown: int
    ) -> None:
        """
        Args:
            tokens: the ids of n reviews.
            labels: float32 [n], 1 for positive.
            settings: batch size, token dropout and seed.
            unknown: the id that hides a dropped token.
        """
        self._tokens = tokens
        self._labels = labels
        self._size = settings.batch_size
        self._dropout = settings.token_dropout
        self._unknown = unknown
        self._random = np.random.default_rng(settings.seed)

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return -(-len(self._labels) // self._size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields ids, int32 [batch, length] padded with 0, and labels, float32 [batch]."""
        for rows in self._draw():
            ids = padded(self._tokens, rows)
            hidden = (self._random.random(ids.shape) < self._dropout) & (ids != 0)
            yield np.where(hidden, self._unknown, ids).astype(np.int32), self._labels[rows]

    def _draw(self) -> list[np.ndarray]:
        lengths = np.diff(self._tokens.row_splits)
        order = self._random.permutation(len(lengths))
        pool = POOL * self._size
        batches = [
            batch
            for start in range(0, len(order), pool)
            for batch in by_length(order[start : start + pool], lengths, self._size)
        ]
        return [batches[index] for index in self._random.permutation(len(batches))]


def by_length(rows: np.ndarray, lengths: np.ndarray, size: int) -> list[np.ndarray]:
    """Cuts rows into batches of like length, the shortest first.

    Args:
        rows: int64 [k], row numbers.
        lengths: int64 [n], the number of tokens of each row.
        size: rows per batch.
    """
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def padded(tokens: TokenIds, rows: np.ndarray) -> np.ndarray:
    """Token ids of some rows, int32 [len(rows), length of the longest], padded with 0."""
    starts, ends = tokens.row_splits[rows], tokens.row_splits[rows + 1]
    return pad([tokens.values[start:end] for start, end in zip(starts, ends, strict=True)])


def pad(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Stacks rows of token ids, filled up with 0 at their ends.

    Args:
        rows: int32 [length of the row] each, at least one.

    Returns:
        int32 [len(rows), length of the longest].
    """
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    stacked = np.zeros((len(rows), lengths.max()), np.int32)
    stacked[np.arange(lengths.max()) < lengths[:, None]] = np.concatenate(rows)
    return stacked
