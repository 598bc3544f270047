"""Models where they lie, on any of Beam's file systems: found, told apart, brought to hand."""

import os
import shutil
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from apache_beam.io.filesystem import CompressionTypes, FileMetadata
from apache_beam.io.filesystems import FileSystems

from model import cloud_storage
from model.cache import cached
from model.card import BUNDLED_MODEL, NETWORK_FILES, default_model_directory
from model.remote import FILES_TOGETHER, RemoteDirectory, RemoteFile, told_of
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


def local_model(directory: str) -> Path:
    """The files of a model on this machine.

    Args:
        directory: a path, `BUNDLED_MODEL`, or a URL of Cloud Storage or another one of Beam's file
            systems, of which a copy is made unless there is one; nothing may be written to that.

    Raises:
        UserError: there is no such model, or it can't be copied before somebody mends something.
        OSError: it can't be copied now.
    """
    if directory == BUNDLED_MODEL:
        return default_model_directory()
    if "://" not in directory:
        return Path(directory)
    if directory.startswith(cloud_storage.SCHEME):
        return cached(cloud_storage.list_directory(directory.rstrip("/")))
    return cached(_list_directory(directory.rstrip("/")))


@contextmanager
def model_at_hand(directory: str) -> Iterator[Path]:
    """As `local_model`; what a `UserError` says of the copy is said of the directory."""
    path = local_model(directory)
    with told_of(directory, path):
        yield path


def _list_directory(url: str) -> RemoteDirectory:
    """A directory of any of Beam's file systems, which tell of no checksums."""
    try:
        FileSystems.get_filesystem(url)
    except ValueError as error:
        raise UserError(f"model {url}: {error}") from error
    with _explained(url):
        found = {
            file.path.removeprefix(f"{url}/"): file
            for file in FileSystems.match([f"{url}/**"])[0].metadata_list
            if not file.path.endswith("/")  # object stores mark directories so
        }
    if not found:
        raise UserError(f"no model at {url}: check the URL")
    files = [_remote_file(name, file) for name, file in found.items()]
    return RemoteDirectory(url, files, partial(_download, url))


def _remote_file(name: str, file: FileMetadata) -> RemoteFile:
    version = f"{file.path}@{file.last_updated_in_seconds}"
    return RemoteFile(name, file.size_in_bytes, "", version)


def _download(url: str, names: Collection[str], directory: Path) -> None:
    with _explained(url), ThreadPoolExecutor(FILES_TOGETHER) as pool:
        list(pool.map(lambda name: _copy(f"{url}/{name}", directory / name), names))


def _copy(url: str, path: Path) -> None:
    with (
        FileSystems.open(url, compression_type=CompressionTypes.UNCOMPRESSED) as source,
        path.open("wb") as destination,
    ):
        shutil.copyfileobj(source, destination, COPY_BYTES)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each file system has its own
        raise OSError(f"can't copy model {url}: {error}") from error
