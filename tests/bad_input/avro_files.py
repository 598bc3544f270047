"""Files of Avro that are damaged, or have another schema than a review needs."""

import io
import json
from collections.abc import Mapping
from typing import Any

import fastavro

from tests.bad_input.kinds import (
    BAD_FIELD,
    MISSING_TEXT,
    SCORED,
    TEXT_NOT_STRING,
    UNREADABLE,
    BadFile,
)

_MARKER = b"0123456789abcdef"
_TEXT = {"type": "record", "name": "Review", "fields": [{"name": "text", "type": "string"}]}


def _header(schema: object = _TEXT, codec: bytes = b"null") -> bytes:
    text = json.dumps(schema).encode()
    return _header_of({b"avro.codec": codec, b"avro.schema": text})


def _header_of(metadata: Mapping[bytes, bytes]) -> bytes:
    entries = b"".join(_bytes(key) + _bytes(value) for key, value in metadata.items())
    return b"Obj\x01" + _long(len(metadata)) + entries + b"\0" + _MARKER


def _block(*texts: str, count: int = -1, size: int = -1, marker: bytes = _MARKER) -> bytes:
    data = b"".join(_bytes(text.encode()) for text in texts)
    count = len(texts) if count < 0 else count
    return _long(count) + _long(len(data) if size < 0 else size) + data + marker


def _bytes(data: bytes) -> bytes:
    return _long(len(data)) + data


def _long(value: int) -> bytes:
    """An integer as Avro has it: zigzag, seven bits a byte."""
    value = value << 1 ^ value >> 63
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


_H = len(_header())
_GOOD = _header() + _block("Nice.")
_SECOND = len(_GOOD)
"""Where a second block starts."""

_BAD_HEADER = {
    "of no bytes": b"",
    "of nothing but its mark": b"Obj\x01",
    "cut within its header": _GOOD[:30],
    "cut within its marker": _header()[:-3],
    "without a schema": _header_of({b"avro.codec": b"null"}) + _block("Nice."),
    "with a schema that is no JSON": _header_of({b"avro.schema": b"{"}) + _block("Nice."),
    "with a schema of an unknown type": _header({"type": "review"}) + _block("Nice."),
    "that is an Arrow file": b"ARROW1\0\0" + b"\0" * 40 + b"ARROW1",
    "with a schema of a string": _header("string") + _block("Nice."),
    "with a schema of a list": _header({"type": "array", "items": "string"}),
    "with a schema nested too deep": _header_of({b"avro.schema": b"[" * 100_000}),
    "that is JSON": b'{"text": "Nice."}\n',
    "that is Parquet": b"PAR1" + b"\0" * 40 + b"PAR1",
}

_BAD_BLOCK = {
    "of an unknown codec": _header(codec=b"brotli") + _block("Nice."),
    "with damaged deflate": _header(codec=b"deflate") + _block("Nice."),
    "with damaged xz": _header(codec=b"xz") + _block("Nice."),
    "with a text longer than its block": _header() + _long(1) + _long(2) + b"\x7eN" + _MARKER,
    "with a text of negative length": _header() + _long(1) + _long(2) + b"\x09N" + _MARKER,
}

_BAD_SECOND_BLOCK = {
    "cut within a block": _block("Good.")[:5],
    "cut within the marker of a block": _block("Good.")[:-3],
    "with another marker": _block("Good.", marker=b"fedcba9876543210"),
    "with a block of negative size": _long(1) + b"\x09" + b"Good." + _MARKER,
    "with a block of exabytes": _block("Good.", size=2**60),
    "with words after it": b"words",
    "with NULs after it": b"\0" * 40,
    "concatenated": _GOOD,
}


def _avro(field: Mapping[str, Any], value: Any) -> bytes:
    fields = [{"name": "text", "type": "string"}] if field["name"] != "text" else []
    schema = {"type": "record", "name": "Review", "fields": [*fields, field]}
    return _header(schema) + _written(schema, {"text": "Nice.", field["name"]: value})


def _written(schema: Any, record: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return _long(1) + _long(len(out.getvalue())) + out.getvalue() + _MARKER


_NO_FIELDS = _header({**_TEXT, "fields": []}) + _block(count=1)
_ENUM = {"type": "enum", "name": "Word", "symbols": ["Nice"]}
_FIXED = {"type": "fixed", "name": "Four", "size": 4}
_INNER = {"type": "record", "name": "Text", "fields": [{"name": "en", "type": "string"}]}

_FIELDS: dict[str, tuple[str, Any, Any, str]] = {
    "with integers for texts": ("text", "long", 5, TEXT_NOT_STRING),
    "with records for texts": ("text", _INNER, {"en": "Nice."}, TEXT_NOT_STRING),
    "with nulls for texts": ("text", "null", None, MISSING_TEXT),
    "with an enum for texts": ("text", _ENUM, "Nice", SCORED),
    "with fixed texts": ("text", _FIXED, b"Nice", SCORED),
    "with stars as strings": ("stars", "string", "five", BAD_FIELD),
    "with stars as floats": ("stars", "float", 5.0, BAD_FIELD),
    "with truths as integers": ("sold", "int", 1, BAD_FIELD),
    "with times as integers": ("written", "long", 1714521600000, BAD_FIELD),
    "with days as strings": ("day", "string", "May 1", BAD_FIELD),
}


def _file(what: str, content: bytes, outcomes: Mapping[str, str]) -> BadFile:
    return BadFile(f"Avro {what}", ".avro", content, outcomes)


def _first(content: bytes) -> str:
    """Position of the first record."""
    return f"{content.index(_MARKER) + len(_MARKER)}:0"


def _typed(what: str, name: str, kind: Any, value: Any, outcome: str) -> BadFile:
    content = _avro({"name": name, "type": kind}, value)
    return _file(what, content, {_first(content): outcome})


FILES = [
    *(_file(what, content, {"0": UNREADABLE}) for what, content in _BAD_HEADER.items()),
    *(_file(what, c, {_first(c): UNREADABLE}) for what, c in _BAD_BLOCK.items()),
    *(
        _file(what, _GOOD + block, {f"{_H}:0": SCORED, f"{_SECOND}:0": UNREADABLE})
        for what, block in _BAD_SECOND_BLOCK.items()
    ),
    *(_typed(what, *field) for what, field in _FIELDS.items()),
    _file("without text", _NO_FIELDS, {_first(_NO_FIELDS): MISSING_TEXT}),
    _file(
        "with a block of nothing", _header() + _block() + _block("Nice."), {f"{_H + 18}:0": SCORED}
    ),
    _file("of no blocks", _header(), {}),
    _file(
        "with a block that counts too many",
        _header() + _block("Nice.", count=2),
        {f"{_H}:0": SCORED, f"{_H}:1": UNREADABLE},
    ),
    _file(
        "with a block that counts too few",
        _header() + _block("Nice.", "Good.", count=1),
        {f"{_H}:0": SCORED, f"{_H}:1": UNREADABLE},
    ),
]
