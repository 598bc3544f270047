"""A training that is killed goes on where it was, through the command line."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.backup_dir import claim
from model.card import read_card
from model.labelled_reviews import LabelledReview
from model.train import main
from schemas.errors import UserError
from tests.limits import short_files
from tests.model.test_train import run, write_csv

SETTINGS = ("--max_length", 16, "--epochs", 3, "--learning_rate", 1e-3)


@pytest.mark.slow
def test_a_killed_training_ends_as_an_undisturbed_one(
    imdb: list[LabelledReview], tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "mine.csv", imdb[::60])
    whole = ("--data", data, "--output", tmp_path / "whole", *SETTINGS)
    broken = ("--data", data, "--output", tmp_path / "broken", *SETTINGS)
    backups = tmp_path / "broken.training"

    assert run(*whole).returncode == 0
    command = [sys.executable, "-m", "model.train", *map(str, broken)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        while "epoch 1 is done" not in process.stderr.readline():
            assert process.poll() is None
        for _ in range(600):
            if list(backups.glob("latest/ckpt-*.index")):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "broken").exists()
    other = run(*broken[:-1], 1e-4)
    assert other.returncode == 2
    assert other.stderr.count("\n") == 1
    assert "interrupted, with another learning_rate: give the same again" in other.stderr
    resumed = run(*broken)

    assert resumed.returncode == 0
    assert "going on from epoch 2" in resumed.stderr
    cards = [read_card(tmp_path / name).raw for name in ("whole", "broken")]
    assert cards[0]["metrics"] == cards[1]["metrics"]
    assert cards[0]["training"] == cards[1]["training"]
    variables = "variables/variables.data-00000-of-00001"
    assert (tmp_path / "whole" / variables).read_bytes() == (
        tmp_path / "broken" / variables
    ).read_bytes()
    assert not backups.exists()


def test_ctrl_c_is_answered_in_one_line(imdb: list[LabelledReview], tmp_path: Path) -> None:
    data = write_csv(tmp_path / "mine.csv", imdb[::60])
    options = ("--data", data, "--output", tmp_path / "model", *SETTINGS)
    command = [sys.executable, "-m", "model.train", *map(str, options)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "reviews to learn from" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.endswith("train-sentiment: stopped; the same command goes on from there\n")


def test_a_full_disk_is_one_line(
    imdb: list[LabelledReview], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = write_csv(tmp_path / "mine.csv", imdb[::60])
    output = tmp_path / "model"
    with short_files(1_000_000):
        code = main([*map(str, ("--data", data, "--output", output, *SETTINGS))])
    assert code == 2
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith("train-sentiment: error: ")
    assert "make room on the disk" in line
    assert not output.exists()


def test_a_folder_is_of_one_training(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    claim(folder, {"seed": 1, "data": ("x",)})
    claim(folder, {"seed": 1, "data": ("x",)})
    with pytest.raises(UserError, match="with another data, seed: give the same again"):
        claim(folder, {"seed": 2, "data": ("y",)})


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "training.json").write_text(content)
    with pytest.raises(UserError, match="give another --backup_dir"):
        claim(tmp_path, {"seed": 1})
    assert (tmp_path / "training.json").read_text() == content
    (tmp_path / "training.json").rename(tmp_path / "mine.txt")
    with pytest.raises(UserError, match="give another --backup_dir"):
        claim(tmp_path, {"seed": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
