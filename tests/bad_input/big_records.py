"""Records of any size, one to a file, between two good ones."""

import gzip
import struct
from bz2 import compress as bzip2
from collections.abc import Callable, Iterator
from typing import NamedTuple

import zstandard

from tests.beam_jobs.formats.files import example, frame, masked_crc


class BigFile(NamedTuple):
    """A file with one big record.

    Attributes:
        suffix: what its name ends with.
        content: its bytes.
        position: of the big record.
        last: position of the good record after it.
    """

    suffix: str
    content: bytes
    position: int
    last: int


def _lines(start: bytes, end: bytes, big: bytes) -> tuple[bytes, int, int]:
    good = start + b"Nice." + end + b"\n"
    content = good + start + big + end + b"\n" + good
    return content, len(good), len(content) - len(good)


def _jsonl(size_bytes: int) -> tuple[bytes, int, int]:
    return _lines(b'{"text": "', b'"}', b"N" * size_bytes)


def _csv(size_bytes: int) -> tuple[bytes, int, int]:
    content, *_ = _lines(b'"', b'"', (b'one ""two"", ' * 1000 + b"\n") * (size_bytes // 13_001))
    return b"text\n" + content, 1, 2


def _tfrecord(size_bytes: int) -> tuple[bytes, int, int]:
    good = frame(example({"text": [b"Nice."]}))
    length = struct.pack("<Q", size_bytes)
    # Of a record that is passed over, nobody looks at the checksum.
    big = length + masked_crc(length) + bytes(size_bytes) + b"\0\0\0\0"
    return good + big + good, 1, 2


_FORMATS: dict[str, Callable[[int], tuple[bytes, int, int]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tfrecord": _tfrecord,
}

_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, 1),
    ".bz2": bzip2,
    ".zst": zstandard.compress,
}


def big_files(size_bytes: int) -> Iterator[BigFile]:
    """A file of each format that is read record by record, and JSONL in each compression."""
    for suffix, make in _FORMATS.items():
        yield BigFile(suffix, *make(size_bytes))
    content, position, last = _jsonl(size_bytes)
    for suffix, compress in _COMPRESSORS.items():
        yield BigFile(f".jsonl{suffix}", compress(content), position, last)
