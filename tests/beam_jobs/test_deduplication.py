from collections.abc import Iterator
from typing import NamedTuple
from unittest import mock

import apache_beam as beam
import pytest
from apache_beam.testing import test_stream
from apache_beam.transforms.userstate import BagRuntimeState
from apache_beam.utils.timestamp import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beam_jobs import metrics
from beam_jobs.deduplication import Deduplicate, _DropDuplicates
from tests.beam_jobs.running import local_pipeline
from tests.beam_jobs.streams import streaming_pipeline

BUCKETS = 16
REMEMBER_SECONDS = 60


class Message(NamedTuple):
    """An element of the streams: two of them are the same where their ids are."""

    id: str
    delivery: int


LET_THROUGH: list[Message] = []


@pytest.fixture
def let_through() -> Iterator[list[Message]]:
    """The messages that were let through, in the order in which that happened."""
    LET_THROUGH.clear()
    yield LET_THROUGH
    LET_THROUGH.clear()


def id_of(message: Message) -> str:
    return message.id


def arrive(message: Message) -> None:
    LET_THROUGH.append(message)


def run(stream: test_stream.TestStream) -> int:
    """Runs a stream, and gives the number of duplicates that were counted."""
    # This runner forgets what Beam's counters count after the first bundle of a step.
    before = metrics.DUPLICATES.tally
    with streaming_pipeline() as pipeline:
        pipeline | stream | Deduplicate(id_of, REMEMBER_SECONDS, BUCKETS) | beam.Map(arrive)
    return metrics.DUPLICATES.tally - before


def test_only_the_first_of_a_bundle_is_let_through(let_through: list[Message]) -> None:
    bundle = [Message("a", 0), Message("b", 1), Message("a", 2), Message("a", 3)]
    counted = run(test_stream.TestStream().add_elements(bundle))

    assert let_through == [("a", 0), ("b", 1)]
    assert counted == 2


def test_ids_are_remembered_for_their_time_and_no_longer(let_through: list[Message]) -> None:
    counted = run(
        test_stream.TestStream()
        .add_elements([Message("a", 0)])
        .advance_processing_time(59)
        .add_elements([Message("a", 1)])
        .advance_processing_time(1)
        .add_elements([Message("a", 2), Message("a", 3)])
        .advance_processing_time(59)
        .add_elements([Message("a", 4)])
        .advance_processing_time(1)
        .add_elements([Message("a", 5)])
    )

    assert let_through == [("a", 0), ("a", 2), ("a", 5)]
    assert counted == 3


def test_the_watermark_makes_nothing_forgotten_too_early(let_through: list[Message]) -> None:
    counted = run(
        test_stream.TestStream()
        .add_elements([Message("a", 0)])
        .advance_watermark_to(1_000)
        .add_elements([Message("a", 1)])
        .advance_processing_time(60)
        .add_elements([Message("a", 2)])
    )

    assert let_through == [("a", 0), ("a", 2)]
    assert counted == 1


def test_ids_that_share_a_state_are_told_apart(let_through: list[Message]) -> None:
    messages = [Message(str(i), 0) for i in range(3 * BUCKETS)]
    counted = run(test_stream.TestStream().add_elements(messages).add_elements(messages))

    assert sorted(let_through) == sorted(messages)
    assert counted == len(messages)


def test_the_local_batch_runner_agrees(let_through: list[Message]) -> None:
    with local_pipeline() as pipeline:
        messages = pipeline | beam.Create([Message("abc"[i % 3], i) for i in range(30)])
        messages | Deduplicate(id_of, REMEMBER_SECONDS, BUCKETS) | beam.Map(arrive)
    counters = pipeline.result.metrics().query()["counters"]

    assert sorted(message.id for message in let_through) == ["a", "b", "c"]
    assert {counter.key.metric.name: counter.committed for counter in counters} == {
        "reviews_duplicate": 27
    }


class Bag(BagRuntimeState):
    """A state that can be looked into."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, float]] = []

    def read(self) -> list[tuple[str, float]]:
        return list(self.entries)

    def add(self, value: tuple[str, float]) -> None:
        self.entries.append(value)

    def clear(self) -> None:
        self.entries.clear()


def show(monkeypatch: pytest.MonkeyPatch, seconds: Timestamp | int) -> None:
    monkeypatch.setattr(Timestamp, "now", lambda: Timestamp.of(seconds))


def test_what_is_remembered_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    drop, bag, timer = _DropDuplicates(id_of, REMEMBER_SECONDS), Bag(), mock.Mock()
    most = 0
    for second in range(1_000):
        show(monkeypatch, second)
        drop.start_bundle()
        assert list(drop.process((0, Message(str(second), 0)), bag, timer))
        most = max(most, len(bag.entries))
    assert REMEMBER_SECONDS <= most <= 2 * REMEMBER_SECONDS

    (due,) = timer.set.call_args.args
    show(monkeypatch, due)
    drop.start_bundle()
    drop.on_forget(0, bag)
    assert bag.entries == []


def test_an_id_that_comes_back_stands_in_the_state_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drop, bag, timer = _DropDuplicates(id_of, REMEMBER_SECONDS), Bag(), mock.Mock()
    for second in (0, 30, 60, 90, 120):
        show(monkeypatch, second)
        drop.start_bundle()
        list(drop.process((0, Message("a", second)), bag, timer))

    assert bag.entries == [("a", 120)]


class Story(NamedTuple):
    """What happens to a stream, and what is to come of it."""

    stream: test_stream.TestStream
    let_through: list[Message]
    duplicates: int


@st.composite
def stories(draw: st.DrawFn) -> Story:
    stream = test_stream.TestStream()
    clock, deliveries = 0, 0
    remembered_until: dict[str, int] = {}
    expected = []
    for event in draw(st.lists(st.sampled_from(["messages", "messages", "clock"]), max_size=12)):
        if event == "clock":
            seconds = draw(st.integers(1, 80))
            clock += seconds
            stream.advance_processing_time(seconds).advance_watermark_to(clock)
            continue
        messages = []
        for id in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=4)):
            messages.append(Message(id, deliveries))
            deliveries += 1
            if remembered_until.get(id, 0) <= clock:
                remembered_until[id] = clock + REMEMBER_SECONDS
                expected.append(messages[-1])
        stream.add_elements(messages)
    return Story(stream, expected, deliveries - len(expected))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories())
def test_whatever_happens_one_message_of_an_id_is_let_through_in_its_time(
    let_through: list[Message], story: Story
) -> None:
    let_through.clear()
    counted = run(story.stream)

    assert sorted(let_through) == sorted(story.let_through)
    assert counted == story.duplicates
