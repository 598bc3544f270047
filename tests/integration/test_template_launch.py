"""A launch of each template up to the job that the launcher hands to Dataflow."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from beam_jobs.dataflow.launch_checks import FLEX_LAUNCHER
from beam_jobs.dataflow.template_launcher import main
from tests.dataflow_service import dataflow_service
from tests.integration.conftest import NewChannel
from tests.integration.launches import IMAGE, REVIEWS, Launch, images, step_names

pytestmark = pytest.mark.slow


@pytest.fixture
def launch(
    gcs_bucket: Bucket, gcs_credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Launch]:
    gcs_bucket.blob("reviews/a.jsonl").upload_from_string(REVIEWS)
    monkeypatch.setenv("SDK_CONTAINER_IMAGE", IMAGE)
    monkeypatch.setenv(FLEX_LAUNCHER, "main.py")
    with dataflow_service() as service:
        yield Launch(service, gcs_bucket, gcs_credentials)


def test_a_batch_template_makes_a_job_and_submits_nothing(launch: Launch, tmp_path: Path) -> None:
    reviews = launch.url("reviews/*")
    parameters = [f"--input={reviews},{reviews}", f"--output={launch.url('out')}"]
    parameters += ["--id_field=id", "--overwrite=true", "--max_batch_tokens="]

    code = main(launch.arguments(*parameters, f"--template_location={tmp_path / 'job'}"))

    job = json.loads((tmp_path / "job").read_text("utf-8"))
    assert code == 0
    assert launch.service.jobs == []
    assert "JOB_TYPE_BATCH" in json.dumps(job)
    assert "WriteManifest" in {name.partition("/")[0] for name in step_names(launch.pipeline())}
    assert images(launch.pipeline())
    assert set(images(launch.pipeline())) == {IMAGE}


def test_a_streaming_template_makes_a_streaming_job(
    launch: Launch, new_channel: NewChannel, tmp_path: Path
) -> None:
    parameters = [f"--input_subscription={new_channel().subscription}"]
    parameters += [f"--output={launch.url('live')}", "--window=7m", "--deduplicate=10m"]

    code = main(launch.arguments(*parameters, f"--template_location={tmp_path / 'job'}"))

    job = json.loads((tmp_path / "job").read_text("utf-8"))
    assert code == 0
    assert launch.service.jobs == []
    assert "JOB_TYPE_STREAMING" in json.dumps(job)
