"""Arrow columns as fields: their types, and their values in plain Python."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from schemas.field import FieldType
from schemas.rejection import Reason, RecordError

_TYPES = (
    (pa.types.is_integer, FieldType.INT64),
    (pa.types.is_floating, FieldType.FLOAT64),
    (pa.types.is_boolean, FieldType.BOOL),
    (pa.types.is_timestamp, FieldType.TIMESTAMP),
    (pa.types.is_date, FieldType.DATE),
)

_NO_VALUE = (ValueError, OverflowError, KeyError)
"""What Arrow raises on a value that Python has no type for; KeyError for an unknown time zone."""


def field_type(arrow_type: pa.DataType) -> FieldType:
    """The type of the field that an Arrow column becomes."""
    if pa.types.is_dictionary(arrow_type):
        return field_type(arrow_type.value_type)
    if _is_text(arrow_type) or pa.types.is_null(arrow_type) or arrow_type == pa.uuid():
        return FieldType.STRING
    return next((to for is_one, to in _TYPES if is_one(arrow_type)), FieldType.JSON)


def rows_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | RecordError]:
    """The rows of a batch, each a value by field name, or what is wrong with it."""
    batch = _map_columns(batch, _plain)
    try:
        yield from batch.to_pylist()
    except _NO_VALUE:
        for index in range(batch.num_rows):
            yield _row(batch.slice(index, 1))


def _row(batch: pa.RecordBatch) -> dict[str, Any] | RecordError:
    try:
        # Strings as bytes: whether they are UTF-8 is for the parser to say, field by field.
        return _map_columns(batch, _as_bytes).to_pylist()[0]
    except _NO_VALUE:
        return RecordError(Reason.MALFORMED_RECORD, "It holds a value out of range.")


def _map_columns(batch: pa.RecordBatch, change: Any) -> pa.RecordBatch:
    if not batch.num_columns:  # would lose its number of rows
        return batch
    columns = [change(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain(column: pa.Array) -> pa.Array:
    """Gives values that Python has no type for one that it has."""
    if pa.types.is_timestamp(column.type):
        unit = "us" if column.type.unit == "ns" else column.type.unit
        zone = "UTC" if column.type.tz else None
        return column.cast(pa.timestamp(unit, zone), safe=False)
    if pa.types.is_float16(column.type):
        return column.cast(pa.float32())
    if column.type == pa.uuid():
        return pa.array([value and str(value) for value in column.to_pylist()], pa.string())
    return column


def _as_bytes(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.large_binary()) if _is_text(column.type) else column


def _is_text(arrow_type: pa.DataType) -> bool:
    return any(
        is_one(arrow_type)
        for is_one in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    )
