"""The job in processes of their own: quick to start, and followed step by step."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from beam_jobs.score_reviews import main

Tell = Callable[[int, str], None]
"""Is told the number, from 0, and the name of each change before it is made."""

_PRELOADED = [
    "apache_beam",
    "google.cloud.storage",
    "tensorflow",
    "tensorflow_text",
    "beam_jobs.pipeline",
    "beam_jobs.runners",
    "beam_jobs.summary",
    __name__,
]
"""Imported once, by a process that does nothing else; each job is a fork of it."""


class JobProcess:
    """A run of the job in a process group of its own.

    Attributes:
        pid: its number, and that of the group.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        folder: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts it.

        Args:
            arguments: the command line.
            log: file that what it says is added to.
            folder: path under which changes are told; empty for none.
            environment: variables to add.
        """
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read as TensorFlow is imported
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(_PRELOADED)
        self._told, told = forks.Pipe()
        call = (list(arguments), str(log), folder, dict(environment or {}), told)
        self._process = forks.Process(target=_work, args=call)
        self._process.start()
        told.close()
        self._told.recv()
        assert self._process.pid
        self.pid = self._process.pid

    def send(self, signal_number: int) -> None:
        """Sends a signal to the whole group."""
        if self._process.is_alive():
            os.killpg(self.pid, signal_number)

    def follow(self, tell: Tell) -> int:
        """Tells of each change until the process ends; returns its exit code."""
        number = 0
        try:
            while True:
                change = self._told.recv()
                tell(number, change)
                number += 1
                self._told.send(None)
        except (EOFError, ConnectionError):
            return self.exit_code()

    def exit_code(self, timeout_seconds: float = 300) -> int:
        """Waits for its end.

        Returns:
            The exit code; minus the number of the signal that killed it.
        """
        self._process.join(timeout_seconds)
        assert self._process.exitcode is not None
        return self._process.exitcode


def _work(
    arguments: list[str], log: str, folder: str, environment: dict[str, str], told: Connection
) -> None:
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.update(environment)
    told.send("started")
    if folder:
        sys.addaudithook(_teller(folder, told))
    sys.exit(main(arguments))


def _teller(folder: str, told: Connection) -> Callable[[str, tuple[Any, ...]], None]:
    """Tells of each change under a folder, and waits for leave to make it."""
    lock = threading.RLock()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if _changes(event, arguments) and str(arguments[0]).startswith(folder):
            with lock:
                told.send(f"{event} {str(arguments[0]).removeprefix(folder)}")
                told.recv()

    return hook


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    return event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
