"""Rows of the files that people keep labelled reviews in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError

Row = Mapping[str, Any]
PlacedRow = tuple[str, Row]
"""Where in its file a row is, for people, and the row: values by the names of columns."""

_Reader = Callable[[Path, Collection[str]], Iterator[PlacedRow]]

LONGEST_REVIEW = 10_000_000  # characters; the csv module stops at 131,072 unless told
COMPRESSIONS = (".gz", ".bz2", ".zst")
LABEL_FOLDERS = {"neg": "negative", "pos": "positive"}
PARQUET_ROWS = 64


def rows_of(path: Path, columns: Collection[str]) -> Iterator[PlacedRow]:
    """Reads a file, row by row.

    Args:
        path: CSV, TSV, JSONL, Parquet or TFRecord of `tf.train.Example`, told from the name; all
            but Parquet may be compressed (`.gz`, and those read as text also `.bz2`, `.zst`).
        columns: names of the columns that are needed; those that there aren't are left out.

    Raises:
        UserError: it can't be read, or a row doesn't follow its format; names the place.
    """
    read = _reader(path)
    place = "its beginning"
    try:
        for place, row in read(path, columns):
            yield place, row
    except UserError:
        raise
    except Exception as error:  # of a kind for each library
        reason = " ".join(str(error).split())
        raise UserError(f"can't read {path} after {place}: {reason}; write it again") from error


def folder_rows(folder: Path, text: str, label: str) -> Iterator[PlacedRow]:
    """Reads reviews that lie in a file each, as in the archive of Maas et al. 2011.

    Args:
        folder: with the folders `pos` and `neg`, in which each review is a `.txt`.
        text: name of the column that the text is to be.
        label: name of the column that the label is to be.

    Raises:
        UserError: a file can't be read.
    """
    for name, value in LABEL_FOLDERS.items():
        for path in sorted((folder / name).glob("*.txt")):
            try:
                content = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"can't read {path}: {error}; write it as UTF-8") from error
            yield f"{name}/{path.name}", {text: content, label: value}


def check_readable(path: Path) -> None:
    """Checks that a path is something that can be read as labelled reviews.

    Raises:
        UserError: it isn't; says what would be.
    """
    if path.is_dir():
        for name in LABEL_FOLDERS:
            if not (path / name).is_dir():
                raise UserError(f"{path} has no folder {name}: name one like aclImdb/train")
        return
    _reader(path)
    try:
        path.open("rb").close()
    except OSError as error:
        raise UserError(f"can't read {path}: {error.strerror}; give another --data") from error


def _reader(path: Path) -> _Reader:
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSIONS]
    reader = _READERS.get(suffixes[-1].lower()) if suffixes else None
    if reader is None:
        raise UserError(f"{path}: its name must end in one of {', '.join(_READERS)}: rename it")
    return reader


def _text(path: Path) -> io.TextIOWrapper:
    import pyarrow as pa

    # Spreadsheets begin a file with a byte order mark, which isn't part of the first column.
    stream = pa.input_stream(str(path), compression="detect")
    return io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")


def _csv_rows(path: Path, _: Collection[str], delimiter: str = ",") -> Iterator[PlacedRow]:
    csv.field_size_limit(LONGEST_REVIEW)
    with _text(path) as file:
        reader = csv.DictReader(file, delimiter=delimiter, strict=True)
        for number, row in enumerate(reader, start=1):
            # A short row lacks its last columns: the csv module gives None for them.
            yield f"row {number}", {name: value or "" for name, value in row.items() if name}


def _tsv_rows(path: Path, columns: Collection[str]) -> Iterator[PlacedRow]:
    return _csv_rows(path, columns, "\t")


def _jsonl_rows(path: Path, _: Collection[str]) -> Iterator[PlacedRow]:
    with _text(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield f"line {number}", _json_object(line, f"{path}, line {number}")


def _json_object(line: str, place: str) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise UserError(f"{place}: isn't a JSON object; mend it or remove the line")
    return row


def _parquet_rows(path: Path, columns: Collection[str]) -> Iterator[PlacedRow]:
    import pyarrow.parquet as pq

    number = 0
    with pq.ParquetFile(path) as file:
        there = [name for name in file.schema_arrow.names if name in columns]
        for batch in file.iter_batches(PARQUET_ROWS, columns=there):
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", row


def _tfrecord_rows(path: Path, columns: Collection[str]) -> Iterator[PlacedRow]:
    from model.runtime import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    compression = "GZIP" if path.suffix == ".gz" else ""
    records = tf.data.TFRecordDataset(str(path), compression)
    for number, record in enumerate(records.as_numpy_iterator(), start=1):
        features = tf.train.Example.FromString(record).features.feature
        there = {name: _first(features[name]) for name in columns if name in features}
        yield f"record {number}", there


def _first(feature: Any) -> Any:
    """The first value of a `tf.train.Feature`; None where there is none."""
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else ()
    value = values[0] if values else None
    return value.decode("utf-8") if isinstance(value, bytes) else value


_READERS: Mapping[str, _Reader] = {
    ".csv": _csv_rows,
    ".tsv": _tsv_rows,
    ".jsonl": _jsonl_rows,
    ".parquet": _parquet_rows,
    ".tfrecord": _tfrecord_rows,
}
