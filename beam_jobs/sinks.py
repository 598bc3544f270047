"""Scores, rejections -> rows in files under the output prefix."""

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes

from beam_jobs import metrics
from beam_jobs.rows import arrow_schema, avro_schema, json_line
from schemas import rejection, score
from schemas.field import Field
from schemas.rejection import Rejection, rejection_row
from schemas.score import score_row

SUFFIXES = {
    "jsonl": ".jsonl",
    "jsonl.gz": ".jsonl.gz",
    "parquet": ".parquet",
    "avro": ".avro",
}
"""File name suffix of each output format."""


@dataclass
class WriteScores(beam.PTransform):
    """Writes scores, and counts them by label.

    Takes a PCollection of `Score`; gives `files`, the paths written, and `counts`, pairs of label
    and number.

    Attributes:
        directory: folder or bucket prefix, without a slash at its end.
        format: a key of `SUFFIXES`.
        kept: the kept fields that scores carry.
    """

    directory: str
    format: str
    kept: tuple[Field, ...]

    def expand(self, scores: beam.PCollection) -> dict[str, beam.PCollection]:
        rows = scores | "ToRows" >> beam.Map(score_row, self.kept)
        return {
            "files": rows
            | "WriteRows"
            >> WriteRows(self.directory, self.format, "Score", score.columns(self.kept)),
            "counts": rows | "CountLabels" >> CountBy("label"),
        }


@dataclass
class WriteRejections(beam.PTransform):
    """Writes rejections, and counts them by reason.

    Takes a PCollection of `Rejection`; gives `files`, the paths written, and `counts`, pairs of
    reason and number.

    Attributes:
        directory: folder or bucket prefix, without a slash at its end.
        format: a key of `SUFFIXES`.
    """

    directory: str
    format: str

    def expand(self, rejections: beam.PCollection) -> dict[str, beam.PCollection]:
        rows = rejections | "ToRows" >> beam.Map(_counted_row)
        return {
            "files": rows
            | "WriteRows" >> WriteRows(self.directory, self.format, "Rejection", rejection.COLUMNS),
            "counts": rows | "CountReasons" >> CountBy("reason"),
        }


def _counted_row(rejected: Rejection) -> dict[str, object]:
    metrics.count_rejection(rejected)
    return rejection_row(rejected)


@dataclass
class CountBy(beam.PTransform):
    """Counts rows by one of their columns.

    Takes a PCollection of dicts; gives pairs of value and number.
    """

    column: str

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        return (
            rows
            | "Value" >> beam.Map(lambda row, column: row[column], self.column)
            | "Count" >> beam.combiners.Count.PerElement()
        )


@dataclass
class WriteRows(beam.PTransform):
    """Writes rows to `<directory>/part-SSSSS-of-NNNNN<suffix>`.

    Files appear under their final names only when all of them are complete. Takes a PCollection
    of dicts; gives one of the paths written.

    Attributes:
        directory: folder or bucket prefix, without a slash at its end.
        format: a key of `SUFFIXES`.
        record: what a row is, such as `Score`; Avro names records.
        columns: names and types of the values of a row.
    """

    directory: str
    format: str
    record: str
    columns: Sequence[Field]

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        prefix, suffix = f"{self.directory}/part", SUFFIXES[self.format]
        if self.format == "parquet":
            schema = arrow_schema(self.columns)
            return rows | "WriteParquet" >> beam.io.WriteToParquet(
                prefix, schema, codec="snappy", file_name_suffix=suffix
            )
        if self.format == "avro":
            schema = avro_schema(self.record, self.columns)
            return rows | "WriteAvro" >> beam.io.WriteToAvro(
                prefix, schema, file_name_suffix=suffix
            )
        lines = rows | "ToJson" >> beam.Map(json_line).with_output_types(str)
        return lines | "WriteLines" >> beam.io.WriteToText(
            prefix, suffix, compression_type=CompressionTypes.AUTO
        )
