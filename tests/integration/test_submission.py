"""Jobs submitted to Dataflow by the command line: what it is sent, and what a worker makes of it.

A real worker is no part of this: `tests/staged_worker.py` runs what was staged with the package
that was staged, on Beam's local runner.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2 as proto
from google.cloud.storage import Bucket

from beam_jobs.score_reviews import main
from tests.dataflow_service import (
    CANCELLED,
    DONE,
    DRAINED,
    FAILED,
    RUNNING,
    dataflow_service,
)
from tests.gcs.server import PROJECT
from tests.integration.conftest import NewChannel
from tests.integration.launches import (
    IMAGE,
    REVIEWS,
    ROOT,
    SECRET,
    Launch,
    hints_by_step,
    images,
    step_names,
    worker,
)
from tests.integration.streaming import COMMAND

pytestmark = pytest.mark.slow

KEY = f"projects/{PROJECT}/locations/europe-west4/keyRings/ring/cryptoKeys/key"


@pytest.fixture
def launch(gcs_bucket: Bucket, gcs_credentials: Path) -> Iterator[Launch]:
    gcs_bucket.blob("reviews/a.jsonl").upload_from_string(REVIEWS)
    with dataflow_service() as service:
        yield Launch(service, gcs_bucket, gcs_credentials)


@pytest.fixture
def finished(launch: Launch) -> Launch:
    """A launch whose jobs leave a manifest behind."""
    manifest = {
        "status": "complete",
        "counts": {"read": 2, "scored": 2, "rejected": 0},
    }

    def work(job: dict[str, Any]) -> None:
        launch.bucket.blob("out/manifest.json").upload_from_string(json.dumps(manifest))

    launch.service.work = work
    return launch


def test_a_gpu_for_inference_is_asked_for_by_inference_alone(finished: Launch) -> None:
    more = ["--accelerator=l4", f"--sdk_container_image={IMAGE}", "--machine_type=e2-standard-2"]

    assert main(finished.files(*more)) == 0

    pipeline = finished.pipeline()
    hinted = hints_by_step(pipeline)
    inference = {name for name in step_names(pipeline) if "/RunInference/" in name}
    assert set(hinted) == {name for name in inference if "BeamML_RunInference" in name} != set()
    for hints in hinted.values():
        assert hints == {
            common_urns.resource_hints.ACCELERATOR.urn: "type:nvidia-l4;count:1;"
            "machine_type:g2-standard-4;install-nvidia-driver:5xx",
            common_urns.resource_hints.MIN_RAM_BYTES.urn: "16000000000",
        }
    assert set(images(pipeline)) == {IMAGE}
    pool = finished.pool()
    assert pool["machineType"] == "e2-standard-2"
    assert (pool["numThreadsPerWorker"], pool["diskSizeGb"]) == (4, 50)
    environment = finished.job()["environment"]
    assert not [option for option in environment.get("serviceOptions", ()) if "accel" in option]
    assert "no_use_multiple_sdk_containers" in environment["experiments"]
    assert "use_multiple_sdk_containers" not in environment["experiments"]


def test_a_gpu_for_the_job_is_asked_for_by_no_step(finished: Launch) -> None:
    more = ["--accelerator=t4", "--accelerator_scope=job", f"--sdk_container_image={IMAGE}"]

    assert main(finished.files(*more)) == 0

    assert hints_by_step(finished.pipeline()) == {}
    assert finished.pool()["machineType"] == "n1-standard-4"
    options = finished.job()["environment"]["sdkPipelineOptions"]["options"]
    wanted = "worker_accelerator=type:nvidia-tesla-t4;count:1;install-nvidia-driver:5xx"
    assert options["dataflow_service_options"] == [wanted]


def test_settings_of_the_cloud_pass_through(finished: Launch) -> None:
    account = f"scorer@{PROJECT}.iam.gserviceaccount.com"
    more = [
        f"--sdk_container_image={IMAGE}",
        "--job_name=nightly",
        "--labels=team=reviews",
        "--labels=cost=low",
        f"--dataflow_kms_key={KEY}",
        f"--service_account_email={account}",
        "--no_use_public_ips",
        "--network=net",
        "--subnetwork=regions/europe-west4/subnetworks/workers",
        "--max_num_workers=7",
    ]

    assert main(finished.files(*more)) == 0

    job, pool = finished.job(), finished.pool()
    assert (job["project"], job["region"], job["name"]) == (PROJECT, "europe-west4", "nightly")
    assert job["type"] in (1, "JOB_TYPE_BATCH")
    assert job["labels"] == {"team": "reviews", "cost": "low"}
    assert job["environment"]["serviceKmsKeyName"] == KEY
    assert job["environment"]["serviceAccountEmail"] == account
    assert pool["ipConfiguration"] in (2, "WORKER_IP_PRIVATE")
    assert (pool["network"], pool["subnetwork"]) == (
        "net",
        "regions/europe-west4/subnetworks/workers",
    )
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 7
    assert "numThreadsPerWorker" not in pool


def test_neither_reviews_nor_secrets_leave_the_launcher(finished: Launch) -> None:
    assert main(finished.files(f"--sdk_container_image={IMAGE}", "--accelerator=l4")) == 0

    key = json.loads(finished.credentials.read_text())["private_key"]
    sent = [json.dumps(finished.job()).encode(), *finished.staged().values()]
    assert [name.rpartition("/")[2] for name in finished.staged()] == ["pipeline.pb"]
    for secret in (SECRET, key.splitlines()[1], str(finished.credentials), str(ROOT)):
        assert not any(secret.encode() in content for content in sent), secret


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the package is built from, since building writes into it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("beam_jobs", "model", "schemas"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_the_staged_package_runs_the_staged_pipeline(
    launch: Launch, checkout: Path, tmp_path: Path
) -> None:
    said = []
    launch.service.work = lambda job: said.append(worker(launch, tmp_path))
    command = [*COMMAND, *launch.files("--setup_file=setup.py")]

    assert subprocess.run(command, cwd=checkout).returncode == 0

    assert said
    assert said[0].endswith("ran\n")
    manifest = json.loads(launch.bucket.blob("out/manifest.json").download_as_bytes())
    assert manifest["counts"] == {"read": 2, "scored": 2, "rejected": 0}
    rows = [
        json.loads(line)
        for blob in launch.bucket.list_blobs(prefix="out/scores/")
        for line in blob.download_as_text().splitlines()
    ]
    labels = {row["review_id"]: row["label"] for row in rows}
    assert labels == {"a": "positive", "b": "negative"}


def test_messages_are_read_by_dataflow_itself(
    launch: Launch, new_channel: NewChannel, checkout: Path, tmp_path: Path
) -> None:
    channel, scores = new_channel(), new_channel()
    more = [
        f"--input_subscription={channel.subscription}",
        f"--output_topic={scores.topic}",
        f"--rejected_topic={scores.topic}",
        "--id_attribute=review",
        "--deduplicate=10m",
        "--accelerator=l4",
        f"--sdk_container_image={IMAGE}",
        f"--setup_file={checkout / 'setup.py'}",
    ]

    launch.service.states = (RUNNING, DRAINED)

    assert main(launch.arguments(*more)) == 0

    job, pipeline = launch.job(), launch.pipeline()
    assert job["type"] in (2, "JOB_TYPE_STREAMING")
    (read,) = (
        proto.PubSubReadPayload.FromString(transform.spec.payload)
        for transform in pipeline.components.transforms.values()
        if transform.spec.urn == common_urns.composites.PUBSUB_READ.urn
    )
    assert (read.subscription, read.topic) == (channel.subscription, "")
    assert (read.id_attribute, read.with_attributes) == ("review", True)
    assert {"BeamML_RunInference" in name for name in hints_by_step(pipeline)} == {True}
    assert set(images(pipeline)) == {IMAGE}
    assert int(worker(launch, tmp_path).split()[0]) > 10


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


def test_a_template_is_written_and_nothing_submitted(launch: Launch) -> None:
    template = launch.url("temp/template.json")
    more = [f"--template_location={template}", f"--sdk_container_image={IMAGE}"]

    assert main(launch.files(*more)) == 0

    assert launch.service.jobs == []
    job = json.loads(launch.staged()["temp/template.json"])
    assert job["environment"]["workerPools"][0]["workerHarnessContainerImage"] == IMAGE


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
