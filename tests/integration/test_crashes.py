"""Jobs that are killed, again and again, at any moment; `KILLS=200` makes it a long test."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.cloud.storage import Bucket

from tests.gcs.server import CloudStorage
from tests.integration.buckets import REVIEWS, write_text
from tests.integration.crashes import Disk, InBucket, Place, Rows, rows_seen, run, strays

pytestmark = pytest.mark.slow

KILLS = max(15, int(os.environ.get("KILLS", "15")))
"""At least so many on each kind of storage."""

KILLS_IN_A_ROW = 5
"""Of the same command, one after the other, before one is left alone."""

COMMANDS = [
    [],
    ["--overwrite"],
    ["--skip_unchanged", "--output_format", "parquet"],
    ["--output_format", "jsonl.gz", "--direct_running_mode", "multi_threading"],
    ["--overwrite", "--output_format", "avro"],
]


class Undisturbed(NamedTuple):
    """A run that nobody killed.

    Attributes:
        rows: what it wrote.
        changes: number of changes under its output.
        seconds: how long it took.
    """

    rows: Rows
    changes: int
    seconds: float


NewPlace = Callable[[str], Place]


@pytest.fixture(params=["disk", "bucket"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Makes output prefixes by name, on disk and in a bucket."""
    if request.param == "disk":
        return lambda name: Disk(tmp_path / name)
    gcs: CloudStorage = request.getfixturevalue("gcs")
    bucket: Bucket = request.getfixturevalue("gcs_bucket")
    environment = gcs.environment(request.getfixturevalue("gcs_credentials"))
    return lambda name: InBucket(bucket, name, gcs.proxy, environment)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A command over two files, with records that are rejected; three workers, so three files."""
    rows = [{key: str(row[key]) for key in ("review_id", "text")} for row in REVIEWS]
    write_text(tmp_path / "1.jsonl", [*rows[:12], {"review_id": "empty", "text": ""}])
    write_text(tmp_path / "2.csv", rows[12:])
    command = ["--input", f"{tmp_path}/1.jsonl", f"{tmp_path}/2.csv", "--id_field", "review_id"]
    return [*command, "--quiet", "--max_rejected_share", "0.5", "--direct_num_workers", "3"]


def undisturbed(place: Place, arguments: list[str], log: Path) -> Undisturbed:
    seen: list[Rows] = []
    begin = time.monotonic()
    job = place.start(arguments, log)
    code = place.follow(job, lambda number, change: seen.append(rows_seen(place)))
    assert code == 0, log.read_text("utf-8")
    assert not any(seen), "the job goes on after the manifest"
    assert not strays(place)
    rows = rows_seen(place)
    assert (len(rows["scores"]), len(rows["rejected"])) == (len(REVIEWS), 1)
    return Undisturbed(rows, len(seen), time.monotonic() - begin)


def killed(
    place: Place,
    arguments: list[str],
    log: Path,
    whole: Undisturbed,
    share: float,
    by_time: bool,
) -> bool:
    """Runs a job, and kills it.

    Args:
        place: where it writes.
        arguments: the command line.
        log: file that what it says is added to.
        whole: what it would do.
        share: 0..1, of the time or of the changes after which it is killed.
        by_time: which of the two.

    Returns:
        Whether it was killed before it ended.
    """
    at_seconds = share * whole.seconds if by_time else 300.0
    at_change = -1 if by_time else int(share * whole.changes)
    job = place.start(arguments, log)
    timer = threading.Timer(at_seconds, job.send, [signal.SIGKILL])
    partial: list[AssertionError] = []

    def tell(number: int, change: str) -> None:
        try:
            assert rows_seen(place) in ({}, whole.rows), change
            assert change != "open /manifest.json", "it could be read while it is written"
        except AssertionError as error:
            partial.append(error)
        if number == at_change:
            job.send(signal.SIGKILL)

    timer.start()
    code = place.follow(job, tell)
    timer.cancel()
    assert not partial
    return code == -signal.SIGKILL


def phase(place: Place) -> str:
    """How far a job came, by what it left."""
    names = list(place.files())
    if "manifest.json" in names:
        return "finished"
    if any("/part-" in name for name in names):
        return "moving files"
    if any("beam-temp" in name for name in names):
        return "writing"
    return "before"


def survive(
    place: Place, arguments: list[str], log: Path, whole: Undisturbed, draw: random.Random
) -> list[str]:
    """Kills a command some times in a row, then lets it end.

    Returns:
        How far it was at each kill.
    """
    phases = []
    if "--overwrite" in arguments:
        assert run(place, arguments, log) == 0
    for number in range(KILLS_IN_A_ROW):
        share, by_time = (number + draw.random()) / KILLS_IN_A_ROW, draw.random() < 0.4
        was_killed = killed(place, arguments, log, whole, share, by_time)
        assert rows_seen(place) in ({}, whole.rows)
        phases.extend([phase(place)] * was_killed)
    refused = bool(rows_seen(place)) and not {"--overwrite", "--skip_unchanged"} & {*arguments}
    code = run(place, arguments, log)
    assert code == (2 if refused else 0), log.read_text("utf-8")
    assert rows_seen(place) == whole.rows
    assert not strays(place)
    assert "Traceback" not in log.read_text("utf-8")
    return phases


def test_a_killed_job_leaves_nothing_partial_and_can_be_repeated(
    new_place: NewPlace, arguments: list[str], tmp_path: Path, record_property: Any
) -> None:
    draw, phases = random.Random(8), Counter[str]()
    commands = [[*arguments, *command] for command in COMMANDS]

    def watch(number: int) -> Undisturbed:
        name = f"whole-{number}"
        return undisturbed(new_place(name), commands[number], tmp_path / f"{name}.log")

    def chain(number: int, seed: int) -> list[str]:
        kind, name = number % len(whole), f"killed-{number}"
        log = tmp_path / f"{name}.log"
        return survive(new_place(name), commands[kind], log, whole[kind], random.Random(seed))

    with ThreadPoolExecutor(2) as pool:
        whole = list(pool.map(watch, range(min(len(commands), KILLS // KILLS_IN_A_ROW))))
        for first in count(step=2):
            numbers = (first, first + 1)
            for found in pool.map(chain, numbers, [draw.randrange(2**32) for _ in numbers]):
                phases.update(found)
            if phases.total() >= KILLS:
                break

    print(f"killed {phases.total()} times: {dict(phases)}")
    record_property("kills", dict(phases))
    assert {"writing", "moving files"} <= set(phases)
