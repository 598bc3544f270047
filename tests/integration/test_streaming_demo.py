"""`make demo-streaming` shows a score for every sample."""

import json

import pytest

from beam_jobs.demo import HEADING, SAMPLES
from beam_jobs.pubsub_emulator import HOST_VARIABLE
from beam_jobs.streaming_demo import main


@pytest.mark.slow
def test_the_demo_shows_a_score_for_every_sample(
    emulator_host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOST_VARIABLE, emulator_host)

    assert main() == 0

    captured = capsys.readouterr()
    assert captured.err == ""
    command, _, shown = captured.out.partition(f"\n\n{HEADING}\n")
    assert command.startswith(f"{HOST_VARIABLE}={emulator_host} score-reviews ")
    samples = [json.loads(line) for line in SAMPLES.read_text("utf-8").splitlines()]
    for sample, line in zip(samples, shown.splitlines(), strict=True):
        review_id, label, probability, *words = line.split()
        assert review_id == sample["review_id"]
        assert (label == "positive") == (float(probability) >= 0.5)
        assert " ".join(words).removesuffix(" ...") in sample["text"]
