"""Inputs that broke a target once, each with what went wrong; kept so that it stays mended."""

from collections.abc import Mapping, Sequence

REGRESSIONS: Mapping[str, Sequence[bytes]] = {
    # An event before the first hour of all time in UTC raised OverflowError, which ended the job.
    "json": [b'{"id": 5, "text": "good", "timestamp": "0001-01-01T00:00:00+14:00"}'],
    "value": [b"\x040001-01-01T00:00:00+14:00"],
    # A line of the longest length, with its line end, was said to be a byte longer.
    "lines": [b"\x01\x01\x01\x01\x01\x07\x01\x07\n"],
    # The name of a codec, whatever it was, stood in the rejection as it was.
    "avro": [
        b"Obj\1\4\x14avro.codec\x0ed\rflate\x16avro.schema\xe6\1"
        b'{"type": "record", "name": "Review", "fields": [{"name": "n", "type": "long"}, '
        b'{"name": "text", "type": "string"}]}\0'
        + b"sixteen bytes..."
        + b"\2\2\0"
        + b"sixteen bytes..."
    ],
    # A logical type that is a list raised TypeError.
    "avro_block": [b"\x01\x02\x1b\x02\x02a\x02b"],
    # A time in a zone that there isn't, within a list, raised KeyError.
    "arrow": [b"\0\0\1\x0d\x08" + b"\1" * 8],
    # A column whose name isn't UTF-8 failed on the first row; one without a name was taken.
    "kept_field": [b"\0\0\xe9:string", b"\1\0a\xff=b:int64", b"\0\0=stars:bool", b"\1\0x=:json"],
    # A format of dates that isn't UTF-8 raised UnicodeEncodeError.
    "date_template": [b"\0\0{date:\xff}\nout/{date}"],
    # A NUL in the name of an object raised ValueError.
    "object_name": [b"\0", b"\0//b"],
    # Blanks before a URL raised ValueError.
    "url": [b"\tgs://", b" gs://bucket/x "],
    # A deeply nested card raised RecursionError; a name that isn't UTF-8 failed on the first row.
    "card": [
        b"[" * 3000,
        b'{"name": "\\ud800", "labels": ["a", "b"], "max_length": 9, '
        b'"truncation": {"head_share": 1}, "lower_case": true}',
    ],
    # A manifest that is no object, or nested too deep, raised.
    "manifest": [b"[]", b"null", b'"x"', b"[" * 3000],
}
