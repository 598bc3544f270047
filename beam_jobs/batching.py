"""Reviews of like length together, so that little of a batch is padding."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.coders import PickleCoder, TupleCoder, VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagRuntimeState,
    BagStateSpec,
    BaseTimer,
    ReadModifyWriteRuntimeState,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp

from model.batches import cut_batches

T = TypeVar("T")

REVIEWS_SORTED_TOGETHER = 4_096
"""Enough for batches of like length; few enough to hold in memory (4 MB at 256 tokens)."""

_PROCESS = uuid.uuid4().hex


@dataclass
class BatchByLength(beam.PTransform):
    """Groups elements of like length into lists that fit a budget.

    Batches are cut from fixed groups of each bundle, never by the clock, so that the same bundle
    makes the same batches on every run.

    Attributes:
        length: what a longest element of a batch costs each of its elements, at least 1.
        budget: most that a batch may cost: its longest element's length times its size. An
            element that alone costs more makes a batch of one.
        group: elements share a list only where this is equal.
    """

    length: Callable[[Any], int]
    budget: int
    group: Callable[[Any], str]

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        return (
            elements
            | "Group"
            >> beam.BatchElements(
                min_batch_size=REVIEWS_SORTED_TOGETHER, max_batch_size=REVIEWS_SORTED_TOGETHER
            )
            | "CutBatches" >> beam.FlatMap(cut_groups, self.length, self.budget, self.group)
        )


@dataclass
class BatchInTime(beam.PTransform):
    """Groups elements into lists that fit a budget, across bundles, and lets none wait for long.

    Elements gather until no more fit the budget, or until the first of them has waited long
    enough; then they leave, cut as `cut_batches` does. For streams, whose bundles are small. The
    runner keeps what has gathered, so that a worker may fail; at the end of the stream, when a
    job is drained, all of it leaves. Lists carry the timestamp of one of their elements, or
    that of the end of the stream.

    Attributes:
        length: as for `BatchByLength`.
        budget: likewise.
        max_wait_seconds: how long an element may wait for others; a runner that is busy, or
            blocked in a read, lets it wait longer.
        group: elements share a list only where this is equal.
    """

    length: Callable[[Any], int]
    budget: int
    max_wait_seconds: float
    group: Callable[[Any], str]

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        gather = _Gather(self.length, self.budget, self.max_wait_seconds)
        return (
            elements
            | "KeyByGroup" >> beam.Map(_with_key, self.group).with_output_types(tuple[str, Any])
            | "Gather" >> beam.ParDo(gather)
        )


def _with_key(element: T, group: Callable[[T], str]) -> tuple[str, T]:
    # Each key fills batches of its own, so one per process: as many as keep all workers busy, and
    # no more. A constant of the module, since DoFns come and go with bundles.
    return f"{group(element)}@{_PROCESS}", element


class _Gather(beam.DoFn):
    WAITED = TimerSpec("waited", TimeDomain.REAL_TIME)
    WINDOW_END = TimerSpec("window_end", TimeDomain.WATERMARK)

    GATHERED: Any = beam.DoFn.StateParam(BagStateSpec("gathered", PickleCoder()))
    # How many there are and how long the longest is: reading them all for each would be dear.
    EXTENT: Any = beam.DoFn.StateParam(
        ReadModifyWriteStateSpec("extent", TupleCoder((VarIntCoder(), VarIntCoder())))
    )
    WAITED_TIMER: Any = beam.DoFn.TimerParam(WAITED)
    WINDOW_END_TIMER: Any = beam.DoFn.TimerParam(WINDOW_END)

    def __init__(self, length: Callable[[Any], int], budget: int, max_wait_seconds: float) -> None:
        self._length = length
        self._budget = budget
        self._max_wait_seconds = max_wait_seconds

    def process(
        self,
        keyed: tuple[str, Any],
        gathered: BagRuntimeState = GATHERED,
        extent: ReadModifyWriteRuntimeState = EXTENT,
        waited: BaseTimer = WAITED_TIMER,
        window_end: BaseTimer = WINDOW_END_TIMER,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[list[Any]]:
        _, element = keyed
        size, longest = extent.read() or (0, 0)
        size, longest = size + 1, max(longest, self._length(element))
        gathered.add(element)
        extent.write((size, longest))
        if longest * (size + 1) > self._budget:
            yield from self.leave(gathered, extent)
        elif size == 1:
            waited.set(Timestamp.now() + self._max_wait_seconds)
            window_end.set(window.end)

    # When a job is drained, nothing may wait for a clock; but then all windows end.
    @on_timer(WAITED)
    @on_timer(WINDOW_END)
    def leave(
        self, gathered: BagRuntimeState = GATHERED, extent: ReadModifyWriteRuntimeState = EXTENT
    ) -> Iterator[list[Any]]:
        elements = list(gathered.read())
        gathered.clear()
        extent.clear()
        yield from cut_batches(elements, self._length, self._budget)


def cut_groups(
    elements: Iterable[T], length: Callable[[T], int], budget: int, group: Callable[[T], str]
) -> Iterator[list[T]]:
    """Cuts the elements of each group into batches of their own, see `cut_batches`."""
    groups: dict[str, list[T]] = {}
    for element in elements:
        groups.setdefault(group(element), []).append(element)
    for members in groups.values():
        yield from cut_batches(members, length, budget)
