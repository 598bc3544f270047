import csv
import gzip
import json
import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs import streaming_job
from beam_jobs.command_line import parse
from beam_jobs.dataflow.accelerators import Accelerator
from beam_jobs.dry_run.description import DryRun, describe
from beam_jobs.dry_run.options import DryRunOptions
from beam_jobs.dry_run.rate import Rate
from beam_jobs.dry_run.text import json_text, text
from beam_jobs.dry_run.workload import charge_for
from beam_jobs.job import prepare
from beam_jobs.pipeline import build, build_streaming
from beam_jobs.streaming_job import LOCAL, prepare_streaming
from model.card import default_model_directory
from model.data import packaged_path
from model.tokenizer import Tokenizer
from schemas.errors import UserError
from tests.beam_jobs.running import local_pipeline

SAMPLES = Path("beam_jobs/samples/reviews.jsonl")
NO_GPU = Accelerator("", 0)
SETTINGS = {
    "dry_run": True,
    "worker_price": None,
    "accelerator_price": None,
    "tokens_per_second": None,
    "precision": "auto",
    "accelerator": "",
    "accelerator_scope": "inference",
}


def dry_run(output: Path, *inputs: Path, **settings: Any) -> DryRun:
    arguments = ["--input", *map(str, inputs), "--output", str(output)]
    options = Namespace(**{**vars(parse(arguments)), **SETTINGS, **settings})
    job, pipeline = prepare(options), local_pipeline()
    build(pipeline, job)
    return describe(job, pipeline, PipelineOptions([]), options)


def tokens_of(texts: list[str]) -> int:
    """What the model computes for some reviews."""
    return len(Tokenizer.from_artifact(default_model_directory()).tokenize(texts).values)


def sample_texts() -> list[str]:
    return [json.loads(line)["text"] for line in SAMPLES.read_text("utf-8").splitlines()]


def test_work_and_cost_of_the_samples_are_known_exactly(tmp_path: Path) -> None:
    found = dry_run(tmp_path / "out", SAMPLES, tokens_per_second=0.5, worker_price=3.6).workload

    assert found is not None
    tokens = tokens_of(sample_texts())
    assert (found.reviews, found.tokens) == (20, tokens)
    # A token takes two seconds, and 1,000 seconds cost 1.
    assert found.charge.worker_hours == pytest.approx(tokens * 2 / 3_600)
    assert found.charge.cost == pytest.approx(tokens * 2 / 1_000)


def test_speed_is_measured_where_nobody_gives_it(tmp_path: Path) -> None:
    found = dry_run(tmp_path / "out", SAMPLES).workload

    assert found is not None
    assert found.rate.tokens_per_second
    assert 100 < found.rate.tokens_per_second < 10_000_000
    assert "measured here" in found.rate.source


def test_speed_of_a_gpu_is_not_measured_on_a_cpu(tmp_path: Path) -> None:
    found = dry_run(tmp_path / "out", SAMPLES, accelerator="l4", worker_price=1.0)

    assert found.workload is not None
    assert found.workload.rate.tokens_per_second is None
    assert found.workload.charge.cost is None
    assert "benchmarks/gpu.py" in text(found)


def test_nothing_is_written_and_no_review_is_quoted(tmp_path: Path) -> None:
    found = dry_run(tmp_path / "out", SAMPLES, tokens_per_second=1.0)

    for printed in (text(found), json_text(found)):
        assert not any(words in printed for words in sample_texts())
        assert "ScoreReviews/RunInference" in printed
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_json_form_holds_the_same_numbers(tmp_path: Path) -> None:
    found = json.loads(json_text(dry_run(tmp_path / "out", SAMPLES, tokens_per_second=7.0)))

    assert found["inputs"]["files"] == 1
    assert found["model"]["parameters"] == 4_353_281
    assert found["model"]["threshold"] == 0.5
    assert found["workload"]["reviews"] == 20
    assert found["workload"]["rate"] == {"tokens_per_second": 7.0, "source": "as given"}
    assert found["steps"][0] == {"label": "ReadFiles", "hints": {}}


def test_of_messages_everything_is_told_but_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming_job, "check_paths", lambda source, topics: None)
    topics = [
        "--output_topic",
        "projects/shop-reviews/topics/scores",
        "--rejected_topic",
        "projects/shop-reviews/topics/rejected",
    ]
    arguments = ["--input_subscription", "projects/shop-reviews/subscriptions/new", *topics]
    options = Namespace(**{**vars(parse(arguments)), **SETTINGS})
    job = prepare_streaming(options, LOCAL)
    beam_options = PipelineOptions(["--streaming"])
    pipeline = beam.Pipeline(runner="BundleBasedDirectRunner", options=beam_options)
    build_streaming(pipeline, job)

    found = describe(job, pipeline, beam_options, options)

    assert found.inputs == {"messages_of": "projects/shop-reviews/subscriptions/new"}
    assert found.outputs == {
        "topic": "projects/shop-reviews/topics/scores",
        "rejected topic": "projects/shop-reviews/topics/rejected",
    }
    assert "messages have yet to come" in text(found)
    assert json.loads(json_text(found))["workload"] is None


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_real_reviews_are_estimated_within_a_few_percent(suffix: str, tmp_path: Path) -> None:
    dump = tmp_path / f"reviews{suffix}"
    with (
        packaged_path().open("rb") as source,
        (gzip.open if suffix == ".csv.gz" else open)(dump, "wb") as file,
    ):
        shutil.copyfileobj(source, file)
    with packaged_path().open(encoding="utf-8", newline="") as source_text:
        texts = [row["text"] for row in csv.DictReader(source_text)]

    found = dry_run(tmp_path / "out", dump, tokens_per_second=1.0).workload

    assert found is not None
    assert found.reviews == 33_530
    assert found.tokens == pytest.approx(tokens_of(texts), rel=0.03)


@pytest.mark.parametrize(
    ("settings", "accelerator", "hours", "cost", "missing"),
    [
        # 36 million tokens at 5,000 a second take two hours.
        ({"worker_price": 0.5}, NO_GPU, 2, 1.0, ""),
        ({}, NO_GPU, 2, None, "--worker_price"),
        ({"worker_price": 0.5}, Accelerator("nvidia-l4", 2), 2, None, "--accelerator_price"),
        # 0.5 and 2 x 0.7 an hour.
        (
            {"worker_price": 0.5, "accelerator_price": 0.7},
            Accelerator("nvidia-l4", 2),
            2,
            3.8,
            "",
        ),
    ],
)
def test_a_cost_needs_all_prices(
    settings: dict[str, float],
    accelerator: Accelerator,
    hours: float,
    cost: float | None,
    missing: str,
) -> None:
    options = Namespace(**{**SETTINGS, **settings})

    charge = charge_for(36_000_000, Rate(5_000, "as given"), options, accelerator)

    assert charge == (hours, cost and pytest.approx(cost), missing)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--worker_price", "1"], "--worker_price goes with --dry_run only"),
        (["--dry_run", "--worker_price", "-1"], "--worker_price -1 can't be"),
        (["--dry_run", "--tokens_per_second", "0"], "--tokens_per_second 0 can't be"),
        (["--dry_run", "--accelerator_price", "nan"], "--accelerator_price nan can't be"),
    ],
)
def test_prices_that_cant_be_are_refused(arguments: list[str], complaint: str) -> None:
    parser = ArgumentParser()
    DryRunOptions._add_argparse_args(parser)

    with pytest.raises(UserError, match=complaint):
        DryRunOptions.validate(parser.parse_args(arguments))
