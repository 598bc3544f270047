"""CSV and TSV, with a header, as spreadsheets and databases write them."""

import csv
import io
from collections.abc import Iterator, Sequence

from beam_jobs.formats import base
from beam_jobs.formats.base import DamagedFile, FileRange, Format, too_large, unreadable
from beam_jobs.formats.lines import BYTE_ORDER_MARK
from beam_jobs.formats.streams import open_stream, skip_record
from schemas.field import FieldType
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject_data

_NUL = "\udc00"
"""Stands for a NUL while csv is at work, which refuses NULs up to Python 3.10. Nothing else
decodes to it: surrogateescape uses U+DC80 to U+DCFF."""


class Delimited(Format):
    """Records with a header (RFC 4180), told apart by their index, counted from 0.

    Fields may be quoted, and quoted fields may hold delimiters, quotes (doubled) and line ends; so
    only reading from the front tells where a record starts, and files aren't split. Bytes that
    aren't UTF-8 reach the fields as surrogates (PEP 383).

    An over-long record is taken to end with the first line at whose end its quotes are balanced,
    and reading goes on after it: a quote that is never closed costs the rest of the file, which
    is one rejection.
    """

    def __init__(self, name: str, delimiter: str) -> None:
        self.name = name
        self._delimiter = delimiter

    def read(self, part: FileRange, columns: Sequence[str]) -> Iterator[Payload | Rejection]:
        index = 0
        with open_stream(part.path) as stream:
            try:
                records = _Records(stream, self._delimiter)
                header = _header(records)
                for row in records:
                    yield _item(Origin(part.path, str(index)), header, row, records)
                    index += 1
            except DamagedFile as damage:
                yield unreadable(part.path, index, damage)

    def _fields(self, path: str) -> dict[str, FieldType]:
        with open_stream(path) as stream:
            return dict.fromkeys(_header(_Records(stream, self._delimiter)), FieldType.STRING)


CSV = Delimited("csv", ",")
TSV = Delimited("tsv", "\t")


class _OverLongError(Exception):
    """The record being read is longer than RECORD_LIMIT_BYTES."""


class _Records:
    """Iterates over the records of a stream: the fields of each, or what is wrong with it.

    Attributes:
        data: the bytes of the latest record, or the beginning of an over-long one.
        length: true length of the latest record in bytes, without its line end.
    """

    def __init__(self, stream: io.BufferedReader, delimiter: str) -> None:
        # The library's own limit, which holds for the whole process, is 131,072 characters.
        csv.field_size_limit(base.RECORD_LIMIT_BYTES)
        self._stream = stream
        self._lines: list[bytes] = []
        self._size = 0
        self._at_start = True
        self._rows = csv.reader(iter(self._next_line, ""), delimiter=delimiter, strict=True)
        self.length = 0

    @property
    def data(self) -> bytes:
        return b"".join(self._lines).rstrip(b"\r\n")

    def __iter__(self) -> Iterator[list[str] | RecordError]:
        return self

    def __next__(self) -> list[str] | RecordError:
        row: list[str] | RecordError = []
        while not row:  # a blank line is an empty row
            self._lines.clear()
            self._size = self.length = 0
            row = self._next_row()
        return row

    def _next_row(self) -> list[str] | RecordError:
        try:
            row = next(self._rows)
        except csv.Error:
            detail = "A quote is not closed, or something other than a delimiter follows one."
            return RecordError(Reason.MALFORMED_RECORD, detail)
        except _OverLongError:
            _, self.length = skip_record(self._stream, b"".join(self._lines), quoted=True)
            return too_large()
        if any(b"\0" in line for line in self._lines):
            row = [field.replace(_NUL, "\0") for field in row]
        return row

    def _next_line(self) -> str:
        limit = base.RECORD_LIMIT_BYTES - self._size
        line = self._stream.readline(limit + 1)
        if self._at_start:
            line = line.removeprefix(BYTE_ORDER_MARK)
            self._at_start = False
        self._lines.append(line)
        self._size += len(line)
        if len(line) > limit:
            raise _OverLongError
        return line.decode("utf-8", "surrogateescape").replace("\0", _NUL)


def _header(records: _Records) -> list[str]:
    header = next(records, [])
    if isinstance(header, RecordError):
        raise DamagedFile("Its header is no CSV.") from header
    for number, name in enumerate(header, start=1):
        if not name.strip():
            raise DamagedFile(f"Column {number} of its header has no name.")
        first = header.index(name) + 1
        if first != number:
            raise DamagedFile(f"Columns {first} and {number} of its header have the same name.")
    return header


def _item(
    origin: Origin, header: list[str], row: list[str] | RecordError, records: _Records
) -> Payload | Rejection:
    if isinstance(row, list):
        if len(row) == len(header):
            return Payload(origin, PayloadKind.FIELDS, dict(zip(header, row, strict=True)))
        detail = f"It has {len(row)} columns, and the header has {len(header)}."
        row = RecordError(Reason.MALFORMED_RECORD, detail)
    return reject_data(origin, Stage.PARSE, row, records.data, records.length)
