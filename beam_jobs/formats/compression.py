"""Decompression that tells an incomplete file from a complete one.

Beam's CompressedFile, gzip and zstandard differ in what they do at a premature end (Beam's ends in
silence), so all three compressions go through one loop here that knows when a member is complete.
"""

import bz2
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import zstandard

from beam_jobs.formats.base import DamagedFile

OUTPUT_BYTES = 1024 * 1024
"""Decompressed at a time, where a library can be told."""


class _Compression(NamedTuple):
    """A compression.

    Attributes:
        name: what messages call it.
        piece_bytes: compressed bytes decompressed at a time. What comes out is held in memory:
            gzip makes a thousand times as much of them at most, zstd 32,768 times.
        start: makes a decompressor of one member.
        decompress: what a piece of a member becomes.
    """

    name: str
    piece_bytes: int
    start: Callable[[], Any]
    decompress: Callable[[Any, bytes], Iterator[bytes]]


def _gunzip() -> Any:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with the header of gzip


def _unzstd() -> Any:
    return zstandard.ZstdDecompressor().decompressobj()


def _at_once(member: Any, data: bytes) -> Iterator[bytes]:
    yield member.decompress(data)


def _in_parts(member: bz2.BZ2Decompressor, data: bytes) -> Iterator[bytes]:
    """What bzip2 makes of a few bytes can be larger than memory."""
    yield member.decompress(data, OUTPUT_BYTES)
    while not member.eof and not member.needs_input:
        yield member.decompress(b"", OUTPUT_BYTES)


COMPRESSIONS: Mapping[str, _Compression] = {
    ".gz": _Compression("gzip", 4096, _gunzip, _at_once),
    ".bz2": _Compression("bzip2", 4096, bz2.BZ2Decompressor, _in_parts),
    ".zst": _Compression("zstd", 512, _unzstd, _at_once),
}
"""Compression by suffix."""


def compression_suffix(path: str) -> str:
    """The suffix of a compressed file in lower case, or an empty string."""
    lowered = path.lower()
    return next((suffix for suffix in COMPRESSIONS if lowered.endswith(suffix)), "")


class Decompressed(io.RawIOBase):
    """The decompressed content of a file; concatenated members and frames read as one.

    Raises DamagedFile on reading where the file is corrupt or ends too early; all complete
    content before comes first.
    """

    def __init__(self, source: io.RawIOBase, suffix: str) -> None:
        self._source = source
        self._compression = COMPRESSIONS[suffix]
        self._content = self._decompressed()
        self._output = memoryview(b"")

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._source.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._output:
            piece = next(self._content, None)
            if piece is None:
                return 0
            self._output = memoryview(piece)
        size = min(len(buffer), len(self._output))
        buffer[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _decompressed(self) -> Iterator[bytes]:
        member = self._compression.start()
        while data := self._source.read(self._compression.piece_bytes):
            if member is None:
                data = data.lstrip(b"\0")  # tapes and block devices pad with zeros
            while data:
                member = member or self._compression.start()
                yield from self._pieces(member, data)
                data = b""
                if member.eof:
                    data = member.unused_data.lstrip(b"\0")
                    member = None
        if member is not None:
            raise DamagedFile(f"Its {self._compression.name} data ends too early.")

    def _pieces(self, member: Any, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._compression.decompress(member, data)
        except (zlib.error, zstandard.ZstdError, OSError, EOFError, ValueError) as error:
            raise DamagedFile(f"Its {self._compression.name} data is corrupt.") from error
