"""Reviews of like length together, so that little of a batch is padding."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import apache_beam as beam

T = TypeVar("T")

REVIEWS_SORTED_TOGETHER = 4_096
"""Enough for batches of like length; few enough to hold in memory (4 MB at 256 tokens)."""


@dataclass
class BatchByLength(beam.PTransform):
    """Groups elements of like length into lists that fit a budget.

    Batches are cut from fixed groups of each bundle, never by the clock, so that the same bundle
    makes the same batches on every run.

    Attributes:
        length: what a longest element of a batch costs each of its elements, at least 1.
        budget: most that a batch may cost: its longest element's length times its size. An
            element that alone costs more makes a batch of one.
    """

    length: Callable[[Any], int]
    budget: int

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        return (
            elements
            | "Group"
            >> beam.BatchElements(
                min_batch_size=REVIEWS_SORTED_TOGETHER, max_batch_size=REVIEWS_SORTED_TOGETHER
            )
            | "CutBatches" >> beam.FlatMap(cut_batches, self.length, self.budget)
        )


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
