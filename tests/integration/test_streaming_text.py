"""Plain text from a topic, to messages with ordering keys and to Parquet files."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from google.cloud import pubsub_v1

from beam_jobs.pubsub_emulator import receiving
from tests.integration.conftest import NewChannel
from tests.integration.streaming import inbox, running

REVIEWS, SHOPS = 12, ("north", "south")


@pytest.mark.slow
def test_text_with_attributes_becomes_ordered_messages_and_parquet(
    new_channel: NewChannel, tmp_path: Path
) -> None:
    reviews, scores, rejected = (new_channel() for _ in range(3))
    arguments = ["--input_topic", reviews.topic, "--payload", "text", "--id_attribute", "n"]
    arguments += ["--keep_attributes", "shop", "rating=stars:int64"]
    arguments += ["--output_topic", scores.topic, "--ordering_key", "shop"]
    arguments += ["--rejected_topic", rejected.topic, "--output", str(tmp_path / "out")]
    arguments += ["--output_format", "parquet", "--window", "3s", "--files_per_window", "2"]
    keys: list[str] = []

    with (
        running(arguments, tmp_path) as job,
        receiving(scores, lambda message: keys.append(message.ordering_key)),
        inbox(rejected) as refused,
    ):
        publisher = pubsub_v1.PublisherClient()

        def publish_probe() -> bool:
            # A topic is read from when the job has made its subscription.
            publisher.publish(reviews.topic, b"no id").result()
            return bool(refused)

        job.wait_until(lambda: "scoring the messages of" in job.said(), 30)
        job.wait_until(publish_probe, 30)
        for i in range(REVIEWS):
            attributes = {"n": str(i), "shop": SHOPS[i % 2], "stars": "4"}
            publisher.publish(reviews.topic, f"Nice evening {i}".encode(), **attributes)
        job.wait_until(lambda: len(keys) == REVIEWS, 30)
        job.wait_until(lambda: sum(map(len, tables(tmp_path / "out"))) == REVIEWS, 30)
        job.stop()

    assert sorted(keys) == sorted(SHOPS * (REVIEWS // 2))
    assert {message.attributes["reason"] for message in refused} == {"bad_id"}
    rows = [row for table in tables(tmp_path / "out") for row in table]
    assert {row["review_id"]: row["shop"] for row in rows} == {
        str(i): SHOPS[i % 2] for i in range(REVIEWS)
    }
    assert {row["rating"] for row in rows} == {4}
    assert all(row["event_time"].tzinfo is not None for row in rows)


def tables(folder: Path) -> list[list[dict[str, Any]]]:
    """The rows of each file of scores that can be seen."""
    return [pq.read_table(path).to_pylist() for path in folder.glob("scores/*/*/*.parquet")]
