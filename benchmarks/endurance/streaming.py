"""Messages at a steady rate through the Pub/Sub emulator and the job."""

import contextlib
import json
import os
import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.message import Message

from beam_jobs.pubsub_emulator import Channel, create_channel, receiving
from benchmarks.endurance.ledger import Ledger, read_ledger
from benchmarks.endurance.reviews import record
from benchmarks.endurance.samples import SampleLog
from benchmarks.endurance.watched_job import COMMAND, running
from schemas.event_time import parse_time

REPEAT_EVERY, REPEAT_AFTER = 50, 25
"""One record of so many is published again, so many records later."""

PATIENCE_SECONDS = 120.0
"""How long the job may take for what is left when nothing is published any more."""


class Load(NamedTuple):
    """What is published.

    Attributes:
        records: how many.
        per_second: how many of them are published a second.
        window_seconds: length of the windows of the job's files.
    """

    records: int
    per_second: float
    window_seconds: int

    @property
    def published(self) -> int:
        """Number of messages, repeated ones included."""
        return self.records + self.records // REPEAT_EVERY


class Delays:
    """How long scores took to arrive."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def enter(self, row: dict[str, str], arrived_at_seconds: float) -> None:
        """Takes the row of a score, whose event time is the publication of its review."""
        published_at = parse_time(row["event_time"])
        self._seconds.append(arrived_at_seconds - published_at.timestamp())

    def median_seconds(self) -> float:
        """The median since it was asked for last; 0 where no score has come."""
        seconds, self._seconds = self._seconds, []
        return statistics.median(seconds) if seconds else 0.0


def score_messages(
    load: Load, words: Sequence[str], output: Path, samples: SampleLog
) -> dict[str, Any]:
    """Publishes records, has them scored, and looks for each among files and messages.

    Args:
        load: what is published.
        words: phrases to make reviews of.
        output: folder for the run.
        samples: takes what the job uses.

    Returns:
        `published`, the counts that the job gave last, and the `Losses` of files and topics.
    """
    source, scores, rejected = (
        create_channel(f"endurance-{os.getpid()}-{name}") for name in ("in", "scores", "rejected")
    )
    prefix, arrived, delays = output / "run", Ledger(load.records), Delays()
    shutil.rmtree(prefix, ignore_errors=True)

    def take_score(message: Message) -> None:
        row = json.loads(message.data)
        arrived.enter_score(row)
        delays.enter(row, time.time())

    with (
        running(command(load, source, scores, rejected, prefix), output / "job.log") as job,
        receiving(scores, take_score),
        receiving(rejected, lambda message: arrived.enter_rejection(json.loads(message.data))),
    ):
        with publishing(load, words, source.topic) as publisher:
            samples.take_while(publisher.is_alive, job, delays.median_seconds)

        def is_behind() -> bool:
            in_files = read_ledger(prefix, load.records)
            return in_files.losses().lost > 0 or arrived.losses().lost > 0

        deadline = time.monotonic() + PATIENCE_SECONDS + load.window_seconds
        samples.take_while(lambda: time.monotonic() < deadline and is_behind(), job)
        code, progress = 0 if job.is_running() else job.wait(), job.progress
    return {
        "published": load.published,
        "exit_code": code,
        "counts": progress._asdict(),
        "files": read_ledger(prefix, load.records).losses()._asdict(),
        "topics": arrived.losses()._asdict(),
    }


def command(
    load: Load, source: Channel, scores: Channel, rejected: Channel, prefix: Path
) -> list[str]:
    """The command line of the job."""
    line = [*COMMAND, "--input_subscription", source.subscription, "--id_field", "id"]
    line += ["--output_topic", scores.topic, "--rejected_topic", rejected.topic]
    line += ["--output", str(prefix), "--output_format", "jsonl"]
    return [*line, "--window", f"{load.window_seconds}s", "--deduplicate", "10m"]


@contextlib.contextmanager
def publishing(load: Load, words: Sequence[str], topic: str) -> Iterator[threading.Thread]:
    """A thread that publishes a load, no longer than the block runs."""
    stopped = threading.Event()
    thread = threading.Thread(target=publish, args=(load, words, topic, stopped))
    thread.start()
    try:
        yield thread
    finally:
        stopped.set()
        thread.join()


def publish(load: Load, words: Sequence[str], topic: str, stopped: threading.Event) -> None:
    """Publishes at a steady rate, and some records twice."""
    publisher = pubsub_v1.PublisherClient()
    started = time.monotonic()
    for number in range(load.records):
        if stopped.wait(max(0.0, started + number / load.per_second - time.monotonic())):
            return
        publisher.publish(topic, record(number, words).encode("utf-8")).result()
        if number % REPEAT_EVERY == REPEAT_EVERY - 1:
            again = record(number - REPEAT_AFTER, words)
            publisher.publish(topic, again.encode("utf-8")).result()
