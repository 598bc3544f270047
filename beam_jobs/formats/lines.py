"""A review per line: JSON objects, or nothing but the text."""

import io
from collections.abc import Iterator, Sequence

from beam_jobs.formats import base
from beam_jobs.formats.base import DamagedFile, FileRange, Format, too_large, unreadable
from beam_jobs.formats.fields import sampled_fields
from beam_jobs.formats.streams import BUFFER_BYTES, open_stream, skip_record
from schemas.field import FieldType
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Rejection, Stage, reject_data

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Lines(Format):
    """Lines of UTF-8, ended by LF or CRLF; blank ones are no records.

    A line belongs to the range in which its first byte stands, and is known by that byte's offset
    (after decompression).
    """

    splittable = True

    def __init__(self, name: str, kind: PayloadKind) -> None:
        self.name = name
        self._kind = kind

    def read(self, part: FileRange, columns: Sequence[str]) -> Iterator[Payload | Rejection]:
        # A range begins one byte early: only the line end there tells whether a line starts
        # with the range.
        offset = max(part.start - 1, 0)
        with open_stream(part.path, offset) as stream:
            try:
                if part.start:
                    offset += skip_record(stream, stream.readline(BUFFER_BYTES))[0]
                while offset < part.stop:
                    size, item = self._next(stream, Origin(part.path, str(offset)))
                    if not size:
                        return
                    if item:
                        yield item
                    offset += size
            except DamagedFile as damage:
                yield unreadable(part.path, offset, damage)

    def _next(
        self, stream: io.BufferedReader, origin: Origin
    ) -> tuple[int, Payload | Rejection | None]:
        """Reads a line: its size in bytes (0 at the end), and what it holds if it isn't blank."""
        line = stream.readline(base.RECORD_LIMIT_BYTES + 1)
        if len(line) > base.RECORD_LIMIT_BYTES:
            size, length = skip_record(stream, line)
            return size, reject_data(origin, Stage.PARSE, too_large(), line[:length], length)
        data = line.rstrip(b"\r\n")
        if origin.position == "0":
            data = data.removeprefix(BYTE_ORDER_MARK)
        if not data or data.isspace():
            return len(line), None
        return len(line), Payload(origin, self._kind, data)

    def _fields(self, path: str) -> dict[str, FieldType]:
        if self._kind is PayloadKind.TEXT:
            return {}
        return sampled_fields(self.read(FileRange(path), ()))


JSONL = Lines("jsonl", PayloadKind.JSON)
TEXT = Lines("text", PayloadKind.TEXT)
