"""RFC 4180 by regular expressions, to compare the reader that the job uses with."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Record(NamedTuple):
    """A record of a file; blank lines are none.

    Attributes:
        data: its bytes, without the line end.
        fields: its fields; empty where it is no CSV or too long.
        too_long: whether it has more than the given number of bytes, its line end among them.
    """

    data: bytes
    fields: list[str]
    too_long: bool = False


def records(content: bytes, delimiter: str, limit_bytes: int) -> Iterator[Record]:
    """The records of a file, its header the first of them.

    A record that is no CSV ends with the line on which that shows. Where a quote isn't closed that
    is the last line of the file. One that is too long ends with the first line, from the limit on,
    up to which its quotes are balanced.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    quoted, plain = r'"(?:[^"]|"")*"(?!")', rf'(?:[^"{delimiter}\r\n][^{delimiter}\r\n]*)?'
    field = re.compile(f"(?:{quoted}|{plain})")
    start = 0
    while start < len(text):
        fields, stop, good = _record(text, start, delimiter, field)
        size = len(_bytes(text[start:stop]))
        if size > limit_bytes:
            stop = _end_of_long(text, start, limit_bytes)
        data = _bytes(text[start:stop]).rstrip(b"\r\n")
        if size > limit_bytes:
            yield Record(data, [], too_long=True)
        elif data or not good:
            yield Record(data, fields if good else [])
        start = stop


def _record(
    text: str, start: int, delimiter: str, field: re.Pattern[str]
) -> tuple[list[str], int, bool]:
    """Fields of a record, where the next one starts, and whether this one is CSV."""
    fields, position = [], start
    while match := field.match(text, position):
        fields.append(match[0])
        position = match.end()
        if text[position : position + 1] != delimiter:
            break
        position += 1
    if end := re.compile(r"\r*(\n|\Z)").match(text, position):
        return [_unquoted(field) for field in fields], end.end(), True
    unclosed = text[position] == '"' and not fields[-1]
    end_of_line = len(text) if unclosed else text.find("\n", position) + 1
    return [], end_of_line or len(text), False


def _end_of_long(text: str, start: int, limit_bytes: int) -> int:
    stop = start
    while stop < len(text):
        stop = text.find("\n", stop) + 1 or len(text)
        beyond = len(_bytes(text[start:stop])) > limit_bytes
        if beyond and text.count('"', start, stop) % 2 == 0:
            break
    return stop


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if field.startswith('"') else field


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
