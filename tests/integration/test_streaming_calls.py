"""Mistakes in a streaming call, and a job with little to do."""

import socket
from pathlib import Path

import pytest

from beam_jobs.pubsub_emulator import HOST_VARIABLE
from beam_jobs.score_reviews import EXIT_MISTAKE, main
from tests.integration.conftest import NewChannel

ABSENT = "projects/review-scoring/{}/absent"


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a call is refused with."""
    assert main(arguments) == EXIT_MISTAKE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("score-reviews: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--input", "a.jsonl"], "give one of --input, --input_subscription and --input_topic"),
        (["--input_subscription", "new"], "give projects/P/subscriptions/S"),
        (["--output", ""], "rejections have nowhere to go"),
        (["--window", "0"], "'0' is no duration"),
        (["--window", "0s"], "--window 0 is too short"),
        (["--window", "5x"], "'5x' is no duration"),
        (["--overwrite"], "--overwrite goes with --input only"),
        (["--input_subscription", "", "--input", "a.jsonl"], "goes with --input_subscription"),
        (["--runner", "FnApiRunner"], "--runner FnApiRunner reads files only"),
        (["--keep_fields", "stars"], "name it, as in stars:int64"),
        (["--model", "absent"], "absent"),
        (["--ordering_key", "shop"], "--ordering_key 'shop' is no column of a score"),
    ],
)
def test_a_mistake_is_told_before_pubsub_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    arguments = ["--input_subscription", ABSENT.format("subscriptions")]
    arguments += ["--output_topic", ABSENT.format("topics"), "--output", str(tmp_path / "out")]

    assert message in told([*arguments, *change], capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("absent", ["--input_subscription", "--output_topic", "--rejected_topic"])
def test_what_pubsub_does_not_know_is_named(
    new_channel: NewChannel, capsys: pytest.CaptureFixture[str], absent: str
) -> None:
    channel = new_channel()
    paths = {
        "--input_subscription": channel.subscription,
        "--output_topic": channel.topic,
        "--rejected_topic": channel.topic,
    }
    paths[absent] = ABSENT.format("subscriptions" if "subscription" in absent else "topics")
    arguments = [argument for option in paths.items() for argument in option]

    assert f"{paths[absent]} does not exist" in told(arguments, capsys)


def test_no_answer_from_pubsub_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv(HOST_VARIABLE, f"127.0.0.1:{closed.getsockname()[1]}")
        arguments = ["--input_subscription", ABSENT.format("subscriptions")]

        line = told([*arguments, "--output", str(tmp_path / "out")], capsys)

    assert f"{ABSENT.format('subscriptions')}: Pub/Sub can't be asked" in line
