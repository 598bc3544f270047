"""TensorFlow, imported without the chatter of its libraries and settled for scoring."""

import ctypes
import os
import platform
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from model.parallel import processors
from schemas.errors import UserError

PRECISIONS = ("auto", "float32")

HALF_PRECISION = "auto_mixed_precision"
"""TensorFlow's rewriting of graphs to compute products in float16 on GPUs."""

THREADS_OF_AN_OPERATION = "TF_NUM_INTRAOP_THREADS"
"""Environment variable of TensorFlow, read at the first operation of a process; 0: one for each
processor."""

_LOCK = threading.Lock()

_OPTIMIZER_OPTIONS: dict[str, bool] = {}
"""What `prepare_devices` has settled for this process."""

_THREAD = threading.local()

_MEMORY_IS_KEPT = {-1: 2**31 - 1, -3: 2**25, -8: 1}
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD (its most), M_ARENA_MAX of malloc.h: see mallopt(3)."""


def import_tensorflow() -> None:
    """Imports TensorFlow and the ops of tensorflow_text, which exported graphs need.

    On machines without a GPU their libraries say so on the process's stderr, past any setting and
    several times. That would be the first thing that a user sees of a run, and looks like a fault.
    """
    # By itself TensorFlow takes all of a GPU's memory at its first op, and the next process of the
    # machine finds none left.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    # For scoring: see `model.parallel`.
    os.environ.setdefault(THREADS_OF_AN_OPERATION, "1")
    keep_freed_memory()
    with _LOCK:
        if "tensorflow_text" not in sys.modules:
            with _silent_stderr():
                import tensorflow_text  # noqa: F401


def prepare_devices(precision: str) -> None:
    """Settles how this process computes from now on, in graphs already loaded too.

    Args:
        precision: `auto` for products in float16 where there is a GPU, and float32 elsewhere;
            `float32` for float32 everywhere, without the TF32 that TensorFlow otherwise uses for it
            on GPUs, which keeps no more digits of factors than float16.
    """
    import_tensorflow()
    import tensorflow as tf

    half = precision == "auto" and bool(tf.config.list_physical_devices("GPU"))
    tf.config.experimental.enable_tensor_float_32_execution(precision == "auto")
    _OPTIMIZER_OPTIONS[HALF_PRECISION] = half
    prepare_thread()


def calls_at_once() -> int:
    """How many calls of a network are best made at the same time: a GPU takes one after another."""
    import tensorflow as tf

    return 1 if tf.config.list_physical_devices("GPU") else processors()


def half_precision() -> bool:
    """Whether products are computed in float16."""
    return _OPTIMIZER_OPTIONS.get(HALF_PRECISION, False)


def prepare_thread() -> None:
    """Makes this thread compute as was settled.

    Each thread keeps the options that it found at its first call of a graph, whatever is settled
    after. The tokenizer is a graph too, so this may have been before the network was loaded.
    """
    if getattr(_THREAD, "options", {}) != _OPTIMIZER_OPTIONS:
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options(_OPTIMIZER_OPTIONS)
        _THREAD.options = dict(_OPTIMIZER_OPTIONS)


def keep_freed_memory() -> None:
    """Lets the GNU C library keep what is freed, for the next call or step to take.

    It gives large pieces back to the system at once. Getting them again cost a sixth of the
    processors' time in training an encoder of 6 layers, and an eighth in scoring with one of 2.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for parameter, value in _MEMORY_IS_KEPT.items():
            library.mallopt(parameter, value)


@contextmanager
def memory_errors() -> Iterator[None]:
    """What TensorFlow raises for want of memory, on CPUs and GPUs, comes out as `MemoryError`."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(error.message) from error


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """What TensorFlow raises for want of memory or disk comes out as `UserError`."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        reason = error.message.partition("\n")[0]
        raise UserError(
            f"TensorFlow can't go on: {reason}; make room on the disk, or in memory with a smaller "
            "--batch_size"
        ) from error


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
