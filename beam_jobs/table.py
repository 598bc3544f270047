"""Rows -> a BigQuery table."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.bigquery import BigQueryDisposition, WriteToBigQuery
from apache_beam.io.gcp.bigquery_tools import RetryStrategy

from beam_jobs.rows import bigquery_row, bigquery_schema, is_avro_name, json_line
from schemas.errors import UserError
from schemas.field import Field
from schemas.payload import Origin
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject_data

_RESERVED = ("_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "_CHANGE_", "__ROOT__")
"""Beginnings of names that BigQuery keeps for itself."""


def check_columns(columns: Sequence[Field]) -> None:
    """Makes sure that a BigQuery table can have these columns.

    Raises:
        UserError: it can't have a name, or would take two for the same.
    """
    names: dict[str, str] = {}
    for column in columns:
        name = column.name
        same = names.setdefault(name.lower(), name)
        advice = f"give it another, as in kept={name}"
        if not is_avro_name(name) or name.upper().startswith(_RESERVED):
            raise UserError(f"--output_table: BigQuery has no columns named {name!r}; {advice}")
        if same != name:
            raise UserError(f"--output_table: BigQuery takes {name} and {same} for one; {advice}")


@dataclass
class WriteTable(beam.PTransform):
    """Appends rows to a BigQuery table by streaming inserts; makes the table where it is missing.

    Errors that pass are waited out. A row that a repeated step sends again within a minute or so
    is usually stored once. Takes a PCollection of dicts; gives one of `Rejection`: the rows that
    the table refused.

    Attributes:
        table: `PROJECT:DATASET.TABLE`.
        columns: names and types of the values of a row.
    """

    table: str
    columns: Sequence[Field]

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        # Not the Storage Write API: from Python it needs Java's expansion service where the job
        # is built, and it can't be run on the local runner.
        written = (
            rows
            | "ToTableRow" >> beam.Map(bigquery_row)
            | "InsertRows"
            >> WriteToBigQuery(
                self.table,
                schema=bigquery_schema(self.columns),
                create_disposition=BigQueryDisposition.CREATE_IF_NEEDED,
                write_disposition=BigQueryDisposition.WRITE_APPEND,
                method=WriteToBigQuery.Method.STREAMING_INSERTS,
                insert_retry_strategy=RetryStrategy.RETRY_ON_TRANSIENT_ERROR,
            )
        )
        return written.failed_rows_with_errors | "RejectRow" >> beam.ParDo(_RejectRow(self.table))


class _RejectRow(beam.DoFn):
    def __init__(self, table: str) -> None:
        self._table = table

    def setup(self) -> None:
        # Here, since this step runs in the same process as the one that logs.
        logging.getLogger(WriteToBigQuery.__module__).addFilter(without_values)

    def process(
        self, refused: tuple[str, Mapping[str, Any], Sequence[Mapping[str, str]] | str]
    ) -> Iterator[Rejection]:
        _, row, errors = refused
        yield reject_row(self._table, row, errors)


def without_values(record: logging.LogRecord) -> bool:
    """Cuts errors off what Beam logs: they quote values, which may be people's words."""
    record.msg, record.args = record.getMessage().partition(" Errors were ")[0], ()
    return True


def reject_row(
    table: str, row: Mapping[str, Any], errors: Sequence[Mapping[str, str]] | str
) -> Rejection:
    """The rejection of a row that the table refused; carries the row as JSON.

    Args:
        table: its name.
        row: as it was sent.
        errors: what BigQuery finds wrong with it, or what Beam does.
    """
    parts = [errors] if isinstance(errors, str) else [_without_value(error) for error in errors]
    problem = RecordError(Reason.REFUSED_ROW, "; ".join(dict.fromkeys(parts)).rstrip(".") + ".")
    origin = Origin(table, str(row["review_id"]))
    return reject_data(origin, Stage.WRITE, problem, json_line(row).encode("utf-8"))


def _without_value(error: Mapping[str, str]) -> str:
    """What is wrong, and where; a message on a column may quote its value, so it is left out."""
    if error.get("location"):
        return f"{error['reason']} at column {error['location']}"
    return f"{error['reason']}: {error.get('message', '')}"
