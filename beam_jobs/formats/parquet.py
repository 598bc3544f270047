"""Parquet."""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.formats.base import DamagedFile, FileRange, Format, unreadable
from beam_jobs.formats.columns import field_type, rows_of
from beam_jobs.formats.streams import BUFFER_BYTES, StoredStream
from schemas.field import FieldType
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import RecordError, Rejection, Stage, reject_data

BATCH_ROWS = 64
"""Rows decoded at a time. Few, since each may hold a text of a megabyte and more."""


class Parquet(Format):
    """Rows of Parquet, known by their index in the file, counted from 0.

    Of the columns only those that are needed are read; one that the file lacks is absent from its
    payloads.
    """

    name = "parquet"
    splittable = True
    self_compressed = True

    def read(self, part: FileRange, columns: Sequence[str]) -> Iterator[Payload | Rejection]:
        with StoredStream(part.path) as stream:
            try:
                file = _open(stream)
            except DamagedFile as damage:
                if not part.start:  # every range reads the footer: one of them reports it
                    yield unreadable(part.path, 0, damage)
                return
            yield from _items(stream, file, part, columns)

    def _fields(self, path: str) -> dict[str, FieldType]:
        with StoredStream(path) as stream:
            return {column.name: field_type(column.type) for column in _open(stream).schema_arrow}


PARQUET = Parquet()


class _RowGroup(NamedTuple):
    number: int
    offset: int  # by which it belongs to a range
    first_row: int
    rows: int


def _open(stream: StoredStream) -> pq.ParquetFile:
    with stream.blaming_content("It is not Parquet, or its footer is damaged."):
        # Row groups may be larger than memory: their pages are read as they are needed.
        return pq.ParquetFile(
            stream,
            buffer_size=BUFFER_BYTES,
            pre_buffer=False,
            coerce_int96_timestamp_unit="us",
            page_checksum_verification=True,
        )


def _items(
    stream: StoredStream, file: pq.ParquetFile, part: FileRange, columns: Sequence[str]
) -> Iterator[Payload | Rejection]:
    row = 0
    try:
        for group in _row_groups(stream, file):
            row = group.first_row
            if part.start <= group.offset < part.stop:
                for values in _rows(stream, file, group, columns):
                    yield _item(Origin(part.path, str(row)), values)
                    row += 1
    except DamagedFile as damage:
        yield unreadable(part.path, row, damage)


def _row_groups(stream: StoredStream, file: pq.ParquetFile) -> Iterator[_RowGroup]:
    """The row groups of a file, as if all were of one length.

    Where they really begin, only their columns tell, and to look at a damaged one ends the process.
    """
    size, groups, first_row = stream.seek(0, os.SEEK_END), file.num_row_groups, 0
    for number in range(groups):
        rows = file.metadata.row_group(number).num_rows
        yield _RowGroup(number, size * number // groups, first_row, rows)
        first_row += rows


def _rows(
    stream: StoredStream, file: pq.ParquetFile, group: _RowGroup, columns: Sequence[str]
) -> Iterator[dict[str, Any] | RecordError]:
    present = set(file.schema_arrow.names)
    names = [name for name in columns if name in present]
    rows = 0
    for batch in _batches(stream, file, group, names):
        rows += batch.num_rows
        yield from rows_of(batch)
    if rows != group.rows:
        raise DamagedFile("A row group holds fewer rows than the footer says.")


def _batches(
    stream: StoredStream, file: pq.ParquetFile, group: _RowGroup, names: list[str]
) -> Iterator[pa.RecordBatch]:
    whole = 0
    try:
        for batch in _decoded(stream, file, group, names, BATCH_ROWS):
            yield batch
            whole += batch.num_rows
    except DamagedFile:
        # A broken page fails the batch that reaches into it. The rows before the page are good,
        # and are found by reading the group once more, row by row.
        yield from islice(_decoded(stream, file, group, names, 1), whole, None)


def _decoded(
    stream: StoredStream, file: pq.ParquetFile, group: _RowGroup, names: list[str], size: int
) -> Iterator[pa.RecordBatch]:
    with stream.blaming_content("A page of it is damaged."):
        yield from file.iter_batches(
            size, row_groups=[group.number], columns=names, use_threads=False
        )


def _item(origin: Origin, values: dict[str, Any] | RecordError) -> Payload | Rejection:
    if isinstance(values, RecordError):
        return reject_data(origin, Stage.PARSE, values)
    return Payload(origin, PayloadKind.FIELDS, values)
