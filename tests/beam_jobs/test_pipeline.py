"""The steps of a streaming run: a running job is updated by their names."""

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor

from beam_jobs import streaming_job
from beam_jobs.command_line import parse
from beam_jobs.pipeline import build_streaming
from beam_jobs.streaming_job import DATAFLOW, LOCAL, RunnerTraits, StreamingJob, prepare_streaming
from schemas.errors import UserError

PROJECT = "projects/shop-reviews"
SUBSCRIPTION = ["--input_subscription", f"{PROJECT}/subscriptions/new"]
TOPICS = [
    "--output_topic",
    f"{PROJECT}/topics/scores",
    "--rejected_topic",
    f"{PROJECT}/topics/rejected",
]


def prepared(*arguments: str, runner: RunnerTraits = DATAFLOW) -> StreamingJob:
    return prepare_streaming(parse([*SUBSCRIPTION, *TOPICS, *arguments]), runner)


class Labels(PipelineVisitor):
    """Names of the steps of a pipeline, no deeper than our own names go."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def enter_composite_transform(self, step: AppliedPTransform) -> None:
        self.visit_transform(step)

    def visit_transform(self, step: AppliedPTransform) -> None:
        if step.full_label.count("/") <= 2:
            self.labels.append(step.full_label)


def step_names(job: StreamingJob) -> set[str]:
    pipeline = beam.Pipeline(
        runner="BundleBasedDirectRunner", options=PipelineOptions(["--streaming"])
    )
    build_streaming(pipeline, job)
    found = Labels()
    pipeline.visit(found)
    return {label for label in found.labels if label}


@pytest.fixture(autouse=True)
def _pubsub_knows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming_job, "check_paths", lambda source, topics: None)


def test_step_names_stay_what_they_are(tmp_path: Path) -> None:
    everything = [
        "--output",
        str(tmp_path),
        "--output_table",
        "shop-reviews:live.scores",
        "--deduplicate",
        "10m",
    ]

    names = step_names(prepared(*everything, "--watch_model", f"{tmp_path}/*"))

    golden = Path(__file__).with_name("streaming_steps.txt").read_text("utf-8").splitlines()
    assert sorted(names) == golden


def test_what_is_not_asked_for_makes_no_step() -> None:
    names = step_names(prepared())

    unasked = ("WriteFiles", "WriteTable", "Deduplicate")
    assert not [name for name in names if any(step in name for step in unasked)]
    assert "WriteScores/Publish" in names


def test_dataflow_leaves_out_redelivered_messages_by_the_id_attribute() -> None:
    arguments = ["--id_attribute", "id", "--deduplicate", "10m"]

    assert prepared(*arguments).source.id_label == "id"
    assert prepared(*arguments, runner=LOCAL).source.id_label == ""
    assert prepared(*arguments[:2]).source.id_label == ""


def test_the_local_runner_lets_no_review_wait_for_a_timer() -> None:
    assert prepared(runner=LOCAL).model.max_batch_wait_seconds == 0
    assert prepared("--max_batch_wait_ms", "20").model.max_batch_wait_seconds == 0.02


@pytest.mark.parametrize(
    ("arguments", "runner", "words"),
    [
        (["--ordering_key", "shop"], LOCAL, "'shop' is no column of a score"),
        (["--ordering_key", "review_id"], DATAFLOW, "can't publish with ordering keys"),
        (["--keep_fields", "stars"], LOCAL, "messages don't tell the type"),
        (
            ["--output_table", "shop-reviews:live.scores", "--keep_fields", "a b:string"],
            LOCAL,
            "BigQuery has no",
        ),
    ],
)
def test_what_cannot_be_done_is_an_error(
    arguments: list[str], runner: RunnerTraits, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        prepared(*arguments, runner=runner)


def test_only_files_make_a_review_too_late(tmp_path: Path) -> None:
    year_seconds = 366 * 86_400

    assert prepared().outputs.windowing.allowed_lateness_seconds > 9_000 * year_seconds
    assert prepared("--output", str(tmp_path)).outputs.windowing.allowed_lateness_seconds == 86_400


def test_a_prefix_that_holds_a_run_over_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")

    with pytest.raises(UserError, match="holds a run over files"):
        prepared("--output", str(tmp_path))
