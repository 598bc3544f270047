"""Batches of reviews of like length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from model.settings import TrainingSettings
from model.tokenizer import SPECIAL_PLACES, TokenIds

T = TypeVar("T")

POOL = 64  # batches' worth of shuffled reviews that are sorted by length together


class LengthBatches:
    """Training batches. Those of an epoch depend on its number and the settings alone."""

    def __init__(self, tokens: TokenIds, settings: TrainingSettings, unknown: int) -> None:
        """
        Args:
            tokens: the ids of n reviews.
            settings: batch size, token dropout and seed.
            unknown: the id that hides a dropped token.
        """
        self._tokens = tokens
        self._lengths = np.minimum(np.diff(tokens.row_splits), settings.max_length)
        self._settings = settings
        self._unknown = unknown

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return -(-len(self._lengths) // self._settings.batch_size)

    def epoch(self, number: int, first: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches of one pass over the reviews.

        Args:
            number: of the epoch, from 0; each has another order.
            first: the batch to begin with, from 0.

        Yields:
            Row numbers, int64 [batch], and their ids, int32 [batch, length], padded with 0.
        """
        for step, rows in enumerate(self._draw(number)[first:], first):
            random = np.random.default_rng([self._settings.seed, number, step])
            chosen = [
                any_window(ids, self._settings.max_length, random)
                for ids in rows_of(self._tokens, rows)
            ]
            yield rows, self._hide(pad(chosen), random)

    def _hide(self, ids: np.ndarray, random: np.random.Generator) -> np.ndarray:
        hidden = (random.random(ids.shape) < self._settings.token_dropout) & (ids != 0)
        return np.where(hidden, self._unknown, ids).astype(np.int32)

    def _draw(self, epoch: int) -> list[np.ndarray]:
        random = np.random.default_rng([self._settings.seed, epoch])
        order = random.permutation(len(self._lengths))
        size = self._settings.batch_size
        batches = [
            batch
            for start in range(0, len(order), POOL * size)
            for batch in by_length(order[start : start + POOL * size], self._lengths, size)
        ]
        return [batches[index] for index in random.permutation(len(batches))]


def any_window(ids: np.ndarray, length: int, random: np.random.Generator) -> np.ndarray:
    """A window of one row, drawn by chance, to learn from.

    Args:
        ids: int32 [tokens], [CLS], word pieces, [SEP].
        length: as for `model.windows.windows_of`.
        random: what is drawn from, if the row doesn't fit.
    """
    places = length - SPECIAL_PLACES
    last = len(ids) - SPECIAL_PLACES - places
    if last <= 0:
        return ids
    first = 1 + random.integers(last + 1)
    return np.concatenate([ids[:1], ids[first : first + places], ids[-1:]])


def by_length(rows: np.ndarray, lengths: np.ndarray, size: int) -> list[np.ndarray]:
    """Cuts rows into batches of like length, the shortest first.

    Args:
        rows: int64 [k], row numbers.
        lengths: int64 [n], the number of tokens of each row.
        size: rows per batch.
    """
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def cut_batches(
    elements: Iterable[T], length: Callable[[T], int], budget: int
) -> Iterator[list[T]]:
    """Sorts elements by length, longest first, and cuts them into batches within the budget.

    Longest first, so that a batch that is too much for the memory fails at once and not at last.
    Elements of one length keep their order.
    """
    batch: list[T] = []
    longest = 0
    for element in sorted(elements, key=length, reverse=True):
        if batch and longest * (len(batch) + 1) > budget:
            yield batch
            batch = []
        if not batch:
            longest = length(element)
        batch.append(element)
    if batch:
        yield batch


def padded(tokens: TokenIds, rows: np.ndarray) -> np.ndarray:
    """Token ids of some rows, int32 [len(rows), length of the longest], padded with 0."""
    return pad(rows_of(tokens, rows))


def rows_of(tokens: TokenIds, rows: np.ndarray) -> list[np.ndarray]:
    """Token ids of some rows, int32 [length of the row] each."""
    starts, ends = tokens.row_splits[rows], tokens.row_splits[rows + 1]
    return [tokens.values[start:end] for start, end in zip(starts, ends, strict=True)]


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
