"""Columns of rows as Arrow and Avro spell them, and rows as JSON lines."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from schemas.field import Field, FieldType

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


def json_line(row: Mapping[str, Any]) -> str:
    """A row as one JSON object (RFC 8259) on one line; times and dates in ISO 8601."""
    return json.dumps(_finite(row), ensure_ascii=False, default=_json_value, allow_nan=False)


def _finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: it becomes text."""
    infinities = (float("inf"), float("-inf"))
    return {
        key: str(value) if isinstance(value, float) and value in infinities else value
        for key, value in row.items()
    }


def _json_value(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(f"no column holds a {type(value).__name__}")
