"""2,000 messages of every kind through the command line and the Pub/Sub emulator."""

import collections
import datetime
import itertools
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from beam_jobs.score_reviews import main
from model.data import packaged
from tests.integration.conftest import NewChannel
from tests.integration.message_mix import (
    DUPLICATE,
    HUGE,
    OPTIONS,
    SCORED,
    WINDOW,
    Publication,
    mixed,
    publish,
)
from tests.integration.streaming import Message, inbox, running

pytestmark = pytest.mark.slow

PUBLISHED, LATE, TOO_LATE, POISON, DUPLICATES = 2_000, 100, 5, 100, 100
PER_SECOND = 100.0
FILE = re.compile(
    r"dt=(?P<date>[\d-]{10})/hour=(?P<hour>\d\d)/(?P<start>\d{8}T\d{6}Z)"
    r"-(?P<run>[0-9a-f]{8})-(?P<pane>\d+)-00000-of-00001\.jsonl"
)


SAME = ("token_count", "truncated", "model")


class Outcome(NamedTuple):
    """What became of all messages.

    Attributes:
        messages: all that were published, by message id.
        scores: what arrived on the output topic.
        rejections: what arrived on the rejected topic.
        folder: the output prefix.
        sizes: of files when they were first seen, in bytes.
        exit_code: of the job, that was asked to stop in the end.
        said: by the job, on stderr.
    """

    messages: dict[str, Publication]
    scores: list[Message]
    rejections: list[Message]
    folder: Path
    sizes: dict[Path, int]
    exit_code: int
    said: str


@pytest.fixture(scope="module")
def outcome(new_channel: NewChannel, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("streaming")
    reviews, scores, rejected = (new_channel() for _ in range(3))
    arguments = ["--input_subscription", reviews.subscription, *OPTIONS]
    arguments += ["--output_topic", scores.topic, "--rejected_topic", rejected.topic]
    arguments += ["--output", str(folder / "out")]
    with running(arguments, folder) as job, inbox(scores) as good, inbox(rejected) as bad:
        job.wait_until(lambda: "scoring the messages of" in job.said(), 30)
        messages = publish(reviews.topic, message_mix(), PER_SECOND)
        sizes: dict[Path, int] = {}
        job.wait_until(lambda: len(good) + len(bad) >= PUBLISHED - DUPLICATES, 60)
        job.wait_until(lambda: rows_seen(folder, sizes) >= PUBLISHED - DUPLICATES, 20)
        exit_code = job.stop()
        return Outcome(messages, good, bad, folder / "out", sizes, exit_code, job.said())


def message_mix() -> list[Publication]:
    number = PUBLISHED - TOO_LATE - POISON - DUPLICATES
    every = itertools.islice(packaged("imdb"), 0, None, 13)
    texts = [review.text for review in itertools.islice(every, number)]
    assert len(texts) == number
    return mixed(texts, LATE, TOO_LATE, POISON, DUPLICATES, PER_SECOND)


def rows_seen(folder: Path, sizes: dict[Path, int]) -> int:
    """Number of rows in all files that can be seen, whose sizes are noted."""
    files = {path: path.read_bytes() for path in folder.glob("out/*/*/*/*.jsonl")}
    for path, data in files.items():
        sizes.setdefault(path, len(data))
    return sum(data.count(b"\n") for data in files.values())


def expected(outcome: Outcome, kind: str) -> list[Publication]:
    return [message for message in outcome.messages.values() if message.outcome == kind]


def time_of(row: dict[str, Any]) -> datetime.datetime:
    # Python 3.10 knows no Z.
    return datetime.datetime.fromisoformat(row["event_time"].replace("Z", "+00:00"))


def file_rows(folder: Path) -> Iterator[tuple[re.Match[str], bytes]]:
    """All lines of all files, each with what the name of its file says."""
    for path in folder.rglob("*"):
        if path.is_file():
            match = FILE.fullmatch(str(path.relative_to(folder)))
            assert match is not None, path
            yield from ((match, line) for line in path.read_bytes().splitlines())


def test_every_message_is_scored_or_rejected_or_a_duplicate(outcome: Outcome) -> None:
    scored = collections.Counter(message.row()["review_id"] for message in outcome.scores)

    assert set(scored) == {one.attributes["id"] for one in expected(outcome, SCORED)}
    assert set(scored.values()) == {1}
    assert len(outcome.messages) == PUBLISHED
    assert len(outcome.scores) + len(outcome.rejections) + DUPLICATES == PUBLISHED


def test_rejections_say_which_message_and_why(outcome: Outcome) -> None:
    reasons = {message.row()["position"]: message.row()["reason"] for message in outcome.rejections}

    assert reasons == {
        message_id: message.outcome
        for message_id, message in outcome.messages.items()
        if message.outcome not in (SCORED, DUPLICATE)
    }
    for message in outcome.rejections:
        row = message.row()
        assert message.attributes == {"stage": "parse", "reason": row["reason"]}
        published = outcome.messages[row["position"]]
        if row["reason"] != "too_late":
            assert row["payload_bytes"] == len(published.data)
        assert len(row["payload"]) < len(HUGE) / 100


def test_scores_carry_what_their_messages_say(outcome: Outcome) -> None:
    published = {one.attributes["id"]: one for one in expected(outcome, SCORED)}
    for message in outcome.scores:
        row = message.row()
        one = published[row["review_id"]]
        assert time_of(row) == one.written
        assert row["stars"] == int(one.attributes["stars"])
        assert message.attributes == {name: row[name] for name in ("review_id", "label", "model")}


@pytest.mark.parametrize("kind", ["scores", "rejected"])
def test_files_hold_what_the_topics_got(outcome: Outcome, kind: str) -> None:
    arrived = outcome.scores if kind == "scores" else outcome.rejections

    lines = [line for _, line in file_rows(outcome.folder / kind)]

    assert sorted(lines) == sorted(message.data for message in arrived)


def test_rows_lie_in_the_files_of_their_windows(outcome: Outcome) -> None:
    windows, runs = set(), set()
    for match, line in file_rows(outcome.folder / "scores"):
        start = datetime.datetime.strptime(f"{match['start']}+0000", "%Y%m%dT%H%M%SZ%z")
        assert start <= time_of(json.loads(line)) < start + WINDOW
        assert (match["date"], match["hour"]) == (f"{start:%Y-%m-%d}", f"{start:%H}")
        windows.add(start.timestamp())
        runs.add(match["run"])
    length = WINDOW.total_seconds()
    published = expected(outcome, SCORED)
    assert windows == {one.written.timestamp() // length * length for one in published}
    assert len(runs) == 1


def test_files_were_whole_when_they_appeared(outcome: Outcome) -> None:
    files = {path: path.stat().st_size for path in outcome.folder.rglob("*") if path.is_file()}

    assert files == outcome.sizes


def test_scores_equal_those_of_a_batch_run(outcome: Outcome, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    sample = expected(outcome, SCORED)[::4]
    lines = [json.dumps({"id": one.attributes["id"], "text": one.text}) for one in sample]
    dump.write_text("\n".join(lines), "utf-8")
    arguments = ["--input", str(dump), "--id_field", "id", "--output", str(tmp_path / "out")]

    assert main([*arguments, "--quiet"]) == 0

    files = (tmp_path / "out" / "scores").iterdir()
    batch = [json.loads(line) for path in files for line in path.read_bytes().splitlines()]
    rows = {message.attributes["review_id"]: message.row() for message in outcome.scores}
    assert len(batch) == len(sample)
    for other in batch:
        row = rows[other["review_id"]]
        assert row["positive_probability"] == pytest.approx(other["positive_probability"], abs=1e-6)
        assert [row[name] for name in SAME] == [other[name] for name in SAME]


def test_the_job_ends_at_once_when_it_is_told_to(outcome: Outcome) -> None:
    assert outcome.exit_code == 128 + signal.SIGTERM
    assert outcome.said.splitlines()[-1].startswith("score-reviews: stopped")
    assert "Traceback" not in outcome.said
