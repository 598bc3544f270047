"""Files of Parquet that are damaged, or have other columns than a review needs."""

import datetime
import decimal
import io
import struct
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from tests.bad_input.kinds import (
    BAD_FIELD,
    MALFORMED,
    MISSING_TEXT,
    SCORED,
    TEXT_NOT_STRING,
    UNREADABLE,
    BadFile,
)

_TEXTS = ["Nice.", "Good.", "Fine."]


def _parquet(columns: Mapping[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


_WHOLE = _parquet({"text": _TEXTS}, use_dictionary=False, compression="none")
_CHECKED = _parquet(
    {"text": _TEXTS}, use_dictionary=False, compression="none", write_page_checksum=True
)
_IN_GROUPS = _parquet({"text": _TEXTS}, row_group_size=1, compression="none", use_dictionary=False)


def _footer(length: int) -> bytes:
    return _WHOLE[:-8] + struct.pack("<i", length) + b"PAR1"


def _feather() -> bytes:
    out = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({"text": _TEXTS}), out)
    return out.getvalue()


_UNREADABLE = {
    "of no bytes": b"",
    "of nothing but its marks": b"PAR1PAR1",
    "of nothing but its first mark": b"PAR1",
    "cut in half": _WHOLE[: len(_WHOLE) // 2],
    "without its last byte": _WHOLE[:-1],
    "without its first byte": _WHOLE[1:],
    "without its footer": _WHOLE[: _WHOLE.index(b"Fine.") + 5],
    "with words after it": _WHOLE + b"words",
    "with NULs after it": _WHOLE + b"\0" * 4096,
    "with a footer longer than the file": _footer(2**31 - 1),
    "with a footer of negative length": _footer(-1),
    "with an empty footer": _footer(0),
    "with a footer too short": _footer(40),
    "with a footer of NULs": b"PAR1" + b"\0" * 100 + struct.pack("<i", 100) + b"PAR1",
    "that is encrypted": _WHOLE[:-4] + b"PARE",
    "that is ORC": b"ORC\x08\x03\x10\0ORC",
    "that is Feather": _feather(),
    "that is JSONL": b'{"text": "Nice."}\n',
    "with a flipped bit in a page": _CHECKED.replace(b"Nice.", b"Nicf."),
    "with a page of another length": _WHOLE.replace(b"\x05\0\0\0Nice.", b"\x05\0\1\0Nice."),
    "with a page that is gone": _WHOLE[:4] + b"\0" * 40 + _WHOLE[44:],
}

_AFTER_TWO_GROUPS = _IN_GROUPS.replace(b"\x05\0\0\0Fine.", b"\x05\0\1\0Fine.")

_LISTS = pa.array([["Nice."], [], None], pa.list_(pa.string()))
_STRUCTS = pa.array([{"en": "Nice."}] * 3)
_MAPS = pa.array([[("en", "Nice.")]] * 3, pa.map_(pa.string(), pa.string()))

_NO_TEXTS = {
    "integers": pa.array([1, 2, 3]),
    "floats": pa.array([0.5, 1.5, 2.5]),
    "halves": pa.array([0.5, 1.5, 2.5], pa.float16()),
    "truths": pa.array([True, False, True]),
    "times": pa.array([datetime.datetime(2024, 5, 1)] * 3),
    "days": pa.array([datetime.date(2024, 5, 1)] * 3),
    "times of day": pa.array([datetime.time(10)] * 3),
    "durations": pa.array([datetime.timedelta(1)] * 3),
    "decimals": pa.array([decimal.Decimal("0.5")] * 3),
    "structs": _STRUCTS,
    "maps": _MAPS,
}

_TEXT_ALL_THE_SAME = {
    "bytes": pa.array(_TEXTS, pa.binary()),
    "bytes of one length": pa.array(_TEXTS, pa.binary(5)),
    "large strings": pa.array(_TEXTS, pa.large_string()),
    "a dictionary": pa.array(_TEXTS).dictionary_encode(),
}

_NO_COLUMN = {
    "without text": {"body": _TEXTS},
    "with Text in upper case": {"TEXT": _TEXTS},
    "with text in a struct": {"review": pa.array([{"text": "Nice."}] * 3)},
    "with text by a path": {"review.text": _TEXTS},
    "of nulls": {"text": pa.nulls(3)},
    "of null strings": {"text": pa.nulls(3, pa.string())},
}

_NO_KEPT: dict[str, dict[str, Any]] = {
    "stars as floats": {"stars": [5.0, 4.0, 3.0]},
    "stars as decimals": {"stars": [decimal.Decimal(5)] * 3},
    "stars as lists": {"stars": [[5], [4], [3]]},
    "stars beyond 64 bits with sign": {"stars": pa.array([2**63] * 3, pa.uint64())},
    "truths as integers": {"sold": [1, 0, 1]},
    "times as integers": {"written": [1, 2, 3]},
    "times as days": {"written": [datetime.date(2024, 5, 1)] * 3},
    "days as times": {"day": [datetime.datetime(2024, 5, 1)] * 3},
    "strings as integers": {"note": [1, 2, 3]},
    "floats as decimals": {"price": [decimal.Decimal("9.50")] * 3},
}

_IN_YEAR_10000 = pa.array([253402300800] * 3, pa.int64()).cast(pa.timestamp("s"))

_BAD = {"0": UNREADABLE}


def _all(outcome: str) -> dict[str, str]:
    return {str(index): outcome for index in range(3)}


def _file(what: str, content: bytes, outcomes: Mapping[str, str]) -> BadFile:
    return BadFile(f"Parquet {what}", ".parquet", content, outcomes)


FILES = [
    *(_file(what, content, _BAD) for what, content in _UNREADABLE.items()),
    _file(
        "with damage in its third row group",
        _AFTER_TWO_GROUPS,
        {"0": SCORED, "1": SCORED, "2": UNREADABLE},
    ),
    *(
        _file(f"with {what} for texts", _parquet({"text": column}), _all(TEXT_NOT_STRING))
        for what, column in _NO_TEXTS.items()
    ),
    _file(
        "with lists for texts",
        _parquet({"text": _LISTS}),
        {"0": TEXT_NOT_STRING, "1": TEXT_NOT_STRING, "2": MISSING_TEXT},
    ),
    *(
        _file(f"with texts in {what}", _parquet({"text": column}), _all(SCORED))
        for what, column in _TEXT_ALL_THE_SAME.items()
    ),
    *(_file(what, _parquet(columns), _all(MISSING_TEXT)) for what, columns in _NO_COLUMN.items()),
    *(
        _file(f"with {what}", _parquet({"text": _TEXTS, **columns}), _all(BAD_FIELD))
        for what, columns in _NO_KEPT.items()
    ),
    _file(
        "with times beyond Python's",
        _parquet({"text": _TEXTS, "written": _IN_YEAR_10000}),
        _all(MALFORMED),
    ),
    _file("of no rows", _parquet({"text": pa.array([], pa.string())}), {}),
    _file("of no columns", _parquet({}), {}),
]
