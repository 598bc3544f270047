"""Nightly runs: a folder a day, late files, and re-runs that do no harm."""

import json
from pathlib import Path
from typing import Any

import pytest

from beam_jobs.score_reviews import main

pytestmark = pytest.mark.slow


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    for day, reviews in {"2026-11-21": ["Wonderful."], "2026-11-19": ["Dull.", "Awful."]}.items():
        add_file(tmp_path, day, "first", reviews)
    return tmp_path


def add_file(root: Path, day: str, name: str, reviews: list[str]) -> None:
    folder = root / "reviews" / f"dt={day}"
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"text": text}) for text in reviews)
    (folder / f"{name}.jsonl").write_text("\n".join(lines), "utf-8")


def score(root: Path, *arguments: str) -> int:
    patterns = ["--input", f"{root}/reviews/dt={{date}}/*.jsonl"]
    return main([*patterns, "--output", f"{root}/scores/dt={{date}}", *arguments])


def manifests(root: Path) -> dict[str, Any]:
    paths = sorted((root / "scores").glob("dt=*/manifest.json"))
    return {path.parent.name: json.loads(path.read_text("utf-8")) for path in paths}


def test_each_day_is_a_run_and_late_files_are_picked_up(
    dumps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nightly = ["--date", "2026-11-21", "--days", "3", "--skip_unchanged"]

    assert score(dumps, *nightly) == 0
    first = manifests(dumps)
    assert {day: manifest["counts"]["read"] for day, manifest in first.items()} == {
        "dt=2026-11-19": 2,
        "dt=2026-11-21": 1,
    }
    assert "day 2026-11-20 is passed over" in capsys.readouterr().err

    assert score(dumps, *nightly) == 0
    assert manifests(dumps) == first

    add_file(dumps, "2026-11-19", "late", ["Good."])
    assert score(dumps, *nightly) == 0
    second = manifests(dumps)
    assert second["dt=2026-11-21"] == first["dt=2026-11-21"]
    assert second["dt=2026-11-19"]["counts"]["read"] == 3
    rows = (dumps / "scores/dt=2026-11-19/scores").glob("*.jsonl")
    assert sum(len(path.read_text("utf-8").splitlines()) for path in rows) == 3


def test_other_options_make_another_run(dumps: Path) -> None:
    day = ["--date", "2026-11-21", "--skip_unchanged"]
    assert score(dumps, *day) == 0
    first = manifests(dumps)

    assert score(dumps, *day, "--log_format", "json") == 0
    assert manifests(dumps) == first

    assert score(dumps, *day, "--output_format", "parquet") == 0
    (path,) = manifests(dumps)["dt=2026-11-21"]["files"]["scores"]
    assert path.endswith(".parquet")


def test_a_day_without_input_is_a_mistake_and_costs_no_other_day(
    dumps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(dumps, "--date", "2026-11-22", "--days", "2") == 2

    assert "dt=2026-11-22/*.jsonl: no file matches" in capsys.readouterr().err
    assert list(manifests(dumps)) == ["dt=2026-11-21"]


def test_a_run_left_alone_keeps_its_exit_code(dumps: Path) -> None:
    add_file(dumps, "2026-11-21", "empty", ["", " "])
    day = ["--date", "2026-11-21", "--skip_unchanged", "--quiet"]

    assert score(dumps, *day) == 1
    first = manifests(dumps)
    assert first["dt=2026-11-21"]["status"] == "too_many_rejected"

    assert score(dumps, *day) == 1
    assert manifests(dumps) == first

    # The next nights go on with other days.
    add_file(dumps, "2026-11-22", "first", ["Good."])
    assert score(dumps, "--date", "2026-11-22", "--days", "2", "--skip_unchanged") == 0
    assert manifests(dumps)["dt=2026-11-21"] == first["dt=2026-11-21"]
