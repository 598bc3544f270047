"""Several calls of a network at once, each on a processor of its own.

One call is no faster on several processors than several are side by side: its threads wait for each
other at the end of every operation, and the small ones aren't divided at all.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

LEAST_TOKENS = 1_024
"""Of a call that is one of several: of less, what is the same for each call is too large a part."""


def in_parts(call: Callable[[Any], ResultT], batch: Any, tokens: int, calls: int) -> list[ResultT]:
    """Calls a network on consecutive parts of a batch, at the same time.

    Args:
        call: the network; called by several threads.
        batch: n examples of like length, an array or another sequence.
        tokens: of all together, padding included.
        calls: as many at a time, at most; see `model.runtime.calls_at_once`.

    Returns:
        What the calls return, in the order of the parts.

    Raises:
        What the first call raises that fails; by then the others have ended, too.
    """
    count = min(calls, len(batch), tokens // LEAST_TOKENS)
    if count <= 1:
        return [call(batch)]
    bounds = [len(batch) * number // count for number in range(count + 1)]
    pool = _threads(calls)
    running = [pool.submit(call, batch[start:end]) for start, end in itertools.pairwise(bounds)]
    wait(running)
    return [one.result() for one in running]


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Those of this process, shared by all models: more would only wait for processors."""
    return ThreadPoolExecutor(count, "network")
