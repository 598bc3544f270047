"""TFRecords of tf.train.Example.

tfx-bsl decodes the examples. Its `tfxio` sources can't be used to read the files: they yield Arrow
tables without positions and end the job at the first example or frame that is broken. So the
framing, twelve bytes before a record and four after, is read here.
"""

import importlib.util
import io
import struct
from collections.abc import Iterable, Iterator, Sequence

import google_crc32c

from beam_jobs.formats import base
from beam_jobs.formats.base import DamagedFile, FileRange, Format, too_large, unreadable
from beam_jobs.formats.fields import sampled_fields
from beam_jobs.formats.streams import BUFFER_BYTES, open_stream
from schemas.errors import UserError
from schemas.field import FieldType
from schemas.payload import Origin, Payload
from schemas.rejection import PAYLOAD_LIMIT_BYTES, Rejection, Stage, reject_data

BATCH_EXAMPLES = 256
"""Examples decoded at a time, if they aren't large."""

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")

Example = tuple[Origin, bytes]
"""A serialized tf.train.Example, and where it stands."""


class TFRecord(Format):
    """Examples known by their index in the file, counted from 0; files aren't split.

    A feature with one value becomes that value, one with more a list, one with none None.
    """

    name = "tfrecord"

    def read(self, part: FileRange, columns: Sequence[str]) -> Iterator[Payload | Rejection]:
        from beam_jobs.formats.examples import decode  # imports tfx-bsl

        for batch in _batches(_frames(part.path)):
            if isinstance(batch, Rejection):
                yield batch
            else:
                yield from decode(batch)

    def _fields(self, path: str) -> dict[str, FieldType]:
        self.check_installed()
        return sampled_fields(self.read(FileRange(path), ()))

    def check_installed(self) -> None:
        if importlib.util.find_spec("tfx_bsl") is None:
            raise UserError(
                "TFRecord input needs the package tfx-bsl, which is not installed; it can't be on "
                "Linux on arm64 and on Python 3.10: convert the input to JSONL there"
            )


TFRECORD = TFRecord()


def _batches(frames: Iterable[Example | Rejection]) -> Iterator[list[Example] | Rejection]:
    batch: list[Example] = []
    size = 0
    for frame in frames:
        if isinstance(frame, Rejection):
            yield batch
            yield frame
            batch, size = [], 0
            continue
        batch.append(frame)
        size += len(frame[1])
        if len(batch) == BATCH_EXAMPLES or size > base.RECORD_LIMIT_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _frames(path: str) -> Iterator[Example | Rejection]:
    """The records of a file, not yet decoded."""
    index = 0
    with open_stream(path) as stream:
        try:
            while (length := _next_length(stream)) is not None:
                yield _frame(stream, length, Origin(path, str(index)))
                index += 1
        except DamagedFile as damage:
            yield unreadable(path, index, damage)


def _next_length(stream: io.BufferedReader) -> int | None:
    """Length of the next record in bytes; None at the end of the file."""
    data = stream.read(_LENGTH.size)
    if not data:
        return None
    _check(data, stream)
    return int(_LENGTH.unpack(data)[0])


def _frame(stream: io.BufferedReader, length: int, origin: Origin) -> Example | Rejection:
    if length <= base.RECORD_LIMIT_BYTES:
        data = _exactly(stream, length)
        _check(data, stream)
        return origin, data
    beginning = _exactly(stream, min(length, PAYLOAD_LIMIT_BYTES))
    _skip(stream, length - len(beginning) + _CHECKSUM.size)
    return reject_data(origin, Stage.PARSE, too_large(), beginning, length)


def _check(data: bytes, stream: io.BufferedReader) -> None:
    """Reads the checksum that follows data; it is masked: rotated, and a constant added."""
    checksum = google_crc32c.value(data)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    if _CHECKSUM.pack(masked) != _exactly(stream, _CHECKSUM.size):
        raise DamagedFile("A checksum does not fit its data, or it is not TFRecord.")


def _skip(stream: io.BufferedReader, size: int) -> None:
    while size:
        size -= len(_exactly(stream, min(size, BUFFER_BYTES)))


def _exactly(stream: io.BufferedReader, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise DamagedFile("It ends within a record.")
    return data
