"""Whether a leak, a slowdown or a loss is told from a clean run."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.endurance import __main__ as endurance
from benchmarks.endurance.flatness import PARTS, after_warm_up, at_work, parts, trend
from benchmarks.endurance.ledger import Losses
from benchmarks.endurance.report import changes, leaks, losses, table, with_trend
from benchmarks.endurance.watched_job import Sample

NO_LOSSES = Losses(0, 0, 0, 0)._asdict()
CLEAN: dict[str, Any] = {
    "published": 102,
    "exit_code": 0,
    "counts": {"read": 102, "scored": 99, "rejected": 1, "duplicates": 2},
    "files": NO_LOSSES,
    "topics": NO_LOSSES,
}


def steady(count: int = 221) -> list[Sample]:
    """A job that starts for 100 seconds, and then does 20 records a second, in 10 ms each."""
    return [
        Sample(
            seconds=5.0 * i,
            memory_mb=1_500.0 if i > 20 else 15.0 * i,
            descriptors=9,
            threads=17,
            cpu_seconds=50.0 + 1.0 * max(0, i - 20),
            done=100 * max(0, i - 20),
        )
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"exit_code": 1}, "the job ended with exit code 1: see job.log"),
        ({"published": 103}, "103 published, 102 read, 102 came out"),
        (
            {"counts": {**CLEAN["counts"], "scored": 98}},
            "102 published, 102 read, 101 came out",
        ),
        ({"files": {**NO_LOSSES, "repeated": 2}}, "files: 2 records repeated"),
        ({"topics": {**NO_LOSSES, "lost": 1}}, "topics: 1 records lost"),
    ],
)
def test_a_loss_fails_the_run(
    changed: dict[str, Any], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = with_trend({**CLEAN, **changed}, [])
    monkeypatch.setattr(endurance, "measure", lambda *_: report)
    monkeypatch.setattr(sys, "argv", ["endurance", "batch", "--quick", "--output", str(tmp_path)])

    assert losses(report) == [complaint]
    assert endurance.main() == 1


def test_a_clean_run_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = {**NO_LOSSES, "repeated": 3}  # Pub/Sub may deliver a message again
    report = with_trend({**CLEAN, "topics": again}, steady())
    monkeypatch.setattr(endurance, "measure", lambda *_: report)
    monkeypatch.setattr(sys, "argv", ["endurance", "streaming", "--output", str(tmp_path)])

    assert endurance.main() == 0
    assert json.loads((tmp_path / "endurance.json").read_text("utf-8")) == report


def test_what_a_steady_job_uses_is_flat() -> None:
    samples = steady()
    # It goes on for a while with nothing left to do, and takes memory for that.
    samples += [samples[-1]._replace(seconds=1_100.0 + i, memory_mb=9e9) for i in range(1, 50)]

    working = at_work(samples)
    judged = after_warm_up(working)
    found = parts(judged, working[0].seconds)

    assert (working[0].seconds, working[-1].seconds) == (105.0, 1_100.0)
    assert (judged[0].seconds, judged[-1].seconds) == (205.0, 1_100.0)
    assert len(found) == PARTS
    for part in found:
        assert part[1:4] == (1_500.0, 9, 17)
        assert part[4:] == pytest.approx((20.0, 10.0, 0.0))
    assert found[-1].minutes == pytest.approx((1_100 - 105) / 60)
    assert trend(judged, found) == pytest.approx((0, 0, 0, 0, 0, 1), abs=1e-9)
    assert leaks(with_trend(CLEAN, samples)) == []


@pytest.mark.parametrize(
    ("field", "per_sample", "complaint"),
    [
        ("memory_mb", 0.40, ""),  # 179 steps of it after the warm-up: 71 of some 1,550 MB
        ("memory_mb", 0.50, "memory rose by 6%, more than 5%"),
        ("descriptors", 1 / 100, ""),
        ("descriptors", 1 / 50, "descriptors rose by 3.6, more than 2"),
        ("threads", 1 / 100, ""),
        ("threads", 1 / 50, "threads rose by 3.6, more than 2"),
    ],
)
def test_what_grows_is_a_leak(field: str, per_sample: float, complaint: str) -> None:
    growing = [
        one._replace(**{field: getattr(one, field) + per_sample * i})
        for i, one in enumerate(steady())
    ]

    assert leaks(with_trend(CLEAN, growing)) == [complaint] * bool(complaint)


def test_the_slope_of_memory_is_told_by_the_hour_and_by_the_million() -> None:
    growing = [one._replace(memory_mb=1_500.0 + 0.1 * i) for i, one in enumerate(steady())]

    # 0.1 MB every 5 seconds, or every 100 reviews
    assert changes(with_trend(CLEAN, growing)) == [
        "memory +72.0 MB an hour, +1,000.0 MB a million reviews",
        "descriptors +0.0, threads +0.0",
        "time of a review in the last part, over the second: 1.00",
    ]


def test_a_job_that_slows_down_is_told() -> None:
    # The first part after the warm-up is slow, too, and isn't what the last is compared with.
    tired = [
        one._replace(cpu_seconds=one.cpu_seconds + min(i, 58) + max(0, i - 200) * 0.5)
        for i, one in enumerate(steady())
    ]

    assert leaks(with_trend(CLEAN, tired)) == ["a review took 1.50 times as long, more than 1.2"]


def test_messages_are_judged_by_their_delay() -> None:
    # Not by the time of processors, which doubles.
    busier = [
        one._replace(cpu_seconds=one.cpu_seconds + i * i / 100) for i, one in enumerate(steady())
    ]
    prompt = [one._replace(delay_seconds=0.2) for one in busier]
    tardy = [one._replace(delay_seconds=0.2 if i < 200 else 0.26) for i, one in enumerate(busier)]
    tardy[-1] = tardy[-1]._replace(delay_seconds=0.0)  # when no score had come

    assert leaks(with_trend(CLEAN, prompt)) == []
    assert leaks(with_trend(CLEAN, tardy)) == ["a review took 1.30 times as long, more than 1.2"]
    assert table(with_trend(CLEAN, tardy)).splitlines()[PARTS].split()[-1] == "260"


@pytest.mark.parametrize("samples", [[], steady(20), steady(30)])
def test_a_run_that_is_too_short_tells_nothing(samples: list[Sample]) -> None:
    report = with_trend(CLEAN, samples)

    assert report["parts"] == []
    assert changes(report) == []
    assert leaks(report) == ["the run was too short to tell whether anything leaks"]
    assert "published 102, read 102, scored 99, rejected 1, duplicates 2" in table(report)


def test_the_table_has_a_line_for_each_part() -> None:
    lines = table(with_trend(CLEAN, steady())).splitlines()

    assert lines[0].split("  ")[:2] == ["minutes", "memory MB"]
    assert lines[1].split() == ["3.1", "1,500", "9", "17", "20.0", "10.000", "-"]
    assert len({len(line) for line in lines[: PARTS + 1]}) == 1
