"""A sample of the input, read as the job reads it, on the machine that asks for it."""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from beam_jobs.dry_run.beginnings import beginning, parquet_rows
from beam_jobs.dry_run.estimates import Part
from beam_jobs.formats import FileRange, format_of
from beam_jobs.formats.compression import compression_suffix
from beam_jobs.formats.parquet import PARQUET
from beam_jobs.sources import read_range
from schemas.payload import Payload
from schemas.rejection import Rejection
from schemas.review import Review, ReviewFields, parse_review

SAMPLED_BYTES = 64 * 1024 * 1024
"""Read of the input at most, about; an input that is smaller is read as a whole."""

FILES_READ_WHOLE = 256
"""Files at most of an input that is read as a whole: each has to be opened, maybe far away."""

SAMPLED_FILES = 16
"""Files that share these bytes, of each kind."""

SAMPLED_REVIEWS = 4_096
"""Tokenized at most, of all that is read."""


class FileSample(NamedTuple):
    """What was read of a file.

    Attributes:
        kind: of the file, see `kind_of`.
        bytes: how much of the file that is, as it is stored.
        reviews: number of reviews in it.
        chosen: some of them, each of them as likely as another.
    """

    kind: str
    bytes: float
    reviews: int
    chosen: Sequence[Review]


def kind_of(path: str, input_format: str) -> str:
    """What a file is, as in `csv.gz`: files of a kind hold alike many reviews in a byte."""
    return format_of(path, input_format).name + compression_suffix(path)


def sizes_by_kind(sizes: Mapping[str, int], input_format: str) -> dict[str, int]:
    """Bytes of all files by their kind.

    Args:
        sizes: bytes by path.
        input_format: name of the format of all files; empty to tell it from each name.
    """
    sums: dict[str, int] = {}
    for path, size in sizes.items():
        kind = kind_of(path, input_format)
        sums[kind] = sums.get(kind, 0) + size
    return sums


def is_read_whole(sizes: Mapping[str, int]) -> bool:
    """Whether files are small enough, and few enough, to read all of all of them."""
    return sum(sizes.values()) <= SAMPLED_BYTES and len(sizes) <= FILES_READ_WHOLE


def chosen_files(sizes: Mapping[str, int], input_format: str) -> list[str]:
    """Files of every kind, spread evenly over all of it; all of them where they are small."""
    if is_read_whole(sizes):
        return list(sizes)
    by_kind: dict[str, list[str]] = {}
    for path in sizes:
        by_kind.setdefault(kind_of(path, input_format), []).append(path)
    return [path for paths in by_kind.values() for path in spread(paths, SAMPLED_FILES)]


def spread(paths: Sequence[str], count: int) -> list[str]:
    """So many of some paths, or all of them if there are fewer, at even distances."""
    count = min(count, len(paths))
    return [paths[(2 * index + 1) * len(paths) // (2 * count)] for index in range(count)]


def sample_files(
    sizes: Mapping[str, int], fields: ReviewFields, input_format: str
) -> Iterator[FileSample]:
    """Reads files as a whole if all of them are small, and else the beginnings of some.

    Args:
        sizes: bytes of all files by path.
        fields: which fields make a review.
        input_format: name of the format of all files; empty to tell it from each name.
    """
    paths = chosen_files(sizes, input_format)
    whole = is_read_whole(sizes)
    for path in paths:
        limit = sizes[path] if whole else min(sizes[path], SAMPLED_BYTES // len(paths))
        if limit:
            yield sample_file(path, sizes[path], limit, fields, input_format, len(paths))


def sample_file(
    path: str, size: int, limit: int, fields: ReviewFields, input_format: str, files: int
) -> FileSample:
    """Reads the beginning of a file.

    Args:
        path: the file.
        size: its bytes.
        limit: bytes to read, at least 1.
        fields: which fields make a review.
        input_format: name of the format; empty to tell it from the path.
        files: how many files share `SAMPLED_REVIEWS`.
    """
    read: float = limit
    if limit == size:
        records = read_range(FileRange(path), fields.names(), input_format)
    elif format_of(path, input_format) is PARQUET:
        rows = parquet_rows(path)
        count = max(rows * limit // size, 1)
        read = size * count / rows
        whole = read_range(FileRange(path), fields.names(), input_format)
        records = itertools.islice(whole, count)
    else:
        read, records = beginning(path, limit, fields.names(), input_format)
    number, chosen = choose(reviews_of(records, fields), max(SAMPLED_REVIEWS // files, 1))
    return FileSample(kind_of(path, input_format), read, number, chosen)


def reviews_of(records: Iterable[Payload | Rejection], fields: ReviewFields) -> Iterator[Review]:
    """The reviews among what was read."""
    for record in records:
        parsed = parse_review(record, fields) if isinstance(record, Payload) else record
        if isinstance(parsed, Review):
            yield parsed


def choose(reviews: Iterable[Review], count: int) -> tuple[int, list[Review]]:
    """Number of reviews, and so many of them drawn at random, the same on every run.

    Algorithm R of Vitter 1985, https://doi.org/10.1145/3147.3165.
    """
    draw, chosen, number = random.Random(0), list[Review](), 0
    for number, review in enumerate(reviews, start=1):
        if number <= count:
            chosen.append(review)
        elif (place := draw.randrange(number)) < count:
            chosen[place] = review
    return number, chosen


def part_of(sample: FileSample, token_lengths: Callable[[Sequence[Review]], np.ndarray]) -> Part:
    """What a file holds, by the reviews that were chosen of it.

    Args:
        sample: of the file.
        token_lengths: tokens of each of some reviews.
    """
    mean = float(token_lengths(sample.chosen).mean()) if sample.chosen else 0.0
    return Part(sample.kind, sample.bytes, sample.reviews, sample.reviews * mean)
