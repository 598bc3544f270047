"""Avro object container files."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import fastavro

from beam_jobs.formats.avro_schema import fields_of, uuid_fields
from beam_jobs.formats.base import END_OF_FILE, DamagedFile, FileRange, Format, unreadable
from beam_jobs.formats.streams import BUFFER_BYTES, StoredStream
from schemas.field import FieldType
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Rejection

MARKER_BYTES = 16
"""Length of the marker that ends the header and every block, the same throughout a file."""


class Avro(Format):
    """Records of Avro, known by the offset of their block and their index in it.

    A block belongs to the range in which it starts. Damage ends the range that it is in.
    """

    name = "avro"
    splittable = True
    self_compressed = True

    def read(self, part: FileRange, columns: Sequence[str]) -> Iterator[Payload | Rejection]:
        with StoredStream(part.path) as stream:
            try:
                file = _AvroFile(stream)
            except DamagedFile as damage:
                if not part.start:  # every range reads the header: one of them reports it
                    yield unreadable(part.path, 0, damage)
                return
            yield from _items(file, part)

    def _fields(self, path: str) -> dict[str, FieldType]:
        with StoredStream(path) as stream:
            file = _AvroFile(stream)
            first = file.block_after(0)
            if first != END_OF_FILE:
                file.block_at(first)  # tells now, and not on every worker, of a missing codec
            return fields_of(file.schema)


AVRO = Avro()


def _items(file: "_AvroFile", part: FileRange) -> Iterator[Payload | Rejection]:
    offset = file.block_after(part.start)
    while offset < part.stop:
        index = -1
        try:
            records, after = file.block_at(offset)
            for index, values in enumerate(records):
                origin = Origin(part.path, f"{offset}:{index}")
                yield Payload(origin, PayloadKind.FIELDS, values)
        except DamagedFile as damage:
            yield unreadable(part.path, f"{offset}:{index + 1}", damage)
            return
        offset = after


def _shown(codec: str) -> str:
    """The name of a codec, short and fit for a line, whatever a file says that it is."""
    return ascii(codec)[1:-1][:40]


class _AvroFile:
    """An open file: where its blocks stand, and their records.

    Raises DamagedFile where the header, and later a block, can't be read.
    """

    def __init__(self, stream: StoredStream) -> None:
        self._stream = stream
        with stream.blaming_content("It is not Avro, or its header is damaged."):
            # Invalid UTF-8 in one string must not cost the file: the parser rejects the record.
            self._blocks = fastavro.block_reader(stream, handle_unicode_errors="surrogateescape")
        self.schema: Any = self._blocks.writer_schema
        self._uuids = uuid_fields(self.schema)
        self._damage = (
            f"A block of it is damaged, or its codec ({_shown(self._blocks.codec)}) is not "
            "installed (`pip install fastavro[codecs]`)."
        )
        self._header_end = stream.tell()
        stream.seek(-MARKER_BYTES, os.SEEK_CUR)
        self._marker = stream.read(MARKER_BYTES)
        self._size = stream.seek(0, os.SEEK_END)

    def block_after(self, start: int) -> int:
        """Offset of the first block at or after a byte; END_OF_FILE where there is none."""
        position = max(start, self._header_end) - MARKER_BYTES
        self._stream.seek(position)
        window = b""
        while piece := self._stream.read(BUFFER_BYTES):
            window += piece
            found = window.find(self._marker)
            if found >= 0:
                return self._or_end(position + found + MARKER_BYTES)
            rest = window[1 - MARKER_BYTES :]  # the marker may be cut in two
            position += len(window) - len(rest)
            window = rest
        return END_OF_FILE

    def block_at(self, offset: int) -> tuple[Iterator[dict[str, Any]], int]:
        """The records of the block at an offset, and the offset of the next block, if any."""
        self._stream.seek(offset)
        with self._stream.blaming_content(self._damage):
            # The reader takes each block from where the stream stands.
            block = next(self._blocks)
        return self._records(block), self._or_end(block.offset + block.size)

    def _records(self, block: Any) -> Iterator[dict[str, Any]]:
        with self._stream.blaming_content(self._damage):
            for record in block:
                for name in self._uuids:
                    record[name] = record[name] and str(record[name])
                yield record
        if block.bytes_.read(1):
            raise DamagedFile("A block of it holds more than the records that it counts.")

    def _or_end(self, offset: int) -> int:
        return offset if offset < self._size else END_OF_FILE
