"""Scores and rejections of messages -> files by window, topics, a table."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from beam_jobs import metrics
from beam_jobs.pubsub import PublishRows
from beam_jobs.table import WriteTable
from beam_jobs.windowed_files import WriteWindowedFiles
from beam_jobs.windows import Windowing
from schemas import rejection
from schemas.field import Field
from schemas.rejection import Rejection, rejection_row
from schemas.score import Score, columns, score_row

SCORE_ATTRIBUTES = ("review_id", "label", "model")
REJECTION_ATTRIBUTES = ("stage", "reason")


class StreamFiles(NamedTuple):
    """How rows go to files.

    Attributes:
        prefix: folder or bucket prefix, without a slash at its end; empty for no files.
        format: a key of `beam_jobs.sinks.SUFFIXES`.
        files_per_window: number of files that the rows of a window are divided among.
        run: distinguishes the files of this run from those of every other.
    """

    prefix: str
    format: str
    files_per_window: int
    run: str


class StreamOutputs(NamedTuple):
    """Where scores and rejections go.

    Attributes:
        files: both, in folders of their own.
        windowing: how event time divides them into files.
        topic: scores; empty for none, as below.
        ordering_key: column of the score that becomes the ordering key of its message.
        table: scores, as `PROJECT:DATASET.TABLE`.
        rejected_topic: rejections.
    """

    files: StreamFiles
    windowing: Windowing
    topic: str
    ordering_key: str
    table: str
    rejected_topic: str


@dataclass
class WriteScoreStream(beam.PTransform):
    """Writes scores to every output.

    Takes a PCollection of `Score`, each with its event time; gives a tuple of PCollections of
    `Rejection`: rows that an output can't take.

    Attributes:
        outputs: where to.
        kept: the kept fields that scores carry.
    """

    outputs: StreamOutputs
    kept: tuple[Field, ...]

    def expand(self, scores: beam.PCollection) -> tuple[beam.PCollection, ...]:
        to_rows = beam.Map(timed_score_row, self.kept).with_output_types(dict[str, Any])
        rows = scores | "ToRows" >> to_rows
        refused = []
        if self.outputs.files.prefix:
            _ = rows | "WriteFiles" >> _write_files(
                self.outputs, "scores", "Score", columns(self.kept)
            )
        if self.outputs.topic:
            publish = PublishRows(self.outputs.topic, SCORE_ATTRIBUTES, self.outputs.ordering_key)
            refused.append(rows | "Publish" >> publish)
        if self.outputs.table:
            write = WriteTable(self.outputs.table, columns(self.kept))
            refused.append(rows | "WriteTable" >> write)
        return tuple(refused)


@dataclass
class WriteRejectionStream(beam.PTransform):
    """Writes rejections to every output that takes them.

    Takes a PCollection of `Rejection`.

    Attributes:
        outputs: where to.
    """

    outputs: StreamOutputs

    def expand(self, rejections: beam.PCollection) -> tuple[beam.PCollection, ...]:
        to_rows = beam.Map(timed_rejection_row).with_output_types(dict[str, Any])
        rows = rejections | "ToRows" >> to_rows
        if self.outputs.files.prefix:
            _ = rows | "WriteFiles" >> _write_files(
                self.outputs, "rejected", "Rejection", rejection.COLUMNS
            )
        if self.outputs.rejected_topic:
            publish = PublishRows(self.outputs.rejected_topic, REJECTION_ATTRIBUTES)
            _ = rows | "Publish" >> publish
        return ()


def timed_score_row(score: Score, kept: tuple[Field, ...]) -> TimestampedValue:
    """The row of a score, at its event time."""
    assert score.event_time is not None
    return TimestampedValue(score_row(score, kept), Timestamp.from_utc_datetime(score.event_time))


def timed_rejection_row(rejected: Rejection) -> TimestampedValue | dict[str, Any]:
    """The row of a rejection, at the time when its message was published, and counts it."""
    metrics.count_rejection(rejected)
    row = rejection_row(rejected)
    published_at = rejected.origin.published_at
    if published_at is None:  # a row that an output refused: it has the event time of its score
        return row
    return TimestampedValue(row, Timestamp.from_utc_datetime(published_at))


def _write_files(
    outputs: StreamOutputs, folder: str, record: str, row_columns: tuple[Field, ...]
) -> WriteWindowedFiles:
    files = outputs.files
    return WriteWindowedFiles(
        f"{files.prefix}/{folder}",
        files.format,
        record,
        row_columns,
        outputs.windowing,
        files.files_per_window,
        files.run,
    )
