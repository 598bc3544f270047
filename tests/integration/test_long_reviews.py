"""What a model reads of a review that is too long for it, from the command line to rows."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from beam_jobs.score_reviews import main
from model.data import packaged
from model.savedmodel import load
from tests.integration.buckets import named_rows
from tests.model.test_train import run, write_csv

pytestmark = pytest.mark.slow

PLACES = {"none": None, "first": 0, "middle": 30, "last": 59}
"""Where in a review of 60 words the one stands that makes it another review."""


def review(place: int | None) -> str:
    words = ["film"] * 60
    if place is not None:
        words[place] = "terrible"
    return " ".join(words)


@pytest.mark.parametrize(
    ("long_reviews", "read"),
    [
        ("head", {"first"}),
        ("head_tail", {"first", "last"}),
        ("windows", {"first", "middle", "last"}),
    ],
)
def test_what_counts_of_a_long_review(long_reviews: str, read: set[str], tmp_path: Path) -> None:
    data = write_csv(tmp_path / "mine.csv", list(packaged("imdb"))[::50])
    model, dump, output = tmp_path / "model", tmp_path / "dump.jsonl", tmp_path / "out"
    texts = {name: review(place) for name, place in PLACES.items()}
    dump.write_text("\n".join(json.dumps({"id": n, "text": t}) for n, t in texts.items()), "utf-8")

    trained = run(
        *("--data", data, "--output", model, "--long_reviews", long_reviews, "--max_length", 16),
        *("--epochs", 1, "--learning_rate", 3e-3),
    )
    assert trained.returncode == 0, trained.stderr
    job = ["--input", dump, "--id_field", "id", "--model", model, "--output", output, "--quiet"]
    assert main([str(argument) for argument in job]) == 0

    rows = {row["review_id"]: row for row in named_rows(output)}
    scores = {name: row["positive_probability"] for name, row in rows.items()}
    assert {name for name in texts if abs(scores[name] - scores["none"]) > 2e-6} == read
    assert {row["truncated"] for row in rows.values()} == {long_reviews != "windows"}
    assert {row["token_count"] for row in rows.values()} == {60}
    assert scores == pytest.approx(by_signatures(model, texts), abs=2e-6)


def by_signatures(model: Path, texts: dict[str, str]) -> dict[str, float]:
    """Probabilities from text, which have to equal those from examples."""
    loaded = load(model)
    from_text = loaded.text_probabilities(list(texts.values()))
    examples = [
        tf.train.Example(
            features=tf.train.Features(
                feature={
                    "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
                }
            )
        ).SerializeToString()
        for text in texts.values()
    ]
    signature = tf.saved_model.load(str(model)).signatures["examples"]
    from_examples = signature(examples=tf.constant(examples))["positive_probability"].numpy()
    assert from_examples == pytest.approx(from_text, abs=1e-6)
    return dict(zip(texts, from_text.tolist(), strict=True))
