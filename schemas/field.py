"""Named and typed fields: the columns of score rows, and input fields carried through to them."""

import datetime
import json
import math
from enum import Enum
from typing import Any, NamedTuple


class FieldType(Enum):
    """The types a column of output can have."""

    STRING = "string"
    INT64 = "int64"
    FLOAT64 = "float64"
    BOOL = "bool"
    TIMESTAMP = "timestamp"  # UTC, microseconds
    DATE = "date"
    JSON = "json"  # lists, maps and mixed values, as JSON text


class Field(NamedTuple):
    """A column: its name, its type, and whether it may be null."""

    name: str
    type: FieldType
    nullable: bool = True


_INT64_LIMIT = 2**63
_BOOLS = {"true": True, "false": False}


def cast(value: Any, to: FieldType) -> Any:
    """Gives `value` the type of a field, or refuses.

    Bytes are read as UTF-8, and text as a number, truth value, date or time where the field asks
    for one, since tf.train.Example holds bytes and CSV nothing but text. No other conversion
    happens, and null stays null.

    Returns:
        str, int, float, bool, datetime.datetime (aware, UTC), datetime.date or None.

    Raises:
        ValueError: the value is not of that type.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    return _CASTS[to](value)


def _json(value: Any) -> str:
    """JSON as RFC 8259 has it: no NaN, no lone surrogates."""
    return _string(
        json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, default=_json_value)
    )


def _json_value(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    value.encode("utf-8")
    return value


def _int64(value: Any) -> int:
    if isinstance(value, str):
        value = int(_numeral(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError
    if not -_INT64_LIMIT <= value < _INT64_LIMIT:
        raise ValueError
    return value


def _numeral(text: str) -> str:
    """Text that may be a number; Python alone takes 1_000 for one."""
    if "_" in text:
        raise ValueError
    return text


def _float64(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    try:
        number = float(_numeral(value) if isinstance(value, str) else value)
    except OverflowError as error:
        raise ValueError from error
    return None if math.isnan(number) else number


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        value = _BOOLS.get(value.strip().lower())
    if not isinstance(value, bool):
        raise ValueError
    return value


def _timestamp(value: Any) -> datetime.datetime:
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    if not isinstance(value, datetime.datetime):
        raise ValueError
    if value.tzinfo is None:
        return value.replace(tzinfo=datetime.timezone.utc)
    try:
        return value.astimezone(datetime.timezone.utc)
    except OverflowError as error:  # the first and last hours of all time, elsewhere
        raise ValueError from error


def _date(value: Any) -> datetime.date:
    if isinstance(value, str):
        return datetime.date.fromisoformat(value)
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
        raise ValueError
    return value


_CASTS = {
    FieldType.STRING: _string,
    FieldType.INT64: _int64,
    FieldType.FLOAT64: _float64,
    FieldType.BOOL: _bool,
    FieldType.TIMESTAMP: _timestamp,
    FieldType.DATE: _date,
    FieldType.JSON: _json,
}
