"""Ctrl-C and SIGTERM."""

import gc
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

_STDERR = 2


@contextmanager
def stopping_at_once(words: str) -> Iterator[None]:
    """Ends the process on Ctrl-C and SIGTERM: the threads of a runner can't be asked to."""

    def stop(signal_number: int, frame: Any) -> NoReturn:
        try:
            children = _children()
            _say(f"\nscore-reviews: {words}\n")
            for child in children:
                child.kill()
        finally:
            os._exit(128 + signal_number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _children() -> "list[subprocess.Popen[bytes]]":
    """The worker processes that Beam has started, of which it keeps no list."""
    return [thing for thing in gc.get_objects() if type(thing) is subprocess.Popen]


def _say(words: str) -> None:
    # Past sys.stderr, which can't be entered twice; Ctrl-C may have ended whoever reads it.
    with suppress(OSError):
        os.write(_STDERR, words.encode())
