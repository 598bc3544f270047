"""Directories that lie elsewhere, and copies of them that are known to be good. Knows no store."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import google_crc32c

from model.fingerprint import CHUNK_BYTES
from schemas.errors import UserError

DOWNLOADS = 3
"""How often a file that arrives damaged is asked for."""

FILES_TOGETHER = 8
"""Files that are copied at a time."""


class RemoteFile(NamedTuple):
    """A file as a listing tells of it.

    Attributes:
        name: relative to its directory, with slashes.
        size_bytes: its size.
        crc32c: its checksum, base64 of four bytes, the highest first; empty where the store keeps
            none.
        version: another one wherever the contents may be other ones.
    """

    name: str
    size_bytes: int
    crc32c: str
    version: str


class RemoteDirectory(NamedTuple):
    """A directory as it was when it was listed.

    Attributes:
        url: as the user wrote it.
        files: all of them, at least one.
        download: copies the files of these names into a directory, whose folders are there.
    """

    url: str
    files: Sequence[RemoteFile]
    download: Callable[[Collection[str], Path], None]


def fetch(remote: RemoteDirectory, directory: Path) -> None:
    """Copies all files, and checks size and checksum of each.

    Args:
        remote: what to copy.
        directory: absent or empty.

    Raises:
        UserError: a name would lead out of the directory.
        OSError: the files can't be copied, or arrive damaged time and again.
    """
    for file in remote.files:
        _check_name(file.name, remote.url)
        (directory / file.name).parent.mkdir(parents=True, exist_ok=True)
    wanted = [file.name for file in remote.files]
    for _ in range(DOWNLOADS):
        remote.download(wanted, directory)
        wanted = damaged(remote.files, directory)
        if not wanted:
            return
    raise OSError(
        f"{remote.url}: {wanted[0]} arrived damaged {DOWNLOADS} times (its size or checksum is not "
        "that of the bucket); try again, or write it anew"
    )


def damaged(files: Sequence[RemoteFile], directory: Path) -> list[str]:
    """Names of the files that are not in a directory as they were listed."""
    return [file.name for file in files if not _is_copy(file, directory / file.name)]


def _is_copy(file: RemoteFile, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != file.size_bytes:
        return False
    return not file.crc32c or file.crc32c == crc32c(path)


def crc32c(path: Path) -> str:
    """Checksum of a file as Cloud Storage writes it: base64, the highest byte first."""
    checksum = google_crc32c.Checksum()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            checksum.update(chunk)
    return base64.b64encode(checksum.digest()).decode("ascii")


def _check_name(name: str, url: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise UserError(f"{url} holds {name!r}, which would be copied out of its folder: rename it")


@contextmanager
def told_of(source: str, copy: Path) -> Iterator[None]:
    """What a `UserError` says of a copy is said of its source, which the user knows.

    Args:
        source: a URL; a path is its own copy.
        copy: on this machine.
    """
    try:
        yield
    except UserError as error:
        if "://" not in source:
            raise
        raise UserError(str(error).replace(str(copy), source.rstrip("/"))) from error
