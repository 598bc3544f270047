"""Whether what a job uses stays the same as long as it works.

The first tenth of its work is warm-up, since caches and pools fill then, and isn't judged. A
straight line is fitted to the memory, the descriptors and the threads of all samples after that.
It may not rise by more than `MEMORY_GROWTH` of the mean of the memory, `DESCRIPTOR_GROWTH`
descriptors, and `THREAD_GROWTH` threads. And a review may not take `SLOWDOWN` times as long in the
last tenth of the rest as in the second: in a batch as much of the processors, in streaming until
its score arrives. (How much of the processors a message takes says little: the fewer there are, the
more rounds Beam's local runner makes for them.)
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from benchmarks.endurance.watched_job import Sample

WARM_UP = 0.1
MEMORY_GROWTH = 0.05
DESCRIPTOR_GROWTH = THREAD_GROWTH = 2.0
SLOWDOWN = 1.2

PARTS = 10


class Part(NamedTuple):
    """What a job used in a part of its work.

    Attributes:
        minutes: from the first review to the end of the part.
        memory_mb: mean, in 1e6 bytes.
        descriptors: most at a time.
        threads: most at a time.
        reviews_per_second: records that it was done with.
        cpu_ms_per_review: time of processors for each of them.
        delay_ms: median time from publication to arrival; 0 in a batch.
    """

    minutes: float
    memory_mb: float
    descriptors: int
    threads: int
    reviews_per_second: float
    cpu_ms_per_review: float
    delay_ms: float


class Trend(NamedTuple):
    """How that changed.

    Attributes:
        memory_mb_per_hour: slope of the line.
        memory_mb_per_million: the same for a million records.
        memory: rise of the line over all samples, as a share of the mean.
        descriptors: rise of the line over all samples, open files and sockets.
        threads: the same for threads.
        slowdown: delay in the last part over that in the second; in a batch the same of the time
            of processors for a record.
    """

    memory_mb_per_hour: float
    memory_mb_per_million: float
    memory: float
    descriptors: float
    threads: float
    slowdown: float


def at_work(samples: Sequence[Sample]) -> list[Sample]:
    """Samples from the first review that was done until the last one was."""
    last = samples[-1].done if samples else 0
    working = [one for one in samples if 0 < one.done < last]
    return working + [one for one in samples if one.done == last > 0][:1]


def after_warm_up(working: Sequence[Sample]) -> list[Sample]:
    """The samples that are judged; empty where there are none at all."""
    times = [one.seconds for one in working]
    start = min(times, default=0.0)
    warm = start + WARM_UP * (max(times, default=0.0) - start)
    return [one for one in working if one.seconds >= warm]


def parts(judged: Sequence[Sample], first_seconds: float) -> list[Part]:
    """The samples in parts of equal length.

    Args:
        judged: more than `PARTS` samples after the warm-up.
        first_seconds: time of the first sample at work.
    """
    cuts = np.linspace(0, len(judged) - 1, PARTS + 1).astype(int)
    return [_part(judged[a : b + 1], first_seconds) for a, b in pairwise(cuts)]


def _part(samples: Sequence[Sample], first_seconds: float) -> Part:
    first, last = samples[0], samples[-1]
    done = last.done - first.done
    delays = [one.delay_seconds for one in samples if one.delay_seconds]
    return Part(
        minutes=(last.seconds - first_seconds) / 60,
        memory_mb=float(np.mean([one.memory_mb for one in samples])),
        descriptors=max(one.descriptors for one in samples),
        threads=max(one.threads for one in samples),
        reviews_per_second=done / (last.seconds - first.seconds),
        cpu_ms_per_review=1_000 * (last.cpu_seconds - first.cpu_seconds) / max(done, 1),
        delay_ms=1_000 * float(np.median(delays)) if delays else 0.0,
    )


def trend(judged: Sequence[Sample], of_time: Sequence[Part]) -> Trend:
    """How the use changed over the samples after the warm-up, and their parts."""
    seconds = [one.seconds for one in judged]
    memory = [one.memory_mb for one in judged]
    return Trend(
        memory_mb_per_hour=3_600 * _slope(seconds, memory),
        memory_mb_per_million=1e6 * _slope([one.done for one in judged], memory),
        memory=_rise(seconds, memory) / float(np.mean(memory)),
        descriptors=_rise(seconds, [one.descriptors for one in judged]),
        threads=_rise(seconds, [one.threads for one in judged]),
        slowdown=_cost(of_time[-1]) / _cost(of_time[1]),
    )


def _cost(part: Part) -> float:
    return part.delay_ms or part.cpu_ms_per_review


def _slope(times: Sequence[float], values: Sequence[float]) -> float:
    return float(np.polyfit(times, values, 1)[0])


def _rise(times: Sequence[float], values: Sequence[float]) -> float:
    return _slope(times, values) * (times[-1] - times[0])
