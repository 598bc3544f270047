"""Lines of plain text that look like something else."""

from tests.bad_input.encodings import TEXTS
from tests.bad_input.kinds import NO_RECORD, NOT_UTF8, SCORED, TOO_LARGE, BadRecord, records

_BLANK = {
    "a line of nothing": b"",
    "a line of spaces": b"    ",
    "a line of tabs": b"\t\t",
    "a line of control characters that are space": b"\v\f",
    "a line of carriage returns": b"\r\r",
}

_FINE = {
    "a line of one letter": b"N",
    "a line of NULs": b"\0\0\0",
    "a line with a NUL": b"Very\0nice.",
    "a line with a carriage return": b"Very\rnice.",
    "a line with a line separator": "Very\u2028nice.".encode(),
    "a line with a next-line character": "Very\u0085nice.".encode(),
    "a line with a form feed": b"Very\fnice.",
    "a line of zero-width spaces": "\u200b\u200b".encode(),
    "a byte order mark before a line": b"\xef\xbb\xbfNice.",
    "a line of JSON": b'{"text": 5}',
    "a line of CSV": b'"a","Nice."',
    "a line of HTML": b"<br />Nice.",
    "a line of punctuation": b"!?!?...",
    "an open quote": b'"Nice.',
    "colours of a terminal, a line": b"\x1b[32mNice.\x1b[0m",
    "a formula, a line": b"=1+1",
    "an emoji of seven code points": "👩‍👩‍👧‍👦".encode(),
    "a line of a million characters": b"Nice. " * 166_666 + b"Nice",
}

RECORDS = [
    *(BadRecord(f"{name}, a line", text, outcome) for name, text, outcome in TEXTS),
    *records(NO_RECORD, _BLANK),
    *records(SCORED, _FINE),
    *records(
        NOT_UTF8,
        {
            "a line of gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
            "a line of a JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
        },
    ),
    *records(
        TOO_LARGE,
        {
            "a line of a million characters and one": b"N" * 1_000_001,
            "a line of 16 MiB and a byte": b"N" * (16 * 1024 * 1024 + 1),
        },
    ),
]
