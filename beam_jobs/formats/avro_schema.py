"""Avro schemas as fields."""

from collections.abc import Mapping
from typing import Any

import fastavro

from beam_jobs.formats.base import DamagedFile
from beam_jobs.formats.fields import common_type
from schemas.field import FieldType

_LOGICAL_TYPES: Mapping[str, FieldType] = {
    "date": FieldType.DATE,
    "decimal": FieldType.JSON,
    "local-timestamp-micros": FieldType.TIMESTAMP,
    "local-timestamp-millis": FieldType.TIMESTAMP,
    "time-micros": FieldType.JSON,
    "time-millis": FieldType.JSON,
    "timestamp-micros": FieldType.TIMESTAMP,
    "timestamp-millis": FieldType.TIMESTAMP,
    "uuid": FieldType.STRING,
}

_TYPES: Mapping[str, FieldType] = {
    "boolean": FieldType.BOOL,
    "bytes": FieldType.STRING,
    "double": FieldType.FLOAT64,
    "enum": FieldType.STRING,
    "fixed": FieldType.STRING,
    "float": FieldType.FLOAT64,
    "int": FieldType.INT64,
    "long": FieldType.INT64,
    "string": FieldType.STRING,
}


def fields_of(schema: Any) -> dict[str, FieldType]:
    """The fields of a record schema: type by name, in their order.

    Raises:
        DamagedFile: the schema is of something other than a record.
    """
    named: dict[str, Any] = {}
    fastavro.parse_schema(schema, named)
    return {
        field["name"]: common_type(_types(field["type"], named)) for field in _record_fields(schema)
    }


def uuid_fields(schema: Any) -> tuple[str, ...]:
    """Names of the fields that hold UUIDs or nothing.

    Raises:
        DamagedFile: the schema is of something other than a record.
    """
    return tuple(field["name"] for field in _record_fields(schema) if _is_uuid(field["type"]))


def _record_fields(schema: Any) -> list[dict[str, Any]]:
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise DamagedFile("Its Avro schema is not of a record.")
    fields: list[dict[str, Any]] = schema["fields"]
    return fields


def _types(schema: Any, named: Mapping[str, Any]) -> set[FieldType]:
    """The types of the values of a schema, without null."""
    if isinstance(schema, list):
        return set().union(*(_types(branch, named) for branch in schema))
    if isinstance(schema, str):
        if schema == "null":
            return set()
        return _types(named[schema], named) if schema in named else {_type(schema)}
    name = schema.get("logicalType")
    logical = _LOGICAL_TYPES.get(name) if isinstance(name, str) else None
    return {logical} if logical else {_type(schema["type"])}


def _type(name: str) -> FieldType:
    return _TYPES.get(name, FieldType.JSON)


def _is_uuid(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(_is_uuid(branch) for branch in schema)
    return isinstance(schema, dict) and schema.get("logicalType") == "uuid"
