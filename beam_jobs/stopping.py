"""Ctrl-C and SIGTERM."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


@contextmanager
def stopping_at_once(words: str) -> Iterator[None]:
    """Ends the process on Ctrl-C and SIGTERM: the threads of a runner can't be asked to."""

    def stop(signal_number: int, frame: Any) -> NoReturn:
        print(f"\nscore-reviews: {words}", file=sys.stderr, flush=True)
        os._exit(128 + signal_number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
