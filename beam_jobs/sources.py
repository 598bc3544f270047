"""Files as a source of payloads."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError, FileMetadata
from apache_beam.io.filesystems import FileSystems

from beam_jobs.formats import FileRange, format_of
from beam_jobs.formats.base import END_OF_FILE
from beam_jobs.formats.compression import compression_suffix
from beam_jobs.storage_errors import READER, check_url, storage_explained
from schemas.errors import UserError
from schemas.payload import Payload
from schemas.rejection import Rejection

RANGE_BYTES = 64 * 1024 * 1024
"""Files that can be split are read in ranges of this size."""


class NoInputError(UserError):
    """No pattern matches any file."""


def match_files(patterns: Sequence[str]) -> dict[str, FileMetadata]:
    """Finds the files that patterns match on any of Beam's file systems.

    Args:
        patterns: paths, in which `*` stands for anything within a directory, `**` for anything.

    Returns:
        The files by their paths, sorted; each file once, however many patterns match it.

    Raises:
        NoInputError: none of them matches anything.
        UserError: one matches nothing, names a directory, or can't be looked up; or a file on this
            machine can't be read.
    """
    matched = {pattern: _matched(pattern) for pattern in patterns}
    for pattern, found in matched.items():
        if not found:
            kind = UserError if any(matched.values()) else NoInputError
            raise kind(f"--input {pattern}: no file matches")
    files = {path: file for found in matched.values() for path, file in found.items()}
    paths: dict[str, str] = {}
    for path in sorted(files):
        _check_readable(path)
        paths.setdefault(_identity(path), path)
    return {path: files[path] for path in paths.values()}


def listed(files: Mapping[str, FileMetadata]) -> dict[str, Any]:
    """Describes what a listing found.

    Returns:
        `files`, their number; `bytes`, their size; `listing`, which tells whether the same files
        are there as far as a listing can: sha256, 64 hex digits, over paths, sizes and times of
        the last change.
    """
    digest = hashlib.sha256()
    for path, file in sorted(files.items()):
        state = f"{path}\0{file.size_in_bytes}\0{file.last_updated_in_seconds:.3f}\0"
        digest.update(state.encode("utf-8", "surrogateescape"))
    size = sum(file.size_in_bytes for file in files.values())
    return {"files": len(files), "bytes": size, "listing": digest.hexdigest()}


@dataclass(eq=False)
class ReadFiles(beam.PTransform):
    """Reads every record of the files that patterns match, each exactly once.

    Only names and ranges of files cross a shuffle, so any number of files of any size is read in
    parallel as far as the runner has workers. All patterns are matched in one place, since a file
    that two of them match is read once. A runner may read a range again after a failure.

    Gives `records`, and `listed`: one description of their files, see `listed`.

    Attributes:
        patterns: as for `match_files`.
        columns: names of the fields that are needed.
        input_format: name of the format of all files; empty to tell it from each name.
    """

    patterns: Sequence[str]
    columns: Sequence[str]
    input_format: str = ""

    def expand(self, begin: beam.pvalue.PBegin) -> dict[str, beam.PCollection]:
        files = (
            begin
            | "Patterns" >> beam.Create([tuple(self.patterns)])
            | "MatchFiles" >> beam.Map(match_files)
        )
        records = (
            files
            | "Divide" >> beam.FlatMap(file_ranges, self.input_format)
            | "Reshuffle" >> beam.Reshuffle()
            | "ReadRanges" >> beam.FlatMap(read_range, tuple(self.columns), self.input_format)
        )
        return {"records": records, "listed": files | "Describe" >> beam.Map(listed)}


def file_ranges(files: Mapping[str, FileMetadata], input_format: str) -> Iterator[FileRange]:
    """Divides files into ranges that are read apart."""
    for path, file in files.items():
        FileSystems.report_source_lineage(path)
        whole = bool(compression_suffix(path)) or not format_of(path, input_format).splittable
        starts = [0] if whole else range(0, max(file.size_in_bytes, 1), RANGE_BYTES)
        # The last range has no end, so that nothing hangs on the size being right.
        yield from map(FileRange, [path] * len(starts), starts, [*starts[1:], END_OF_FILE])


def read_range(
    part: FileRange, columns: Sequence[str], input_format: str
) -> Iterator[Payload | Rejection]:
    """Reads the records that start in a range of a file."""
    return format_of(part.path, input_format).read(part, columns)


def _check_readable(path: str) -> None:
    """Raises UserError for what is listed as a file on this machine, but can't be read as one."""
    if "://" in path:
        return
    shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
    if shown != path:
        raise UserError(f"--input {shown}: its name is not UTF-8; rename it")
    if not os.path.isfile(path):
        raise UserError(f"--input {path}: is a pipe, socket or device; write it to a file first")
    if not os.access(path, os.R_OK):
        raise UserError(f"--input {path}: may not be read; give this user the permission")


def _identity(path: str) -> str:
    """One name for a file that relative and absolute patterns name differently."""
    return path if "://" in path else os.path.abspath(path)


def _matched(pattern: str) -> dict[str, FileMetadata]:
    if not pattern:
        raise UserError("--input is empty: name a file or a pattern")
    check_url("--input", pattern, "gs://BUCKET/PATTERN")
    files = _listed(pattern)
    if pattern.endswith("/") or os.path.isdir(pattern) or (not files and _listed(pattern + "/**")):
        advice = f"name its files, as in {pattern.rstrip('/')}/*.jsonl"
        raise UserError(f"--input {pattern}: is a directory; {advice}")
    return files


def _listed(pattern: str) -> dict[str, FileMetadata]:
    # Beam finds nothing by `*.csv`, but all by `./*.csv`.
    start = "" if "://" in pattern or os.path.isabs(pattern) else "./"
    try:
        with storage_explained("--input", pattern, READER):
            found = FileSystems.match([start + pattern])[0].metadata_list
    except (BeamIOError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--input {pattern}: can't be looked up: {reason}") from error
    # Object stores hold empty objects in the place of directories.
    files = [file for file in found if not file.path.endswith("/")]
    return {file.path.removeprefix(start): file for file in files}
