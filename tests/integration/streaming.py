"""How tests run the job on messages."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beam_jobs.pubsub_emulator import Channel, receiving

COMMAND = [sys.executable, "-m", "beam_jobs.score_reviews"]

STOP_SECONDS = 10.0
"""The job ends within this time when it is asked to."""


class Message(NamedTuple):
    """What came out of a channel."""

    data: bytes
    attributes: Mapping[str, str]

    def row(self) -> dict[str, Any]:
        """What it holds as JSON."""
        row = json.loads(self.data)
        assert isinstance(row, dict)
        return row


class Job:
    """The job at work in a process of its own.

    Attributes:
        process: that process.
        log: what it has said on stderr is in this file.
    """

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen([*COMMAND, *arguments], stderr=stderr)

    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text("utf-8")

    def wait_until(self, arrived: Callable[[], bool], seconds: float) -> None:
        """Waits for something that the job is to bring about."""
        deadline = time.monotonic() + seconds
        while not arrived():
            assert self.process.poll() is None, f"the job has ended: {self.said()}"
            assert time.monotonic() < deadline, f"not within {seconds:g} seconds: {self.said()}"
            time.sleep(0.1)

    def stop(self) -> int:
        """Asks it to end, and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextlib.contextmanager
def running(arguments: Sequence[str], folder: Path) -> Iterator[Job]:
    """The job at work, as long as the block runs; its log goes to the folder."""
    job = Job(arguments, folder / "job.log")
    try:
        yield job
    finally:
        job.process.kill()
        job.process.wait()


@contextlib.contextmanager
def inbox(channel: Channel) -> Iterator[list[Message]]:
    """All messages that a channel has delivered; grows as long as the block runs."""
    messages: list[Message] = []

    def receive(message: Any) -> None:
        messages.append(Message(message.data, dict(message.attributes)))

    with receiving(channel, receive):
        yield messages


@contextlib.contextmanager
def publishing(publish_next: Callable[[], None], per_second: float) -> Iterator[None]:
    """Publishes at a steady rate, as long as the block runs."""
    done = threading.Event()

    def publish() -> None:
        while not done.wait(1 / per_second):
            publish_next()

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
