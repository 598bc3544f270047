"""TensorFlow, imported without the chatter of its libraries."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()


def import_tensorflow() -> None:
    """Imports TensorFlow and the ops of tensorflow_text, which exported graphs need.

    On machines without a GPU their libraries say so on the process's stderr, past any setting and
    several times. That would be the first thing that a user sees of a run, and looks like a fault.
    """
    with _LOCK:
        if "tensorflow_text" not in sys.modules:
            with _silent_stderr():
                import tensorflow_text  # noqa: F401


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discards what the process writes to its file descriptor 2. Exceptions pass."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
