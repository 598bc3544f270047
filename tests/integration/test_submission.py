"""Jobs submitted to Dataflow by the command line: what it is sent, and what a worker makes of it.

A real worker is no part of this: `tests/staged_worker.py` runs what was staged with the package
that was staged, on Beam's local runner. Of a streaming job it runs each step but those that read
from Pub/Sub and write to it, which are Dataflow's own.
"""

import json
import subprocess
from pathlib import Path

import pytest
from apache_beam.portability import common_urns

from beam_jobs.score_reviews import main
from tests.gcs.server import PROJECT
from tests.integration.launches import (
    IMAGE,
    Launch,
    check_no_secret,
    hints_by_step,
    images,
    step_names,
    steps_until_shuffle,
    worker,
)
from tests.integration.streaming import COMMAND

pytestmark = pytest.mark.slow

KEY = f"projects/{PROJECT}/locations/europe-west4/keyRings/ring/cryptoKeys/key"


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


@pytest.mark.parametrize("scope", ["inference", "job"])
def test_service_options_of_the_user_stay(finished: Launch, scope: str) -> None:
    more = ["--accelerator=l4", f"--accelerator_scope={scope}", f"--sdk_container_image={IMAGE}"]
    theirs = ["enable_google_cloud_profiler", "max_workflow_runtime_walltime_seconds=9000"]
    ours = "worker_accelerator=type:nvidia-l4;count:1;install-nvidia-driver:5xx"
    given = [f"--dataflow_service_options={option}" for option in theirs]

    assert main(finished.files(*more, *given)) == 0

    expected = {*theirs, ours} if scope == "job" else {*theirs}
    environment = finished.job()["environment"]
    options = environment["sdkPipelineOptions"]["options"]
    assert sorted(options["dataflow_service_options"]) == sorted(expected)
    assert sorted(environment["serviceOptions"]) == sorted(expected)


@pytest.mark.parametrize(
    ("accelerator", "is_apart"),
    [
        ([], False),
        (["--accelerator=l4", "--accelerator_scope=job"], False),
        (["--accelerator=l4"], True),
    ],
)
def test_only_inference_runs_where_the_gpus_are(
    finished: Launch, accelerator: list[str], is_apart: bool
) -> None:
    assert main(finished.files(*accelerator, f"--sdk_container_image={IMAGE}")) == 0

    pipeline = finished.pipeline()
    before, groups_before = steps_until_shuffle(pipeline, "BeamML_RunInference", upstream=True)
    after, groups_after = steps_until_shuffle(pipeline, "BeamML_RunInference", upstream=False)
    assert any("/TokenizeReviews/" in name for name in before) != is_apart
    assert any("/WriteLines/" in name for name in after) != is_apart
    assert any("ToAccelerator" in name for name in step_names(pipeline)) == is_apart
    if is_apart:
        assert len(groups_before) == len(groups_after) == 1
        assert "ScoreReviews/ToAccelerator/" in groups_before.pop()
        assert "ScoreReviews/FromAccelerator/" in groups_after.pop()


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

    assert [name.rpartition("/")[2] for name in finished.staged()] == ["pipeline.pb"]
    check_no_secret(finished)


def test_no_secrets_are_packed(finished: Launch, checkout: Path) -> None:
    command = [*COMMAND, *finished.files("--setup_file=setup.py")]

    assert subprocess.run(command, cwd=checkout).returncode == 0

    check_no_secret(finished)
    assert any(name.endswith("/schemas/review.py") for name in finished.sent())


def test_the_staged_package_runs_the_staged_pipeline(
    launch: Launch, checkout: Path, tmp_path: Path
) -> None:
    launch.service.work = lambda job: worker(launch, tmp_path)
    command = [*COMMAND, *launch.files("--setup_file=setup.py")]

    assert subprocess.run(command, cwd=checkout).returncode == 0

    manifest = json.loads(launch.bucket.blob("out/manifest.json").download_as_bytes())
    assert manifest["counts"] == {"read": 2, "scored": 2, "rejected": 0}
    rows = [
        json.loads(line)
        for blob in launch.bucket.list_blobs(prefix="out/scores/")
        for line in blob.download_as_text().splitlines()
    ]
    labels = {row["review_id"]: row["label"] for row in rows}
    assert labels == {"a": "positive", "b": "negative"}
