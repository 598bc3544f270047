"""Event-time windows: where a review belongs, and when it is late.

Lateness is a function of the message alone, of its event time and its publish time, never of a
watermark: a run that catches up on yesterday's messages judges them as a punctual run does.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.trigger import AccumulationMode, AfterProcessingTime, AfterWatermark
from apache_beam.transforms.window import FixedWindows

from beam_jobs import metrics
from beam_jobs.parsing import REJECTIONS, Rejected
from beam_jobs.rows import rfc3339
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject_data
from schemas.review import Review

LONGEST_RETENTION_SECONDS: Final = 31 * 24 * 60 * 60
"""Pub/Sub keeps a message no longer than this."""

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_FIRST: Final = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
_LAST: Final = datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)


class Windowing(NamedTuple):
    """How time is divided, and how long a window stays open for late reviews.

    Windows are aligned to 1970 in UTC, as Beam's `FixedWindows` are.

    Attributes:
        window_seconds: length of a window, at least 1.
        allowed_lateness_seconds: how long after its window's end a review may be published.
    """

    window_seconds: int
    allowed_lateness_seconds: int

    def start(self, event_time: datetime.datetime) -> datetime.datetime:
        """The start of the window that a time falls in; UTC, no earlier than year 1."""
        return utc(self._end_us(event_time) - self.window_seconds * 1_000_000)

    def end(self, event_time: datetime.datetime) -> datetime.datetime:
        """The end of the window that a time falls in; UTC, no later than year 9999.

        The window ends just before it.
        """
        return utc(self._end_us(event_time))

    def is_late(self, event_time: datetime.datetime, published_at: datetime.datetime) -> bool:
        """Whether a review was published when its window was over."""
        return self._behind_us(event_time, published_at) >= 0

    def is_too_late(self, event_time: datetime.datetime, published_at: datetime.datetime) -> bool:
        """Whether a review was published when its window was closed even for late ones."""
        behind_us = self._behind_us(event_time, published_at)
        return behind_us > self.allowed_lateness_seconds * 1_000_000

    def _end_us(self, event_time: datetime.datetime) -> int:
        """Microseconds since 1970: unlike a datetime they have room for every window's end."""
        length_us = self.window_seconds * 1_000_000
        return (_microseconds(event_time) // length_us + 1) * length_us

    def _behind_us(self, event_time: datetime.datetime, published_at: datetime.datetime) -> int:
        return _microseconds(published_at) - self._end_us(event_time)


def _microseconds(time: datetime.datetime) -> int:
    return (time - _EPOCH) // datetime.timedelta(microseconds=1)


def utc(microseconds: int) -> datetime.datetime:
    """A time since 1970 as a datetime; the nearest there is where that is before or after all."""
    nearest = min(max(microseconds, _microseconds(_FIRST)), _microseconds(_LAST))
    return _EPOCH + datetime.timedelta(microseconds=nearest)


@dataclass
class IntoWindows(beam.PTransform):
    """Assigns elements to the windows of their timestamps.

    A window comes out in panes that hold each element once: one when the watermark passes its
    end, then at most one every `window_seconds` as long as late elements arrive.

    Attributes:
        windowing: length and lateness.
    """

    windowing: Windowing

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        length_seconds, allowed_seconds = self.windowing
        return elements | "IntoWindows" >> beam.WindowInto(
            FixedWindows(length_seconds),
            trigger=AfterWatermark(late=AfterProcessingTime(length_seconds)),
            accumulation_mode=AccumulationMode.DISCARDING,
            # Beam drops silently what comes later than this. So it must not be what decides: it
            # leaves room for every message that was published in time, however long it then waited.
            allowed_lateness=allowed_seconds + LONGEST_RETENTION_SECONDS,
        )


@dataclass
class RejectTooLate(beam.PTransform):
    """Counts late reviews, and rejects those that are too late.

    Takes a PCollection of `Review` with event and publish times; gives one of `Review` as
    `reviews`, and under the tag `REJECTIONS` one of `Rejection`.

    Attributes:
        windowing: length and lateness.
    """

    windowing: Windowing

    def expand(self, reviews: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        return reviews | "CheckLateness" >> beam.ParDo(_CheckLateness(self.windowing)).with_outputs(
            REJECTIONS, main="reviews"
        )


class _CheckLateness(beam.DoFn):
    def __init__(self, windowing: Windowing) -> None:
        self._windowing = windowing

    def process(self, review: Review) -> Iterator[Review | Rejected]:
        event_time, published_at = times(review)
        if self._windowing.is_late(event_time, published_at):
            metrics.LATE.inc()
        if self._windowing.is_too_late(event_time, published_at):
            yield TaggedOutput(REJECTIONS, reject_too_late(review))
        else:
            yield review


def times(review: Review) -> tuple[datetime.datetime, datetime.datetime]:
    """Event and publish time of a review that came as a message."""
    event_time, published_at = review.event_time, review.origin.published_at
    assert event_time is not None, "messages have event times"
    assert published_at is not None, "messages have publish times"
    return event_time, published_at


def reject_too_late(review: Review) -> Rejection:
    """The rejection of a review that is too late; carries its text."""
    event_time, published_at = times(review)
    detail = f"Event time {rfc3339(event_time)}, published {rfc3339(published_at)}."
    problem = RecordError(Reason.TOO_LATE, detail)
    return reject_data(review.origin, Stage.PARSE, problem, review.text.encode("utf-8"))
