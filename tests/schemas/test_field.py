import datetime
import json
from typing import Any

import pytest

from schemas.field import FieldType, cast

UTC = datetime.timezone.utc
NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "to", "expected"),
    [
        ("a", FieldType.STRING, "a"),
        (b"\xc3\xa9", FieldType.STRING, "é"),
        (5, FieldType.INT64, 5),
        ("-5", FieldType.INT64, -5),
        (b"-5", FieldType.INT64, -5),
        (-(2**63), FieldType.INT64, -(2**63)),
        (5, FieldType.FLOAT64, 5.0),
        ("4.5", FieldType.FLOAT64, 4.5),
        (float("nan"), FieldType.FLOAT64, None),
        (True, FieldType.BOOL, True),
        (" False ", FieldType.BOOL, False),
        ("2026-11-22T13:00:00+01:00", FieldType.TIMESTAMP, NOON),
        ("2026-11-22T12:00:00Z", FieldType.TIMESTAMP, NOON),
        (datetime.datetime(2026, 11, 22, 12), FieldType.TIMESTAMP, NOON),
        ("2026-11-22", FieldType.DATE, datetime.date(2026, 11, 22)),
        (datetime.date(2026, 11, 22), FieldType.DATE, datetime.date(2026, 11, 22)),
    ],
)
def test_gives_a_value_its_type(value: Any, to: FieldType, expected: Any) -> None:
    result = cast(value, to)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("to", FieldType)
def test_null_stays_null(to: FieldType) -> None:
    assert cast(None, to) is None


def test_json_is_text_that_reads_back() -> None:
    value = {"b": [1, "é"], "a": None}

    text = cast(value, FieldType.JSON)

    assert json.loads(text) == value
    assert text == '{"a": null, "b": [1, "é"]}'


def test_bytes_inside_json_are_text() -> None:
    assert cast([b"\xc3\xa9", {"a": b"x"}], FieldType.JSON) == '["é", {"a": "x"}]'


@pytest.mark.parametrize(
    ("value", "to"),
    [
        ([b"\xff"], FieldType.JSON),
        ([float("nan")], FieldType.JSON),
        (["\ud800"], FieldType.JSON),
        (5, FieldType.STRING),
        ("\ud800", FieldType.STRING),
        (b"\xff", FieldType.STRING),
        (True, FieldType.INT64),
        (5.0, FieldType.INT64),
        ("5.0", FieldType.INT64),
        ("1_000", FieldType.INT64),
        ("1_0.5", FieldType.FLOAT64),
        (2**63, FieldType.INT64),
        (False, FieldType.FLOAT64),
        (10**400, FieldType.FLOAT64),
        ("five", FieldType.FLOAT64),
        (1, FieldType.BOOL),
        ("yes", FieldType.BOOL),
        (1763812800, FieldType.TIMESTAMP),
        ("noon", FieldType.TIMESTAMP),
        (NOON, FieldType.DATE),
        ("22.11.2026", FieldType.DATE),
    ],
)
def test_refuses_what_is_of_another_type(value: Any, to: FieldType) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller names the field
        cast(value, to)
