"""Rows of CSV and TSV that are broken, or hold something other than a review."""

from tests.bad_input.encodings import TEXTS
from tests.bad_input.kinds import (
    BAD_FIELD,
    BAD_ID,
    EMPTY_TEXT,
    MALFORMED,
    NO_RECORD,
    SCORED,
    TOO_LARGE,
    BadRecord,
    records,
)

_REST = {
    "stars": "5",
    "price": "9.5",
    "sold": "true",
    "written": "2024-05-01T10:00:00Z",
    "day": "2024-05-01",
    "note": "fine",
    "tags": "[]",
}
FIELDS = ("id", "text", *_REST)
"""The columns of all dumps."""


def row(review_id: str, text: str = "Nice.", **others: str) -> dict[str, str]:
    """A row of CSV or TSV, in which nothing may be absent."""
    return {"id": review_id, "text": text, **_REST, **others}


_TAIL = ",".join(_REST.values()).encode()

_BROKEN_CSV = {
    "a row of one column": b"Nice.",
    "a row of a column too few": b"a,Nice.,5,9.5,true,2024-05-01T10:00:00Z,2024-05-01,fine",
    "a row of a column too many": b"a,Nice.," + _TAIL + b",more",
    "a row that ends with a comma": b"a,Nice.," + _TAIL + b",",
    "a comma without quotes": b"a,Nice, really.," + _TAIL,
    "quotes of another kind around a comma": b"a,'Nice, really.'," + _TAIL,
    "quotes escaped by backslashes": b'a,"So \\"nice\\".",' + _TAIL,
    "quotes not doubled": b'a,"So "nice".",' + _TAIL,
    "words after a closing quote": b'a,"Nice." really,' + _TAIL,
    "a space after a closing quote": b'a,"Nice." ,' + _TAIL,
    "a carriage return without quotes": b"a,Ni\rce.," + _TAIL,
    "semicolons": b"a;Nice.;5;9.5;true;2024-05-01T10:00:00Z;2024-05-01;fine;[]",
    "tabs": b"a\tNice.\t5\t9.5\ttrue\t2024-05-01T10:00:00Z\t2024-05-01\tfine\t[]",
    "pipes": b"a|Nice.|5|9.5|true|2024-05-01T10:00:00Z|2024-05-01|fine|[]",
    "a comment": b"# exported on Monday",
    "the number of rows": b"(2 rows)",
    "a ruler": b"---------",
    "JSON among CSV": b'{"id": "a", "text": "Nice."}',
}

_BLANK_CSV = {"nothing but a line end": b"", "nothing but a carriage return": b"\r"}

_FINE_CSV = {
    "a quote within a field": b'a quote within a field,a 5" disc,' + _TAIL,
    "quotes around everything": b'"quotes around everything","Nice.","5","9.5","true",'
    b'"2024-05-01T10:00:00Z","2024-05-01","fine","[]"',
    "a space before an opening quote": b'a space before an opening quote, "Nice.",' + _TAIL,
    "a carriage return in quotes": b'a carriage return in quotes,"Ni\rce.",' + _TAIL,
    "a line end in quotes": b'a line end in quotes,"Ni\n\r\n\nce.",' + _TAIL,
    "a NUL in a field": b"a NUL in a field,Ni\0ce.," + _TAIL,
    "a NUL in quotes": b'a NUL in quotes,"Ni\0\nce.",' + _TAIL,
    "null of a database": b"null of a database,\\N," + _TAIL,
    "a byte order mark in a field": b"a byte order mark in a field,\xef\xbb\xbfNice.," + _TAIL,
}

_ROWS = [
    *(
        BadRecord(f"{name}, CSV", row(name, text.decode("utf-8", "surrogateescape")), outcome, name)
        for name, text, outcome in TEXTS
    ),
    *records(EMPTY_TEXT, {"an empty field": row("a", ""), "a field of spaces": row("a", "  ")}),
    *records(BAD_ID, {"an empty id": row(""), "an id of spaces": row("  ")}),
    *records(TOO_LARGE, {"a field of a million and one": row("a", "N" * 1_000_001)}),
    *records(
        BAD_FIELD,
        {
            "the header again": {name: name for name in FIELDS},
            "an empty integer": row("a", stars=""),
            "an integer with a comma": row("a", stars="1,000"),
            "an integer with an underscore": row("a", stars="1_000"),
            "an integer with a point": row("a", stars="5.0"),
            "an integer of Excel": row("a", stars="1E+05"),
            "an error of Excel": row("a", price="#DIV/0!"),
            "an empty float": row("a", price=""),
            "a truth of Excel": row("a", sold="WAHR"),
            "a time of Excel": row("a", written="45413.41"),
            "a day of Excel": row("a", day="5/1/24"),
            "columns in another order": row("a", stars="Nice.", note="5"),
            "a note in Latin-1": row("a", note="caf\udce9"),
        },
    ),
    *records(
        SCORED,
        {
            "a formula in a field": row("a formula in a field", "=1+1"),
            "digits of another script": row("digits of another script", stars="\uff15"),
            "a field of 500,000 letters": row("a field of 500,000 letters", "n" * 500_000),
        },
    ),
]

CSV = [
    *records(MALFORMED, _BROKEN_CSV),
    *records(NO_RECORD, _BLANK_CSV),
    *records(SCORED, _FINE_CSV),
    *_ROWS,
]

_TAIL_TSV = _TAIL.replace(b",", b"\t")

TSV = [
    *records(
        MALFORMED,
        {
            "commas in TSV": b"a,Nice.," + _TAIL,
            "spaces for tabs": b"a   Nice.   5   9.5   true",
            "a tab without quotes": b"a\tVery\tnice.\t" + _TAIL_TSV,
            "a doubled tab": b"a\t\tNice.\t" + _TAIL_TSV,
            "a quoted word first": b'a\t"So" nice.\t' + _TAIL_TSV,
        },
    ),
    *records(NO_RECORD, {"nothing but a line end in TSV": b""}),
    *records(
        SCORED,
        {
            "escapes of MySQL": b"escapes of MySQL\tVery\\tnice.\\n\t" + _TAIL_TSV,
            "commas and single quotes": b"commas and single quotes\tNice, 'really'\t" + _TAIL_TSV,
            "a tab in quotes": b'a tab in quotes\t"Very\tnice."\t' + _TAIL_TSV,
        },
    ),
    *records(BAD_FIELD, {"a row shifted by a column": row("a", "5", stars="9.5", price="true")}),
]
