"""Streaming jobs submitted to Dataflow by the command line; see `test_submission`.

Every staged step is run but those that read from Pub/Sub and write to it, which are Dataflow's own.
"""

import datetime
import json
import re
from pathlib import Path

import pytest
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2 as proto
from google.cloud.pubsub_v1 import PublisherClient

from beam_jobs.score_reviews import main
from tests.dataflow_service import (
    DRAINED,
    RUNNING,
)
from tests.integration.conftest import NewChannel
from tests.integration.launches import (
    IMAGE,
    SECRET,
    Launch,
    check_no_secret,
    hints_by_step,
    images,
    worker,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def streamed(launch: Launch, new_channel: NewChannel, checkout: Path) -> Launch:
    """A streaming job that was submitted, with all that may be asked for; it was drained."""
    channel, scores = new_channel(), new_channel()
    PublisherClient().publish(channel.topic, SECRET.encode(), review="a").result()
    more = [
        f"--input_subscription={channel.subscription}",
        f"--output_topic={scores.topic}",
        f"--rejected_topic={scores.topic}",
        f"--output={launch.url('live')}",
        "--id_attribute=review",
        "--timestamp_attribute=written",
        "--keep_attributes=shop",
        "--deduplicate=10m",
        "--accelerator=l4",
        "--machine_type=e2-standard-2",
        "--labels=team=reviews",
        "--dataflow_service_options=enable_google_cloud_profiler",
        "--experiments=their_own",
        f"--sdk_container_image={IMAGE}",
        f"--setup_file={checkout / 'setup.py'}",
    ]
    launch.service.states = (RUNNING, DRAINED)
    assert main(launch.arguments(*more)) == 0
    return launch


def test_messages_are_read_by_dataflow_itself(streamed: Launch) -> None:
    (read,) = (
        proto.PubSubReadPayload.FromString(transform.spec.payload)
        for transform in streamed.pipeline().components.transforms.values()
        if transform.spec.urn == common_urns.composites.PUBSUB_READ.urn
    )
    assert re.fullmatch(r"projects/[^/]+/subscriptions/test-\w+", read.subscription)
    assert read.topic == ""
    assert (read.id_attribute, read.with_attributes) == ("review", True)
    assert read.timestamp_attribute == ""  # the watermark follows what Pub/Sub has delivered


def test_a_streaming_job_is_asked_for_in_full(streamed: Launch) -> None:
    job, pipeline = streamed.job(), streamed.pipeline()
    environment, pool = job["environment"], streamed.pool()
    assert job["type"] in (2, "JOB_TYPE_STREAMING")
    assert job["labels"] == {"team": "reviews"}
    assert environment["serviceOptions"] == ["enable_google_cloud_profiler"]
    assert {"their_own", "no_use_multiple_sdk_containers"} <= {*environment["experiments"]}
    assert pool["machineType"] == "e2-standard-2"
    assert {one["containerImage"] for one in pool["sdkHarnessContainerImages"]} == {IMAGE}
    assert set(images(pipeline)) == {IMAGE}
    assert {"BeamML_RunInference" in name for name in hints_by_step(pipeline)} == {True}


def test_no_secrets_leave_the_launcher_of_a_streaming_job(streamed: Launch) -> None:
    check_no_secret(streamed)


def test_the_staged_package_runs_the_staged_streaming_pipeline(
    streamed: Launch, tmp_path: Path
) -> None:
    texts = {"a": "Wonderful, a wonderful film.", "b": "Awful. Dull and badly acted."}
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    attributes = {"shop": "north", "written": now}
    messages = [
        {"data": json.dumps({"text": texts[name]}), "attributes": {"review": name, **attributes}}
        for name in ("a", "b", "a")
    ]

    published = worker(streamed, tmp_path, [*messages, {"data": "{", "attributes": attributes}])

    labels = {row["review_id"]: row["label"] for row in published if "label" in row}
    assert labels == {"a": "positive", "b": "negative"}
    assert len(published) == 3
    (rejected,) = (row for row in published if "label" not in row)
    assert rejected["payload"] == "{"
    files = streamed.bucket.list_blobs(prefix="live/scores/")
    written = [json.loads(line) for file in files for line in file.download_as_text().splitlines()]
    assert {row["review_id"]: row["label"] for row in written} == labels
    assert [row["shop"] for row in written] == ["north", "north"]
