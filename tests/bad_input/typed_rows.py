"""Rows of Avro, Parquet and TFRecord that hold something other than a review.

A missing name is null in Parquet and Avro, and no feature in TFRecord.
"""

from collections.abc import Mapping

from tests.bad_input.encodings import TEXTS
from tests.bad_input.kinds import (
    BAD_FIELD,
    BAD_ID,
    EMPTY_TEXT,
    MALFORMED,
    MISSING_TEXT,
    NOT_UTF8,
    SCORED,
    TEXT_NOT_STRING,
    TOO_LARGE,
    BadRecord,
    records,
)

_NULLS_AND_BLANKS = [
    *records(MISSING_TEXT, {"text is absent": {"id": "a"}}),
    *records(EMPTY_TEXT, {"text is empty": {"id": "a", "text": ""}}),
    *records(EMPTY_TEXT, {"text is blank": {"id": "a", "text": "\u00a0\n"}}),
    *records(BAD_ID, {"id is absent": {"text": "Nice."}}),
    *records(BAD_ID, {"id is empty": {"id": "", "text": "Nice."}}),
    *records(BAD_ID, {"everything is absent": {}}),
    *records(NOT_UTF8, {"id is Latin-1": {"id": b"caf\xe9", "text": "Nice."}}),
    *records(BAD_FIELD, {"string is Latin-1": {"id": "a", "text": "Nice.", "note": b"\xe9"}}),
]

_TOO_LARGE = records(TOO_LARGE, {"text of a million and one": {"id": "a", "text": "N" * 1_000_001}})

_ENCODED = [
    BadRecord(name, {"id": name, "text": text}, outcome, name) for name, text, outcome in TEXTS
]


def _texts(outcome: str, values: Mapping[str, object]) -> list[BadRecord]:
    return records(outcome, {name: {"id": name, "text": value} for name, value in values.items()})


def _ids(outcome: str, values: Mapping[str, object]) -> list[BadRecord]:
    return records(outcome, {name: {"id": value, "text": "N."} for name, value in values.items()})


def _kept(outcome: str, values: Mapping[str, tuple[str, object]]) -> list[BadRecord]:
    return records(
        outcome,
        {
            name: {"id": name, "text": "Nice.", field: value}
            for name, (field, value) in values.items()
        },
    )


def _of(name: str, kinds: list[BadRecord]) -> list[BadRecord]:
    return [kind._replace(name=f"{kind.name}, {name}") for kind in kinds]


AVRO = _of(
    "Avro",
    [
        *_NULLS_AND_BLANKS,
        *_TOO_LARGE,
        *_ENCODED,
        *_texts(
            TEXT_NOT_STRING,
            {
                "text is an integer": 5,
                "text is a double": 0.5,
                "text is true": True,
                "text is an array": ["Nice."],
                "text is a map": {"en": "Nice."},
            },
        ),
        *_texts(SCORED, {"text is bytes": b"Nice."}),
        *_ids(BAD_ID, {"id is a double": 1.0, "id is false": False}),
        *_ids(BAD_ID, {"id is an array": ["a"], "id is a map": {"a": "b"}}),
        *_kept(
            BAD_FIELD,
            {
                "integer is a word": ("stars", "many"),
                "integer is a double": ("stars", 5.0),
                "truth is an integer": ("sold", 1),
                "time is an integer": ("written", 1),
                "string is an integer": ("note", 5),
            },
        ),
        *_kept(SCORED, {"float is no number": ("price", float("nan"))}),
        *_kept(BAD_FIELD, {"JSON is infinite": ("tags", float("inf"))}),
        *_kept(BAD_FIELD, {"JSON is Latin-1": ("tags", b"\xe9")}),
    ],
)

PARQUET = _of("Parquet", [*_NULLS_AND_BLANKS, *_TOO_LARGE, *_ENCODED])

TFRECORD = _of(
    "TFRecord",
    [
        *_NULLS_AND_BLANKS,
        *_ENCODED,
        *_texts(TEXT_NOT_STRING, {"text is an integer": 5, "text is a float": 0.5}),
        *_texts(TEXT_NOT_STRING, {"text is two texts": [b"Nice.", b"Good."]}),
        *_texts(MISSING_TEXT, {"text is a list of nothing": []}),
        *_ids(BAD_ID, {"id is a float": 1.5, "id is two ids": [b"a", b"b"]}),
        *_kept(
            BAD_FIELD,
            {
                "integer is a word": ("stars", b"many"),
                "integer is a float": ("stars", 5.0),
                "integer is two integers": ("stars", [5, 4]),
                "truth is an integer": ("sold", 1),
                "day is an integer": ("day", 20240501),
            },
        ),
        *records(
            MALFORMED,
            {
                "JSON": b'{"id": "a", "text": "Nice."}',
                "a message cut short": b"\x0a\x7f\x0a",
                "bytes that are no message": b"\xff\xff\xff\xff",
                "a field number of zero": b"\x00\x01",
                "a group that never ends": b"\x0b",
                "a varint without end": b"\x0a" + b"\x80" * 12,
            },
        ),
    ],
)
"""Malformed ones hold `tf.train.Example` in the wire format of protocol buffers."""
