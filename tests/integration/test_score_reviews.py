"""The job through its command line, on the bundled model."""

import contextlib
import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from beam_jobs.demo import SAMPLES
from beam_jobs.score_reviews import main
from tests.integration.buckets import named_rows

COMMAND = [sys.executable, "-m", "beam_jobs.score_reviews"]
HEADER = "id,text,stars\n"
TFX_MISTAKES = [
    (["--engine", "tfx_bsl", "--model", "."], "not a SavedModel"),
    (["--engine", "tfx_bsl", "--signature", "absent"], "has no signature absent"),
    (["--engine", "tfx_bsl", "--signature", "token_ids"], "other than one string"),
    (["--engine", "tfx_bsl", "--signature", "serving_default"], "--positive_output"),
]


def scored(arguments: list[str], prefix: Path) -> list[dict[str, Any]]:
    assert main([*arguments, "--output", str(prefix), "--quiet"]) == 0
    return named_rows(prefix)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.csv"
    path.write_text(HEADER + 'a,"Wonderful,\n""truly"" wonderful film",5\nb,Awful.,1\n', "utf-8")
    return path


def test_a_dump_becomes_scores_rejections_and_a_manifest(tmp_path: Path, dump: Path) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("c,,3\nd,Too short a row\n")
    prefix = tmp_path / "out"

    arguments = ["--input", str(dump), "--output", str(prefix), "--id_field", "id", "--quiet"]

    code = main([*arguments, "--keep_fields", "rating=stars:int64", "--max_rejected_share", "0.5"])

    assert code == 0
    good, bad = named_rows(prefix)
    assert (good["review_id"], good["label"], good["rating"]) == ("a", "positive", 5)
    assert (bad["review_id"], bad["label"], bad["rating"]) == ("b", "negative", 1)
    assert good["positive_probability"] > 0.5 > bad["positive_probability"]
    assert (bad["token_count"], bad["truncated"]) == (2, False)
    assert re.fullmatch(r"[\w-]+@[0-9a-f]{12}", good["model"])
    reasons = {row["reason"] for row in named_rows(prefix, "rejected")}
    assert reasons == {"empty_text", "malformed_record"}
    manifest = json.loads((prefix / "manifest.json").read_text("utf-8"))
    assert manifest["counts"] == {"read": 4, "scored": 2, "rejected": 2}
    assert sorted(path.name for path in prefix.iterdir()) == ["manifest.json", "rejected", "scores"]


def test_a_mistake_is_json_for_schedulers(
    tmp_path: Path, dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--input", str(dump), "--output", str(tmp_path / "out"), "--model", "absent"]

    assert main([*arguments, "--log_format", "json", "--quiet"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["severity"] == "ERROR"
    assert entry["message"].startswith("no model at absent")


def test_the_same_run_gives_the_same_rows(tmp_path: Path) -> None:
    arguments = ["--input", str(SAMPLES)]

    first, again = (scored(arguments, tmp_path / name) for name in ("first", "again"))

    assert first == again
    assert len({row["review_id"] for row in first}) == 20


@pytest.mark.tfx_bsl
@pytest.mark.slow
def test_both_engines_agree(tmp_path: Path) -> None:
    arguments = ["--input", str(SAMPLES), "--id_field", "review_id"]

    ours = scored(arguments, tmp_path / "ours")
    theirs = scored([*arguments, "--engine", "tfx_bsl"], tmp_path / "theirs")

    assert [row["review_id"] for row in ours] == [row["review_id"] for row in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one["positive_probability"] == pytest.approx(other["positive_probability"], abs=1e-5)


@pytest.mark.tfx_bsl
@pytest.mark.slow
def test_tfx_bsl_scores_a_signature_that_takes_text(tmp_path: Path) -> None:
    arguments = ["--input", str(SAMPLES), "--id_field", "review_id"]
    text = ["--engine", "tfx_bsl", "--signature", "serving_default"]
    output = ["--positive_output", "positive_probability"]

    by_text = scored([*arguments, *text, *output], tmp_path / "text")

    by_ids = scored(arguments, tmp_path / "ids")
    for one, other in zip(by_text, by_ids, strict=True):
        assert one["positive_probability"] == pytest.approx(other["positive_probability"], abs=1e-5)


@pytest.mark.tfx_bsl
@pytest.mark.parametrize("feature", ["", "review"])
@pytest.mark.slow
def test_tfx_bsl_scores_models_of_others(tmp_path: Path, feature: str) -> None:
    """A model that knows nothing but how long a text is, with a probability for each class."""

    def classify(strings: tf.Tensor) -> dict[str, tf.Tensor]:
        if feature:
            spec = {feature: tf.io.FixedLenFeature([], tf.string)}
            strings = tf.io.parse_example(strings, spec)[feature]
        positive = tf.minimum(tf.cast(tf.strings.length(strings), tf.float32) / 8, 1.0)
        return {"probabilities": tf.stack([1 - positive, positive], axis=1)}

    module, model = tf.Module(), tmp_path / "length"
    signature = tf.function(classify, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(model), signatures={"serving_default": signature})
    dump = tmp_path / "dump.txt"
    dump.write_text("ab\nabcdef\n" + "abcdefgh" * 9 + "\n", "utf-8")
    arguments = ["--input", str(dump), "--engine", "tfx_bsl", "--model", str(model)]

    last = scored([*arguments, "--example_feature", feature], tmp_path / "last")
    first = scored(
        [*arguments, "--example_feature", feature, "--positive_output", "probabilities:0"],
        tmp_path / "first",
    )

    by_position = {row["review_id"].rpartition("#")[2]: row for row in last}
    found = {position: row["positive_probability"] for position, row in by_position.items()}
    assert found == {"0": 0.25, "3": 0.75, "10": 1.0}
    assert sorted(row["positive_probability"] for row in first) == [0.0, 0.25, 0.75]
    assert {row["token_count"] for row in last} == {None}
    assert all(row["model"].startswith("length@") for row in last)


def test_too_many_rejections_fail_the_run_but_lose_nothing(
    tmp_path: Path, dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump.write_text(HEADER + "a,fine,1\nb,,1\n", "utf-8")
    prefix = tmp_path / "out"

    assert main(["--input", str(dump), "--output", str(prefix)]) == 1

    captured = capsys.readouterr()
    assert "1 of 2 records were rejected, 50.0%" in captured.err
    assert "Traceback" not in captured.err
    assert len(named_rows(prefix)) == len(named_rows(prefix, "rejected")) == 1


def test_parquet_keeps_types(tmp_path: Path, dump: Path) -> None:
    prefix = tmp_path / "out"
    arguments = ["--input", str(dump), "--output", str(prefix), "--output_format", "parquet"]

    assert main([*arguments, "--quiet", "--keep_fields", "stars:float64", "id"]) == 0

    (path,) = (prefix / "scores").glob("*.parquet")
    schema = pq.read_schema(path)
    assert str(schema.field("stars").type) == "double"
    assert str(schema.field("id").type) == "string"


def test_a_run_is_not_overwritten_by_accident(
    tmp_path: Path, dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--input", str(dump), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--quiet"]) == 0

    assert main(arguments) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert main([*arguments, "--overwrite", "--log_format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["scored"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--input", "absent.csv"], "absent.csv"),
        (["--text_field", "body"], "--text_field 'body' is not a field of"),
        (["--id_field", "key"], "its fields are id, text, stars"),
        (["--keep_fields", "colour"], "--keep_fields 'colour' is not a field of"),
        (["--keep_fields", "label=id"], "score rows already have a column"),
        (["--model", "absent"], "absent"),
        (["--model", "."], "isn't a SavedModel"),
        (["--inptu", "x"], "did you mean --input?"),
        (["--runner", "AbsentRunner"], "--runner AbsentRunner can't be used so"),
        (["--runner", "DataflowRunner"], "--project is missing: Dataflow needs it"),
        *(pytest.param(*mistake, marks=pytest.mark.tfx_bsl) for mistake in TFX_MISTAKES),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    dump: Path,
    capsys: pytest.CaptureFixture[str],
    change: list[str],
    message: str,
) -> None:
    prefix = tmp_path / "out"

    code = main(["--input", str(dump), "--output", str(prefix), *change])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("score-reviews: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not (prefix / "scores").exists()


def test_help_and_wrong_flags_need_neither_beam_nor_tensorflow() -> None:
    code = (
        "import sys; from beam_jobs.score_reviews import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(sorted({'apache_beam', 'tensorflow', 'pyarrow'} & set(sys.modules)))"
    )
    for arguments in (["--help"], ["--inptu", "x"]):
        run = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


def test_the_process_says_how_it_ended(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "--input", "absent"], capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr.startswith("score-reviews: error: --output is missing")


@pytest.mark.slow
def test_a_terminal_shows_how_far_the_run_is(tmp_path: Path) -> None:
    dump = tmp_path / "dump.txt"
    dump.write_text("An uneven but often charming film.\n" * 10_000, "utf-8")
    command = [*COMMAND, "--input", str(dump), "--output", str(tmp_path / "out")]
    terminal, stderr = pty.openpty()
    process = subprocess.Popen(command, stderr=stderr, stdout=subprocess.DEVNULL)
    os.close(stderr)
    shown = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal's output so
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)

    assert process.wait() == 0
    assert re.search(rb"\r[\d,]+ read, [\d,]+ scored, 0 rejected, [\d,]+ reviews/s", shown)
    assert b"\n" not in shown


@pytest.mark.slow
def test_a_stopped_run_leaves_no_manifest_and_can_be_repeated(tmp_path: Path) -> None:
    dump, prefix = tmp_path / "dump.csv", tmp_path / "out"
    with dump.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows([i, "An uneven but often charming film. " * 30] for i in range(20_000))
    command = [*COMMAND, "--input", str(dump), "--output", str(prefix), "--id_field", "id"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (prefix / "scores").exists():
        time.sleep(0.1)
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGTERM
    assert "stopped; no manifest is written" in errors
    assert "Traceback" not in errors
    assert not (prefix / "manifest.json").exists()
    dump.write_text("id,text\n1,Fine.\n", "utf-8")
    assert subprocess.run([*command, "--quiet"]).returncode == 0
    assert [row["review_id"] for row in named_rows(prefix)] == ["1"]
    assert not list(prefix.rglob("*temp*"))
