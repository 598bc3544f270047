"""The job in a process of its own, and what it uses while it works."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

COMMAND = [sys.executable, "-m", "beam_jobs.score_reviews"]

STOP_SECONDS = 30.0
"""The job ends within this time when it is asked to."""

_PROGRESS = re.compile(
    rb"\r([\d,]+) read, ([\d,]+) scored, ([\d,]+) rejected, (?:([\d,]+) duplicates, )?[\d,]+ rev"
)
_READ_BYTES = 65_536


class Progress(NamedTuple):
    """What the job says of itself: numbers of records."""

    read: int = 0
    scored: int = 0
    rejected: int = 0
    duplicates: int = 0

    @property
    def done(self) -> int:
        """Records that the job is done with."""
        return self.scored + self.rejected + self.duplicates


class Sample(NamedTuple):
    """What the job, with all processes that it started, used at a moment.

    Attributes:
        seconds: since its start.
        memory_mb: resident memory, in 1e6 bytes.
        descriptors: open files and sockets.
        threads: of all its processes.
        cpu_seconds: computed since its start.
        done: records that it was done with.
        delay_seconds: median time from the publication of a review to the arrival of its score, of
            the scores that came since the sample before; 0 where none came, as in a batch.
    """

    seconds: float
    memory_mb: float
    descriptors: int
    threads: int
    cpu_seconds: float
    done: int
    delay_seconds: float = 0.0


class WatchedJob:
    """The job at work.

    What it says goes through a terminal, where it reports its progress twice a second.

    Attributes:
        progress: how far it has come.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.progress = Progress()
        self._log = log
        self._started = time.monotonic()
        ours, its = pty.openpty()
        self._process = subprocess.Popen(command, stdout=its, stderr=its, start_new_session=True)
        os.close(its)
        self._listener = threading.Thread(target=self._listen, args=(ours,))
        self._listener.start()

    def _listen(self, terminal: int) -> None:
        with self._log.open("wb") as log:
            while said := _read(terminal):
                log.write(said)
                log.flush()
                if found := _PROGRESS.findall(said):
                    self.progress = Progress(*(int(n.replace(b",", b"") or 0) for n in found[-1]))
        os.close(terminal)

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def sample(self) -> list[Sample]:
        """What it uses now; empty if it has ended."""
        seconds, done = time.monotonic() - self._started, self.progress.done
        try:
            job = psutil.Process(self._process.pid)
            used = [_used(process) for process in [job, *job.children(recursive=True)]]
        except psutil.Error:
            return []
        memory, descriptors, threads, cpu = (sum(column) for column in zip(*used, strict=True))
        if not memory:  # it has ended, and nobody has asked for its exit code
            return []
        return [Sample(seconds, memory / 1e6, descriptors, threads, cpu, done)]

    def wait(self) -> int:
        """Waits for its end, and gives its exit code."""
        code = self._process.wait()
        self._listener.join()
        return code

    def stop(self) -> int:
        """Asks it to end, and gives its exit code."""
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):  # what it has started may still run
            os.killpg(self._process.pid, signal.SIGKILL)
        return self.wait()


def _read(terminal: int) -> bytes:
    """What is said next; nothing once the other side is closed."""
    try:
        return os.read(terminal, _READ_BYTES)
    except OSError:  # Linux says so where macOS gives nothing
        return b""


def _used(process: psutil.Process) -> tuple[int, int, int, float]:
    with process.oneshot():
        cpu = process.cpu_times()
        memory_bytes = process.memory_info().rss
        return memory_bytes, process.num_fds(), process.num_threads(), cpu.user + cpu.system


@contextlib.contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[WatchedJob]:
    """The job at work, no longer than the block runs.

    Args:
        command: its command line.
        log: file for what it says.
    """
    job = WatchedJob(command, log)
    try:
        yield job
    finally:
        if job.is_running():
            job.stop()
