"""What becomes of a run whose model is at fault: never a wrong score, never a lost review."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from beam_jobs import calls
from beam_jobs.score_reviews import main
from tests.beam_jobs.word_models import WordModel, export_words, sigmoid
from tests.integration.buckets import named_rows

SIZE = 40
"""Reviews of a run; more than a trial has."""

WEIGHTS = {"good": 2.0, "bad": -2.0, "odd": 0.5}


class Adding(WordModel):
    """The sum is the probability: weights can make it anything."""

    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.reduce_sum(tf.gather(self.table, ids), axis=1)


class Choking(WordModel):
    """Fails on `odd`, and so on every batch that holds it."""

    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        odd = len(WEIGHTS) + 3
        with tf.control_dependencies([tf.debugging.assert_none_equal(ids, odd)]):
            return super().__call__(ids, training)


class Hungry(WordModel):
    """Asks for more memory than any machine has, where it is given more than 60 tokens."""

    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        wanted = tf.where(tf.size(ids) > 60, tf.constant(1 << 50, tf.int64), 1)
        taken = tf.random.uniform([wanted])
        return super().__call__(ids, training) + 0 * tf.reduce_sum(taken)


class Forgetful(WordModel):
    """Leaves out the last review of a batch that is larger than a trial."""

    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        found = super().__call__(ids, training)
        size = tf.shape(found)[0]
        return found[: tf.where(size > 20, size - 1, size)]


class Doubling(WordModel):
    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.repeat(super().__call__(ids, training), 2)


class Column(WordModel):
    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        return super().__call__(ids, training)[:, tf.newaxis]


class Whole(WordModel):
    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.cast(super().__call__(ids, training) > 0.5, tf.int32)


def word_of(number: int) -> str:
    return ("good", "bad")[number % 2]


def run(folder: Path, model: Path, odd: int, *more: str) -> int:
    """Scores reviews that say `good` or `bad`, some of them `odd` in between."""
    words = ["odd" if n in range(3, 3 * odd + 1, 3) else word_of(n) for n in range(SIZE)]
    dump = folder / "dump.jsonl"
    lines = [json.dumps({"id": str(n), "text": word}) for n, word in enumerate(words)]
    dump.write_text("\n".join(lines), "utf-8")
    arguments = ["--input", str(dump), "--output", str(folder / "out"), "--id_field", "id"]
    return main([*arguments, "--model", str(model), "--quiet", *more])


def assert_all_right(folder: Path, odd: int) -> None:
    """Whatever isn't `odd` has the score of its word, and whatever is, is a rejection."""
    scores, rejected = named_rows(folder / "out", "scores"), named_rows(folder / "out", "rejected")
    assert (len(scores), len(rejected)) == (SIZE - odd, odd)
    assert {row["reason"] for row in rejected} <= {"model_failure"}
    for row in scores:
        word = word_of(int(row["review_id"]))
        assert row["label"] == {"good": "positive", "bad": "negative"}[word]
        assert row["positive_probability"] == pytest.approx(sigmoid(WEIGHTS[word]), abs=1e-5)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> calls.MemoryLimit:
    """What is known of the memory, forgotten after the test."""
    limit = calls.MemoryLimit()
    monkeypatch.setattr("beam_jobs.handler.MEMORY_LIMIT", limit)
    return limit


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.01, 1.01])
def test_a_number_that_is_no_probability_rejects_its_review_alone(
    tmp_path: Path, value: float
) -> None:
    weights = {"good": sigmoid(2.0), "bad": sigmoid(-2.0) - 0.01, "odd": value}
    export_words(tmp_path / "m", weights, kind=Adding)

    assert run(tmp_path, tmp_path / "m", 2) == 0

    scores, rejected = (
        named_rows(tmp_path / "out", "scores"),
        named_rows(tmp_path / "out", "rejected"),
    )
    assert len(rejected) == 2
    assert {row["reason"] for row in rejected} == {"model_failure"}
    assert len(scores) == SIZE - 2
    for row in scores:
        expected = weights[word_of(int(row["review_id"]))]
        assert row["positive_probability"] == pytest.approx(expected, abs=1e-6)


def test_a_review_that_the_network_fails_on_is_rejected_alone(tmp_path: Path) -> None:
    export_words(tmp_path / "m", WEIGHTS, kind=Choking)

    assert run(tmp_path, tmp_path / "m", 2) == 0

    assert_all_right(tmp_path, 2)


def test_what_is_too_much_for_the_memory_is_scored_in_parts(
    tmp_path: Path, memory: calls.MemoryLimit, capsys: pytest.CaptureFixture[str]
) -> None:
    export_words(tmp_path / "m", WEIGHTS, kind=Hungry)

    assert run(tmp_path, tmp_path / "m", 0) == 0

    assert_all_right(tmp_path, 0)
    # [CLS], a word and [SEP] of 40 reviews, then of 20.
    assert memory.tokens == 60


def test_more_rejections_than_allowed_are_written_and_fail_the_run(tmp_path: Path) -> None:
    export_words(tmp_path / "m", WEIGHTS, kind=Choking)

    assert run(tmp_path, tmp_path / "m", 10) == 1

    assert_all_right(tmp_path, 10)


def test_a_model_that_forgets_a_review_later_on_leaves_no_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_words(tmp_path / "m", WEIGHTS, kind=Forgetful)

    assert run(tmp_path, tmp_path / "m", 0) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "gave numbers of the shape (39,) for 40 reviews, not one for each" in line
    assert not (tmp_path / "out/manifest.json").exists()


def cut_vocabulary(model: Path) -> None:
    path = model / "assets/vocab.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


def swap_words(model: Path) -> None:
    path = model / "assets/vocab.txt"
    path.write_text(path.read_text().replace("good\nbad", "bad\ngood"))


def leave_it(model: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("kind", "damage", "reason"),
    [
        (Doubling, leave_it, "something other than probabilities"),
        (Column, leave_it, "into positive_probability, float32 [n]"),
        (Whole, leave_it, "into positive_probability, float32 [n]"),
        (Adding, leave_it, "something other than probabilities"),
        (WordModel, cut_vocabulary, "is not the one that its card tells of"),
        (WordModel, swap_words, "is not the one that its card tells of"),
    ],
)
def test_a_model_at_fault_as_a_whole_is_refused_before_anything_runs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: type[WordModel],
    damage: Callable[[Path], None],
    reason: str,
) -> None:
    export_words(tmp_path / "m", WEIGHTS, kind=kind)
    damage(tmp_path / "m")
    earlier = tmp_path / "out/manifest.json"
    earlier.parent.mkdir()
    earlier.write_text("{}")

    assert run(tmp_path, tmp_path / "m", 0, "--overwrite") == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert [path.name for path in earlier.parent.iterdir()] == ["manifest.json"]


TFX = ("--engine", "tfx_bsl")


@pytest.mark.tfx_bsl
@pytest.mark.slow
def test_tfx_bsl_loses_no_review_either(tmp_path: Path, memory: calls.MemoryLimit) -> None:
    for name, kind, odd in (("choking", Choking, 2), ("hungry", Hungry, 0)):
        folder = tmp_path / name
        export_words(folder / "m", WEIGHTS, kind=kind)

        assert run(folder, folder / "m", odd, *TFX) == 0

        assert_all_right(folder, odd)
    # Tokens are guessed: "good", 4 bytes, and the Example around it.
    assert memory.tokens < math.inf


@pytest.mark.tfx_bsl
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Adding, "gives something other than probabilities"),
        (Doubling, "fails on trial"),
        (Whole, "is int32, which is no probability"),
    ],
)
def test_tfx_bsl_refuses_a_model_at_fault_as_a_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: type[WordModel], reason: str
) -> None:
    export_words(tmp_path / "m", WEIGHTS, kind=kind)
    more = ("--signature", "serving_default", "--positive_output", "positive_probability")

    assert run(tmp_path, tmp_path / "m", 0, *TFX, *more) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert not list((tmp_path / "out").iterdir())
