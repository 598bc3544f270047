"""Scores the bundled sample reviews as they are published: `python -m beam_jobs.streaming_demo`.

Starts the Pub/Sub emulator and the job, publishes the reviews one after another, shows each score
as it arrives, and stops everything.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from typing import IO

from google.cloud import pubsub_v1

from beam_jobs.demo import HEADING, SAMPLES, table_line
from beam_jobs.pubsub_emulator import HOST_VARIABLE, Channel, create_channel, emulator, receiving
from schemas.errors import UserError

ARRIVAL_TIMEOUT_SECONDS = 60.0
"""The first score waits for the job to start."""


def main() -> int:
    """Runs the demo; returns its exit code, 0 only if every review was scored."""
    try:
        with emulator() as host:
            os.environ[HOST_VARIABLE] = host
            run = uuid.uuid4().hex[:4]
            names = (f"{name}-{run}" for name in ("reviews", "scores", "rejected"))
            return score_samples(*map(create_channel, names))
    except UserError as error:
        print(f"streaming demo: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def score_samples(reviews: Channel, scores: Channel, rejected: Channel) -> int:
    """Runs the job on the channels, and the samples through it; returns the exit code."""
    arguments = ["--input_subscription", reviews.subscription, "--id_field", "review_id"]
    arguments += ["--keep_fields", "text:string", "--output_topic", scores.topic]
    arguments += ["--rejected_topic", rejected.topic]
    print_command(arguments)
    arrived: queue.Queue[bytes] = queue.Queue()
    with (
        tempfile.TemporaryFile("w+") as log,
        job(arguments, log),
        receiving(scores, lambda message: arrived.put(message.data)),
    ):
        try:
            return publish_samples(reviews.topic, arrived)
        except queue.Empty:
            log.seek(0)
            print(f"no score has arrived; the job says:\n{log.read()}", file=sys.stderr)
            return 1


def publish_samples(topic: str, arrived: "queue.Queue[bytes]") -> int:
    """Publishes the samples, and shows the scores that arrive; returns the exit code.

    Raises:
        queue.Empty: nothing has arrived within `ARRIVAL_TIMEOUT_SECONDS`.
    """
    publisher = pubsub_v1.PublisherClient()
    published, scored = [], []
    for line in SAMPLES.read_text("utf-8").splitlines():
        publisher.publish(topic, line.encode("utf-8"))
        published.append(json.loads(line)["review_id"])
        row = json.loads(arrived.get(timeout=ARRIVAL_TIMEOUT_SECONDS))
        scored.append(row["review_id"])
        print(table_line(row))
    return 0 if sorted(scored) == sorted(published) else 1


def print_command(arguments: list[str]) -> None:
    """Shows how to start the job by hand."""
    options = " ".join(arguments).replace(" --", " \\\n    --")
    print(f"{HOST_VARIABLE}={os.environ[HOST_VARIABLE]} score-reviews {options}\n\n{HEADING}")


@contextlib.contextmanager
def job(arguments: list[str], log: IO[str]) -> Iterator[None]:
    """The job at work in a process of its own, as long as the block runs."""
    command = [sys.executable, "-m", "beam_jobs.score_reviews", *arguments]
    process = subprocess.Popen(command, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
