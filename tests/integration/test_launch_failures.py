"""Launches on Dataflow that are refused, or that fail, and what is told of them."""

import pytest

from beam_jobs.score_reviews import main
from tests.dataflow_service import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
)
from tests.gcs.faults import object_user
from tests.gcs.server import CloudStorage
from tests.integration.launches import (
    IMAGE,
    ROOT,
    Launch,
)

pytestmark = pytest.mark.slow


def test_a_refused_launch_leaves_everything_alone(
    launch: Launch, capsys: pytest.CaptureFixture[str]
) -> None:
    launch.bucket.blob("out/manifest.json").upload_from_string("{}")
    package = f"--extra_package={ROOT / 'setup.py'}"

    assert main(launch.files("--overwrite", "--accelerator=l4", package)) == 2

    assert "--accelerator needs --sdk_container_image" in capsys.readouterr().err
    names = {blob.name for blob in launch.bucket.list_blobs()}
    assert names == {"out/manifest.json", "reviews/a.jsonl"}
    assert launch.service.jobs == []


@pytest.mark.parametrize(("active", "code"), [("nightly", 2), ("weekly", 0)])
def test_the_output_of_a_job_at_work_is_left_alone(
    finished: Launch, capsys: pytest.CaptureFixture[str], active: str, code: int
) -> None:
    earlier = {"out/manifest.json", "out/scores/part-00000-of-00001.jsonl"}
    for name in earlier:
        finished.bucket.blob(name).upload_from_string("{}")
    before = {blob.name for blob in finished.bucket.list_blobs()}
    finished.service.active = ("hourly", active)

    more = ["--overwrite", "--job_name=nightly", f"--sdk_container_image={IMAGE}"]
    assert main(finished.files(*more)) == code

    after = {blob.name for blob in finished.bucket.list_blobs()}
    lines = capsys.readouterr().err.splitlines()
    if code == 0:
        assert (len(finished.service.jobs), lines) == (1, [])
        assert "out/scores/part-00000-of-00001.jsonl" not in after
    else:
        assert (finished.service.jobs, after) == ([], before)
        (line,) = lines
        assert line.startswith("score-reviews: error: ")
        assert "nightly" in line


def test_a_bucket_that_may_not_be_looked_at_is_told_in_a_line(
    gcs: CloudStorage, launch: Launch, capsys: pytest.CaptureFixture[str]
) -> None:
    gcs.proxy.faults.append(object_user(launch.bucket.name))

    assert main(launch.files(f"--sdk_container_image={IMAGE}")) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("score-reviews: error: ")
    assert f"--temp_location {launch.url('temp')}" in line
    assert "roles/storage.legacyBucketReader" in line
    assert launch.service.jobs == []


def test_a_classic_template_is_refused(launch: Launch, capsys: pytest.CaptureFixture[str]) -> None:
    template = launch.url("temp/template.json")
    more = [f"--template_location={template}", f"--sdk_container_image={IMAGE}"]

    assert main(launch.files(*more)) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("score-reviews: error: --template_location: ")
    assert launch.staged() == {}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, "user@x lacks dataflow.jobs.create"),
        (409, "an active workflow with the same name exists"),
    ],
)
def test_a_job_that_dataflow_refuses_is_a_line(
    launch: Launch, capsys: pytest.CaptureFixture[str], status: int, message: str
) -> None:
    launch.service.refusal = (status, message)

    assert main(launch.files(f"--sdk_container_image={IMAGE}")) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"score-reviews: error: the job can't be submitted: {status}")
    assert message in line


def test_a_job_without_a_manifest_has_failed(
    launch: Launch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(launch.files(f"--sdk_container_image={IMAGE}")) == 1

    said = capsys.readouterr().err
    assert launch.url("out/manifest.json") in said
    assert "Traceback" not in said


def test_the_launcher_waits_for_the_job(finished: Launch) -> None:
    finished.service.states = (RUNNING, RUNNING, DONE)

    assert main(finished.files(f"--sdk_container_image={IMAGE}")) == 0

    assert finished.service.looks >= 3


@pytest.mark.parametrize(
    ("state", "errors", "words"),
    [
        (FAILED, ["Workflow failed. Causes: quota NVIDIA_L4_GPUS exceeded"], "NVIDIA_L4_GPUS"),
        (FAILED, ["Traceback (most recent call last):\n  File x\nOSError: disk full"], "disk full"),
        (CANCELLED, [], "CANCELLED"),
    ],
)
def test_the_failure_of_a_job_is_told_in_a_line(
    launch: Launch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    errors: list[str],
    words: str,
) -> None:
    launch.service.states = (RUNNING, state)
    launch.service.errors = errors

    assert main(launch.files(f"--sdk_container_image={IMAGE}")) == 1

    said = capsys.readouterr().err
    assert 'File "' not in said
    last = said.splitlines()[-1]
    assert last.startswith("score-reviews: error: the job failed: ")
    assert words in last
