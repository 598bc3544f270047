"""Columns of rows as Arrow, Avro and BigQuery spell them, and rows as JSON and in files."""

import datetime
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.field import Field, FieldType

Row = Mapping[str, Any]

ROWS_PER_GROUP = 10_000
"""Rows of a Parquet file that are held in memory and written together."""

_ARROW = {
    FieldType.STRING: pa.string(),
    FieldType.INT64: pa.int64(),
    FieldType.FLOAT64: pa.float64(),
    FieldType.BOOL: pa.bool_(),
    FieldType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    FieldType.DATE: pa.date32(),
    FieldType.JSON: pa.string(),
}

_AVRO: Mapping[FieldType, Any] = {
    FieldType.STRING: "string",
    FieldType.INT64: "long",
    FieldType.FLOAT64: "double",
    FieldType.BOOL: "boolean",
    FieldType.TIMESTAMP: {"type": "long", "logicalType": "timestamp-micros"},
    FieldType.DATE: {"type": "int", "logicalType": "date"},
    FieldType.JSON: "string",
}

_BIGQUERY = {
    FieldType.STRING: "STRING",
    FieldType.INT64: "INT64",
    FieldType.FLOAT64: "FLOAT64",
    FieldType.BOOL: "BOOL",
    FieldType.TIMESTAMP: "TIMESTAMP",
    FieldType.DATE: "DATE",
    FieldType.JSON: "JSON",
}

_EXACT_INTEGERS = 2**53 - 1
"""Greatest whole number up to which a reader of JSON that has only doubles is exact."""

_INFINITIES = (float("inf"), float("-inf"))


def arrow_schema(columns: Sequence[Field]) -> pa.Schema:
    """The columns as an Arrow schema, in their order."""
    return pa.schema(
        [pa.field(column.name, _ARROW[column.type], column.nullable) for column in columns]
    )


def avro_schema(name: str, columns: Sequence[Field]) -> dict[str, Any]:
    """The columns as an Avro record schema; nullable ones are unions with null.

    Args:
        name: name of the record, such as `Score`.
        columns: their names must be Avro names, see `is_avro_name`.
    """
    fields: list[dict[str, Any]] = []
    for column in columns:
        avro_type = _AVRO[column.type]
        if column.nullable:
            fields.append({"name": column.name, "type": ["null", avro_type], "default": None})
        else:
            fields.append({"name": column.name, "type": avro_type})
    return {"type": "record", "name": name, "namespace": "review_scoring", "fields": fields}


def is_avro_name(name: str) -> bool:
    """Whether Avro takes the name: letters, digits and underscores, no digit first."""
    return name.isascii() and name.isidentifier()


def bigquery_schema(columns: Sequence[Field]) -> dict[str, list[dict[str, str]]]:
    """The columns as BigQuery's REST API describes a table."""
    return {
        "fields": [
            {
                "name": column.name,
                "type": _BIGQUERY[column.type],
                "mode": "NULLABLE" if column.nullable else "REQUIRED",
            }
            for column in columns
        ]
    }


def bigquery_row(row: Row) -> dict[str, Any]:
    """A row as the values of JSON that BigQuery's streaming inserts take.

    Whole numbers beyond what a double holds become text: BigQuery may round them otherwise. A
    JSON column takes its value as text, as it is; an object would be taken for a record.
    """
    return {name: _exact(_json_value(value)) for name, value in row.items()}


def json_line(row: Row) -> str:
    """A row as one JSON object (RFC 8259) on one line; times and dates in ISO 8601."""
    values = {name: _json_value(value) for name, value in row.items()}
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def rfc3339(time: datetime.datetime) -> str:
    """An aware time in UTC as RFC 3339 has it."""
    return time.isoformat().replace("+00:00", "Z")


def _json_value(value: Any) -> Any:
    """JSON has no times, no dates and no infinity: they become text."""
    if isinstance(value, datetime.datetime):
        return rfc3339(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and value in _INFINITIES:
        return str(value)
    return value


def _exact(value: Any) -> Any:
    return str(value) if isinstance(value, int) and abs(value) > _EXACT_INTEGERS else value


class RowFormat(NamedTuple):
    """How rows become the bytes of a file.

    Attributes:
        name: `jsonl`, `jsonl.gz`, `parquet` or `avro`.
        record: what a row is, such as `Score`; Avro names records.
        columns: names and types of the values of a row.
    """

    name: str
    record: str
    columns: Sequence[Field]


def write_rows(file: BinaryIO, row_format: RowFormat, rows: Iterable[Row]) -> None:
    """Writes rows to an open file as they come; few of them are held at a time.

    Lines of `jsonl.gz` are not compressed here, but by the file.
    """
    name, record, columns = row_format
    if name == "parquet":
        _write_parquet(file, arrow_schema(columns), rows)
    elif name == "avro":
        schema = fastavro.parse_schema(avro_schema(record, columns))
        fastavro.writer(file, schema, rows, codec="deflate")
    else:
        for row in rows:
            file.write(json_line(row).encode("utf-8") + b"\n")


def _write_parquet(file: BinaryIO, schema: pa.Schema, rows: Iterable[Row]) -> None:
    remaining = iter(rows)
    with pq.ParquetWriter(file, schema, compression="snappy") as writer:
        while group := list(itertools.islice(remaining, ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema))
