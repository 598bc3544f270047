"""Files of any of Beam's file systems as Python streams."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from beam_jobs.formats.base import DamagedFile
from beam_jobs.formats.compression import Decompressed, compression_suffix

BUFFER_BYTES = 1024 * 1024
"""Read at a time from a file, which may be far away."""


class StoredFile(io.RawIOBase):
    """A file as it is stored.

    Attributes:
        failure: the error of the storage that ended a read, if one did. Readers that hand this
            file to a library tell by it a failed storage from a broken file, where the library
            has one exception for both.
    """

    def __init__(self, path: str) -> None:
        self._file: Any = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
        self._size_bytes = self.seek(0, io.SEEK_END)
        self.seek(0)
        self.failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._file.seek(offset, whence)
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        # Asked for more than there is, the client of a bucket sends a request in vain.
        size = min(len(buffer), self._size_bytes - self._file.tell())
        if size <= 0:
            return 0
        try:
            data = self._file.read(size)
        except Exception as error:
            self.failure = error
            raise
        if not data:
            raise DamagedFile("It became shorter while it was read.")
        buffer[: len(data)] = data
        return len(data)


class StoredStream(io.BufferedReader):
    """A seekable file, for formats that find their own way about it."""

    def __init__(self, path: str) -> None:
        self._stored = StoredFile(path)
        super().__init__(self._stored, BUFFER_BYTES)

    @contextmanager
    def blaming_content(self, damage: str) -> Iterator[None]:
        """Turns whatever a library raises on this file's content into DamagedFile.

        Libraries raise nearly anything on broken content, OSError included. An error that came
        from the storage is raised as it was.
        """
        try:
            yield
        except Exception as error:
            if self._stored.failure is not None:
                raise self._stored.failure from error
            raise DamagedFile(damage) from error


def open_stream(path: str, start: int = 0) -> io.BufferedReader:
    """Opens a file for reading from front to back, decompressed by the suffix of its name.

    Args:
        path: the file.
        start: byte to start at; 0 for a compressed file.

    Returns:
        The stream. Reading it raises DamagedFile where compressed data is corrupt or incomplete.
    """
    stored = StoredFile(path)
    suffix = compression_suffix(path)
    if suffix:
        return io.BufferedReader(Decompressed(stored, suffix), BUFFER_BYTES)
    stored.seek(start)
    return io.BufferedReader(stored, BUFFER_BYTES)


def skip_record(
    stream: io.BufferedReader, beginning: bytes, quoted: bool = False
) -> tuple[int, int]:
    """Passes over the rest of an over-long record without holding it.

    The record ends with a line, and where it is quoted with the first line at whose end the double
    quotes are balanced.

    Args:
        stream: where the rest of the record follows.
        beginning: what was read of the record.
        quoted: whether line ends between double quotes belong to the record.

    Returns:
        Length of the record in bytes, with and without its line end.
    """
    size, tail, open_quote, piece = 0, b"", False, beginning
    while piece:
        size += len(piece)
        tail = (tail + piece)[-2:]
        open_quote ^= quoted and piece.count(b'"') % 2 == 1
        if tail.endswith(b"\n") and not open_quote:
            break
        piece = stream.readline(BUFFER_BYTES)
    return size, size - len(tail) + len(tail.rstrip(b"\r\n"))
