"""The fields of records that come without a schema."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from beam_jobs.formats.base import DamagedFile
from schemas.field import FieldType
from schemas.payload import Payload
from schemas.rejection import Reason, RecordError, Rejection
from schemas.review import json_object

SAMPLE_RECORDS = 1000
"""Records looked at to find the fields of a file."""

_TYPES = {
    bool: FieldType.BOOL,
    int: FieldType.INT64,
    float: FieldType.FLOAT64,
    str: FieldType.STRING,
    bytes: FieldType.STRING,
}

_NUMBERS = {FieldType.INT64, FieldType.FLOAT64}


def sampled_fields(items: Iterable[Payload | Rejection]) -> dict[str, FieldType]:
    """Finds the fields of the first `SAMPLE_RECORDS` records; broken ones are passed over.

    Returns:
        Type by name, in the order of first appearance. A field that was always null is a string.

    Raises:
        DamagedFile: the file is unreadable from its first record on.
    """
    seen: dict[str, set[FieldType]] = {}
    for item in islice(items, SAMPLE_RECORDS):
        for name, value in _values(item, nothing_yet=not seen).items():
            types = seen.setdefault(name, set())
            if value is not None:
                types.add(_TYPES.get(type(value), FieldType.JSON))
    return {name: common_type(types) for name, types in seen.items()}


def common_type(types: set[FieldType]) -> FieldType:
    """The one type that can hold values of all these types."""
    if not types:
        return FieldType.STRING
    if types == _NUMBERS:
        return FieldType.FLOAT64
    return next(iter(types)) if len(types) == 1 else FieldType.JSON


def _values(item: Payload | Rejection, nothing_yet: bool) -> Mapping[str, Any]:
    if isinstance(item, Rejection):
        if nothing_yet and item.reason is Reason.UNREADABLE_FILE:
            raise DamagedFile(item.detail.removesuffix(item.reason.advice).strip())
        return {}
    if not isinstance(item.data, bytes):
        return item.data
    try:
        return json_object(item.data)
    except RecordError:
        return {}
