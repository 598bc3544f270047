"""The same rows from the same input, however it is cut into batches."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from beam_jobs.score_reviews import main
from model.data import packaged
from tests.integration.buckets import named_rows

REVIEWS = 120


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Real reviews of every length."""
    reviews = list(packaged("imdb"))
    sample = reviews[:: len(reviews) // REVIEWS][:REVIEWS]
    return [json.dumps({"id": str(n), "text": review.text}) for n, review in enumerate(sample)]


def scored(folder: Path, name: str, lines: list[str], *more: str) -> list[dict[str, Any]]:
    """The rows of a run, in the order of their ids."""
    dump, prefix = folder / f"{name}.jsonl", folder / name
    dump.write_text("\n".join(lines), "utf-8")
    arguments = ["--input", str(dump), "--output", str(prefix), "--id_field", "id", "--quiet"]
    assert main([*arguments, *more]) == 0
    return sorted(named_rows(prefix), key=lambda row: int(row["review_id"]))


@pytest.mark.slow
def test_rows_depend_on_input_and_model_alone(tmp_path: Path, lines: list[str]) -> None:
    two_processes = ("--direct_running_mode", "multi_processing", "--direct_num_workers", "2")
    shuffled = random.Random(8).sample(lines, len(lines))

    first = scored(tmp_path, "first", lines)

    assert len(first) == len(lines)
    assert scored(tmp_path, "again", lines) == first
    assert_alike(first, scored(tmp_path, "parallel", lines, *two_processes))
    assert_alike(first, scored(tmp_path, "shuffled", shuffled))
    for budget in (1, 30_000):
        rows = scored(tmp_path, f"budget-{budget}", lines, "--max_batch_tokens", str(budget))
        assert_alike(first, rows)


def assert_alike(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    """Everything is equal but the probabilities, and they are to 1e-5."""
    for row, again in zip(one, other, strict=True):
        probability = pytest.approx(row["positive_probability"], abs=1e-5)
        assert again == {**row, "positive_probability": probability}
