"""Each review once, however often it is delivered."""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.coders import FloatCoder, StrUtf8Coder, TupleCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagRuntimeState,
    BagStateSpec,
    BaseTimer,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp

from beam_jobs import metrics

T = TypeVar("T")


@dataclass
class Deduplicate(beam.PTransform):
    """Lets the first element of each key through, and counts the others as duplicates.

    Takes elements of the global window. Beam's own `DeduplicatePerKey` doesn't count, makes a
    state for each key, and holds the watermark back for as long as it remembers one.

    Attributes:
        key: what makes two elements duplicates of each other.
        remember_seconds: how long a key is remembered, in processing time, from the element that
            was let through.
        buckets: number of states that keys are remembered in. A state is read as a whole, so
            there should be no more than some hundred keys in each; but the local runner goes
            through all of them after every bundle.
    """

    key: Callable[[Any], str]
    remember_seconds: int
    buckets: int

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        return (
            elements
            | "KeyByBucket"
            >> beam.Map(_with_bucket, self.key, self.buckets).with_output_types(tuple[int, Any])
            | "DropDuplicates" >> beam.ParDo(_DropDuplicates(self.key, self.remember_seconds))
        )


def _with_bucket(element: T, key: Callable[[T], str], buckets: int) -> tuple[int, T]:
    return zlib.crc32(key(element).encode("utf-8")) % buckets, element


class _DropDuplicates(beam.DoFn):
    # A timer of processing time would hold the watermark at the element that set it. This one
    # fires a little later, since the watermark follows the clock, and holds nothing.
    FORGET = TimerSpec("forget", TimeDomain.WATERMARK)

    FORGET_TIMER: Any = beam.DoFn.TimerParam(FORGET)
    # Keys, and when each was let through, in seconds since 1970.
    SEEN: Any = beam.DoFn.StateParam(
        BagStateSpec("seen", TupleCoder((StrUtf8Coder(), FloatCoder())))
    )

    def __init__(self, key: Callable[[Any], str], remember_seconds: int) -> None:
        self._key = key
        self._remember_seconds = remember_seconds

    def start_bundle(self) -> None:
        # The states as read or written in this bundle, each with its oldest key first.
        self._seen_at: dict[int, dict[str, float]] = {}

    def process(
        self,
        bucketed: tuple[int, Any],
        seen: BagRuntimeState = SEEN,
        forget_timer: BaseTimer = FORGET_TIMER,
    ) -> Iterator[Any]:
        bucket, element = bucketed
        key, now = self._key(element), float(Timestamp.now())
        seen_at = self._read(bucket, seen)
        if now - seen_at.get(key, -math.inf) < self._remember_seconds:
            metrics.DUPLICATES.inc()
            return
        oldest = next(iter(seen_at.values()), now)
        # Seldom, since it writes all of the state again; but no key may stand there twice.
        if key in seen_at or now - oldest >= 2 * self._remember_seconds:
            seen_at = self._forget(bucket, seen, now)
        seen.add((key, now))
        seen_at[key] = now
        forget_timer.set(Timestamp.of(now) + self._remember_seconds)
        yield element

    @on_timer(FORGET)
    def on_forget(self, bucket: Any = beam.DoFn.KeyParam, seen: BagRuntimeState = SEEN) -> None:
        self._forget(bucket, seen, float(Timestamp.now()))

    def _read(self, bucket: int, seen: BagRuntimeState) -> dict[str, float]:
        if bucket not in self._seen_at:
            self._seen_at[bucket] = dict(sorted(seen.read(), key=itemgetter(1)))
        return self._seen_at[bucket]

    def _forget(self, bucket: int, seen: BagRuntimeState, now: float) -> dict[str, float]:
        seen_at = {
            key: at
            for key, at in self._read(bucket, seen).items()
            if now - at < self._remember_seconds
        }
        seen.clear()
        for entry in seen_at.items():
            seen.add(entry)
        self._seen_at[bucket] = seen_at
        return seen_at
