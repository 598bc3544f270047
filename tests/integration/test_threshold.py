"""A model's own threshold, from its card to the labels of the rows."""

import json
from pathlib import Path

import pytest

from beam_jobs.demo import SAMPLES
from beam_jobs.score_reviews import main
from tests.beam_jobs.word_models import export_words
from tests.integration.buckets import named_rows
from tests.integration.test_model_faults import Adding

PROBABILITIES = {
    "far": (0.01, "negative"),
    "below": (0.299999, "negative"),
    "nearly": (0.2999996, "positive"),  # written as 0.3
    "exactly": (0.3, "positive"),
    "above": (0.300001, "positive"),
    "middle": (0.499, "positive"),
    "certain": (0.99, "positive"),
}
"""What a word makes of a review that consists of it, with a threshold of 0.3."""


def labels(prefix: Path) -> dict[str, tuple[float, str]]:
    rows = named_rows(prefix)
    return {row["review_id"]: (row["positive_probability"], row["label"]) for row in rows}


@pytest.mark.parametrize(
    "engine", ["saved_model", pytest.param("tfx_bsl", marks=pytest.mark.tfx_bsl)]
)
def test_labels_follow_the_threshold_of_the_card(tmp_path: Path, engine: str) -> None:
    weights = {word: probability for word, (probability, _) in PROBABILITIES.items()}
    export_words(tmp_path / "m", weights, kind=Adding, threshold=0.3)
    dump = tmp_path / "dump.jsonl"
    dump.write_text("\n".join(json.dumps({"id": word, "text": word}) for word in weights), "utf-8")
    arguments = ["--input", str(dump), "--id_field", "id", "--model", str(tmp_path / "m")]

    code = main([*arguments, "--output", str(tmp_path / "out"), "--engine", engine, "--quiet"])

    assert code == 0
    assert labels(tmp_path / "out") == {
        word: (round(probability, 6), label) for word, (probability, label) in PROBABILITIES.items()
    }
    manifest = json.loads((tmp_path / "out/manifest.json").read_text("utf-8"))
    assert manifest["labels"] == {"negative": 2, "positive": 5}


def test_the_bundled_model_labels_by_a_half(tmp_path: Path) -> None:
    arguments = ["--input", str(SAMPLES), "--id_field", "review_id", "--quiet"]

    assert main([*arguments, "--output", str(tmp_path / "out")]) == 0

    found = labels(tmp_path / "out")
    assert len(found) == 20
    for probability, label in found.values():
        assert (label == "positive") == (probability >= 0.5)
