"""Limits of the machine, for as long as a test needs them."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def short_files(most_bytes: int) -> Iterator[None]:
    """Nothing that this process writes to can grow beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
