"""Decompression that tells an incomplete file from a complete one.

Beam's CompressedFile, gzip and zstandard differ in what they do at a premature end (Beam's ends in
silence), so all three compressions go through one loop here that knows when a member is complete.
"""

import bz2
import io
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import zstandard

from beam_jobs.formats.base import DamagedFile

PIECE_BYTES = 4096
"""Compressed bytes decompressed at a time. Small, since what comes out is held in memory and can
be a thousand times as much."""


class _Decompressor(Protocol):
    """The members of a decompressor that all three libraries agree on."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Compression:
    """A compression: its name, and how a decompressor of one member is made."""

    def __init__(self, name: str, start: Callable[[], _Decompressor]) -> None:
        self.name = name
        self.start = start


def _gunzip() -> _Decompressor:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with the header of gzip


def _unzstd() -> _Decompressor:
    return zstandard.ZstdDecompressor().decompressobj()


COMPRESSIONS: Mapping[str, _Compression] = {
    ".gz": _Compression("gzip", _gunzip),
    ".bz2": _Compression("bzip2", bz2.BZ2Decompressor),
    ".zst": _Compression("zstd", _unzstd),
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
        self._member: _Decompressor | None = self._compression.start()
        self._input = b""
        self._output = memoryview(b"")

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._source.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._output:
            compressed = self._input or self._source.read(PIECE_BYTES)
            if not compressed:
                self._check_complete()
                return 0
            self._output = memoryview(self._decompress(compressed))
        size = min(len(buffer), len(self._output))
        buffer[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _decompress(self, data: bytes) -> bytes:
        self._input = b""
        if self._member is None:
            data = data.lstrip(b"\0")  # tapes and block devices pad with zeros
            if not data:
                return b""
            self._member = self._compression.start()
        try:
            output = self._member.decompress(data)
        except (zlib.error, zstandard.ZstdError, OSError, EOFError, ValueError) as error:
            raise DamagedFile(f"Its {self._compression.name} data is corrupt.") from error
        if self._member.eof:
            self._input = self._member.unused_data
            self._member = None
        return output

    def _check_complete(self) -> None:
        if self._member is not None:
            raise DamagedFile(f"Its {self._compression.name} data ends too early.")
