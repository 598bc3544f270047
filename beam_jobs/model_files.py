"""Models where they lie, on any of Beam's file systems: found, told apart, brought to hand."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from model.card import NETWORK_FILES
from schemas.errors import UserError

SAVED_MODEL = NETWORK_FILES[0]

COPY_BYTES = 1 << 20


class Candidate(NamedTuple):
    """A directory that a watch matches; the greatest is the newest.

    Attributes:
        modified_at_seconds: modification time of its saved_model.pb, since 1970.
        directory: a path, or a URL of one of Beam's file systems.
    """

    modified_at_seconds: float
    directory: str


FileState = tuple[str, int, float]
"""Path, size in bytes, time of the last change in seconds since 1970."""


def candidates(pattern: str) -> list[Candidate]:
    """The directories that match and hold a saved_model.pb, the newest first.

    Args:
        pattern: of the directories; a slash or `/saved_model.pb` at its end is fine.
    """
    directories = pattern.removesuffix(SAVED_MODEL).rstrip("/")
    if "://" not in directories:
        directories = os.path.abspath(directories)  # Beam finds nothing by a relative pattern
    found = FileSystems.match([f"{directories}/{SAVED_MODEL}"])[0].metadata_list
    return sorted(
        (
            Candidate(file.last_updated_in_seconds, file.path.removesuffix(f"/{SAVED_MODEL}"))
            for file in found
        ),
        reverse=True,
    )


def file_states(directory: str) -> frozenset[FileState]:
    """All files of a directory, as far as a listing tells them apart."""
    found = FileSystems.match([f"{directory}/**"])[0].metadata_list
    return frozenset(
        (file.path, file.size_in_bytes, file.last_updated_in_seconds) for file in found
    )


@contextmanager
def files_at_hand(directory: str) -> Iterator[Path]:
    """The files of a model on local disk, for as long as it takes to load them.

    Args:
        directory: a path, or a URL of one of Beam's file systems, whose files are copied. What a
            `UserError` says of the copy is said of the directory.

    Raises:
        OSError: the files can't be copied.
    """
    if "://" not in directory:
        yield Path(directory)
        return
    with tempfile.TemporaryDirectory(prefix="score-reviews-model-") as copy:
        try:
            _copy_all(directory, Path(copy))
        except Exception as error:  # each file system has its own
            raise OSError(f"can't copy model {directory}: {error}") from error
        try:
            yield Path(copy)
        except UserError as error:
            raise UserError(str(error).replace(copy, directory)) from error


def _copy_all(url: str, directory: Path) -> None:
    for file in FileSystems.match([f"{url}/**"])[0].metadata_list:
        if not file.path.endswith("/"):  # object stores mark directories so
            _copy(file.path, directory / file.path.removeprefix(f"{url}/"))


def _copy(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        FileSystems.open(url, compression_type=CompressionTypes.UNCOMPRESSED) as source,
        path.open("wb") as destination,
    ):
        while chunk := source.read(COPY_BYTES):
            destination.write(chunk)
