"""Whether the job leaks, slows down or loses anything in a long run.

    python -m benchmarks.endurance batch --output DIR [--reviews 2000000]
    python -m benchmarks.endurance streaming --output DIR [--minutes 60] [--rate 20]

Scores a dump of that many short reviews, or that many minutes of messages from the Pub/Sub
emulator, one in a hundred of them bad. Printed are memory, open files, threads and the time of a
review by tenth of the run, and what was lost. `benchmarks/endurance/flatness.py` says what counts
as a leak. With --quick it only shows that it works, and that nothing is lost.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NamedTuple

from beam_jobs.pubsub_emulator import HOST_VARIABLE, emulator
from benchmarks.endurance.batch import score_dump
from benchmarks.endurance.report import changes, leaks, losses, table, with_trend
from benchmarks.endurance.reviews import phrases
from benchmarks.endurance.samples import SampleLog
from benchmarks.endurance.streaming import Load, score_messages
from model.data import packaged_path
from schemas.errors import UserError


class Effort(NamedTuple):
    """How much is done.

    Attributes:
        reviews: records of a batch.
        minutes: length of streaming.
        rate: records published a second.
        window_seconds: length of the windows of streaming.
        interval_seconds: time between two samples.
    """

    reviews: int
    minutes: float
    rate: float
    window_seconds: int
    interval_seconds: float


QUICK = Effort(10_000, 1 / 3, 40.0, 5, 0.25)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("mode", choices=("batch", "streaming"))
    parser.add_argument("--output", type=Path, required=True, help="a folder for all files")
    parser.add_argument("--quick", action="store_true", help="little of everything, in a minute")
    parser.add_argument("--reviews", type=int, default=2_000_000, help="in a batch")
    parser.add_argument("--minutes", type=float, default=60.0, help="of streaming")
    parser.add_argument("--rate", type=float, default=20.0, help="of streaming, in reviews/s")
    given = parser.parse_args()
    effort = QUICK if given.quick else Effort(given.reviews, given.minutes, given.rate, 60, 5.0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the job ends, too
    given.output.mkdir(parents=True, exist_ok=True)
    try:
        report = measure(given.mode, effort, given.output)
    except UserError as error:
        sys.exit(str(error))
    (given.output / "endurance.json").write_text(json.dumps(report, indent=2), "utf-8")
    complaints = losses(report) + ([] if given.quick else leaks(report))
    told = [] if given.quick else changes(report)
    print("\n".join([table(report), *told, *(complaints or ["all is well"])]))
    return 1 if complaints else 0


def measure(mode: str, effort: Effort, output: Path) -> dict[str, Any]:
    """Makes a run.

    Args:
        mode: `batch` or `streaming`.
        effort: how much is done.
        output: folder for all files.

    Raises:
        UserError: a package or the emulator isn't installed.
    """
    words = phrases(packaged_path())
    samples = SampleLog(output / "samples.jsonl", effort.interval_seconds)
    if mode == "batch":
        outcome = score_dump(effort.reviews, words, output, samples)
    else:
        count = round(effort.minutes * 60 * effort.rate)
        with emulator() as host:
            os.environ[HOST_VARIABLE] = host
            load = Load(count, effort.rate, effort.window_seconds)
            outcome = score_messages(load, words, output, samples)
    return with_trend(outcome, samples.samples)


if __name__ == "__main__":
    sys.exit(main())
