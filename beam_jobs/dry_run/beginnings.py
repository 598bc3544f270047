"""The records that a file begins with, and how much of the file they are."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from beam_jobs.formats import FileRange
from beam_jobs.formats.base import DamagedFile
from beam_jobs.formats.compression import Decompressed, compression_suffix
from beam_jobs.formats.streams import BUFFER_BYTES, StoredFile, StoredStream
from beam_jobs.sources import read_range
from schemas.payload import Payload
from schemas.rejection import Rejection


def parquet_rows(path: str) -> int:
    """Number of rows of a Parquet file, at least 1; read from its end."""
    with StoredStream(path) as stream:
        return max(pq.ParquetFile(stream).metadata.num_rows, 1)


def beginning(
    path: str, limit: int, columns: Sequence[str], input_format: str
) -> tuple[int, Iterator[Payload | Rejection]]:
    """The records in the first bytes of a file, without the one that these end in.

    Formats read to the end of a file, and only its stored bytes can be counted where it is
    compressed. So they are given a copy that ends there.

    Returns:
        How many bytes that is, and the records.
    """
    with tempfile.TemporaryDirectory(prefix="score-reviews-sample-") as folder:
        copy = str(Path(folder, path.rpartition("/")[2]))
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stored:
            Path(copy).write_bytes(stored.read(limit))
        records = list(read_range(FileRange(copy), columns, input_format))
        return decompressible_bytes(copy) if compression_suffix(copy) else limit, iter(records[:-1])


def decompressible_bytes(path: str) -> int:
    """How much of a compressed file whose end is missing its content comes from.

    Compressions work in blocks, as large as 900,000 bytes of the content, and of the last one
    nothing can be had.
    """
    with StoredFile(path) as stored:
        content, position = Decompressed(stored, compression_suffix(path)), 0
        try:
            while content.read(BUFFER_BYTES):
                position = stored.tell()
        except DamagedFile:
            return position
    return position
