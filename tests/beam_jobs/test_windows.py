import datetime
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import FixedWindows, TimestampedValue, WindowFn
from apache_beam.utils.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs import metrics
from beam_jobs.parsing import REJECTIONS
from beam_jobs.windows import IntoWindows, RejectTooLate, Windowing, utc
from schemas.payload import Origin
from schemas.rejection import Reason, Stage
from schemas.review import Review
from tests.beam_jobs.running import local_pipeline
from tests.beam_jobs.streams import streaming_pipeline

UTC = datetime.timezone.utc
FIRST = datetime.datetime.min.replace(tzinfo=UTC)
LAST = datetime.datetime.max.replace(tzinfo=UTC)
WINDOWING = Windowing(window_seconds=300, allowed_lateness_seconds=3_600)
EVENT_TIME = datetime.datetime(2026, 11, 22, 10, 7, 30, tzinfo=UTC)
START = int(datetime.datetime(2026, 11, 22, 10, 0, tzinfo=UTC).timestamp())


def at(hour: int, minute: int, second: int = 0, microsecond: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 11, 22, hour, minute, second, microsecond, UTC)


def review(name: str, published_at: datetime.datetime) -> Review:
    return Review(name, "Très bien.", (), Origin("sub", name, published_at), EVENT_TIME)


TIMES = st.datetimes(timezones=st.just(UTC)) | st.sampled_from(
    [FIRST, LAST, datetime.datetime(1970, 1, 1, tzinfo=UTC)]
)


@given(TIMES, st.integers(1, 40 * 86_400))
def test_windows_are_those_of_beam(time: datetime.datetime, window_seconds: int) -> None:
    windowing = Windowing(window_seconds, 0)
    timestamp = Timestamp.from_utc_datetime(time)
    (window,) = FixedWindows(window_seconds).assign(WindowFn.AssignContext(timestamp))

    assert windowing.start(time) == utc(window.start.micros)
    assert windowing.end(time) == utc(window.end.micros)
    assert windowing.start(time) <= time <= windowing.end(time)


def test_a_window_begins_with_its_first_moment_and_ends_before_the_next() -> None:
    assert WINDOWING.start(at(10, 5)) == at(10, 5)
    assert WINDOWING.start(at(10, 9, 59, 999_999)) == at(10, 5)
    assert WINDOWING.end(at(10, 9, 59, 999_999)) == WINDOWING.end(at(10, 5)) == at(10, 10)


def test_windows_at_the_ends_of_time_are_cut() -> None:
    windowing = Windowing(7 * 86_400, 0)

    assert windowing.start(FIRST) == FIRST
    assert windowing.end(LAST) == LAST


@pytest.mark.parametrize(
    ("published_at", "late", "too_late"),
    [
        (EVENT_TIME - datetime.timedelta(days=1), False, False),
        (at(10, 9, 59, 999_999), False, False),
        (at(10, 10), True, False),
        (at(11, 10), True, False),
        (at(11, 10, 0, 1), True, True),
    ],
)
def test_lateness(published_at: datetime.datetime, late: bool, too_late: bool) -> None:
    assert WINDOWING.is_late(EVENT_TIME, published_at) is late
    assert WINDOWING.is_too_late(EVENT_TIME, published_at) is too_late


@given(TIMES, TIMES, st.integers(1, 40 * 86_400), st.integers(0, 10**12))
def test_no_time_is_too_far_away(
    event_time: datetime.datetime, published_at: datetime.datetime, window: int, allowed: int
) -> None:
    windowing = Windowing(window, allowed)

    if windowing.is_too_late(event_time, published_at):
        assert windowing.is_late(event_time, published_at)
        assert (published_at - event_time).total_seconds() > allowed
    if windowing.is_late(event_time, published_at):
        assert published_at > event_time
    elif published_at != LAST:
        assert published_at < windowing.end(event_time)


def test_late_reviews_are_counted_and_too_late_ones_rejected() -> None:
    reviews = [
        review("punctual", at(10, 9)),
        review("late", at(10, 10)),
        review("too late", at(12, 0, 0, 5)),
    ]
    tally = metrics.LATE.tally
    with local_pipeline() as pipeline:
        checked = pipeline | beam.Create(reviews) | RejectTooLate(WINDOWING)
        assert_that(checked.reviews, equal_to(reviews[:2]), label="reviews")
        assert_that(
            checked[REJECTIONS] | beam.Map(tuple),
            equal_to(
                [
                    (
                        Origin("sub", "too late", at(12, 0, 0, 5)),
                        Stage.PARSE,
                        Reason.TOO_LATE,
                        "Event time 2026-11-22T10:07:30Z, published 2026-11-22T12:00:00.000005Z. "
                        + Reason.TOO_LATE.advice,
                        "Très bien.",
                        "utf-8",
                        11,
                    )
                ]
            ),
            label="rejections",
        )

    assert metrics.LATE.tally - tally == 2


def with_pane(
    grouped: tuple[int, Iterable[str]],
    window: Any = beam.DoFn.WindowParam,
    pane: Any = beam.DoFn.PaneInfoParam,
) -> tuple[int, int, str]:
    """Where elements came out: start of the window in seconds after 10:00, pane, elements."""
    return int(window.start) - START, pane.index, "".join(sorted(grouped[1]))


def assert_panes(elements: test_stream.TestStream, panes: list[tuple[int, int, str]]) -> None:
    with streaming_pipeline() as pipeline:
        grouped = (
            pipeline
            | elements
            | IntoWindows(WINDOWING)
            | beam.WithKeys(0)
            | beam.GroupByKey()
            | beam.Map(with_pane)
        )
        assert_that(grouped, equal_to(panes))


def stream() -> test_stream.TestStream:
    return test_stream.TestStream().advance_processing_time(START).advance_watermark_to(START)


def element(name: str, second: int) -> list[TimestampedValue]:
    return [TimestampedValue(name, START + second)]


def test_a_window_comes_out_when_the_watermark_has_passed_it() -> None:
    elements = (
        stream()
        .add_elements(element("a", 0) + element("b", 300))
        .advance_watermark_to(START + 299)
        .add_elements(element("c", 299))
        .advance_watermark_to(START + 600)
        .advance_watermark_to_infinity()
    )

    assert_panes(elements, [(0, 0, "ac"), (300, 0, "b")])


def test_late_elements_come_out_together_once_in_a_window_length() -> None:
    elements = stream().add_elements(element("a", 0)).advance_watermark_to(START + 301)
    for name in "bcd":
        elements = elements.add_elements(element(name, 1)).advance_processing_time(99)
    elements = elements.advance_processing_time(3)
    for name in "ef":
        elements = elements.add_elements(element(name, 2)).advance_processing_time(150)
    elements = elements.advance_watermark_to_infinity()

    assert_panes(elements, [(0, 0, "a"), (0, 1, "bcd"), (0, 2, "ef")])


def test_beam_drops_nothing_that_pubsub_can_still_deliver() -> None:
    longest_seconds = 300 + WINDOWING.allowed_lateness_seconds + 31 * 86_400
    elements = (
        stream()
        .advance_watermark_to(START + longest_seconds)
        .add_elements(element("a", 0))
        .advance_watermark_to_infinity()
    )

    assert_panes(elements, [(0, 0, "a")])
