"""What the files of a model are known by: a SHA-256 that anybody can compute, too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import UserError

CHUNK_BYTES = 1 << 20


def fingerprint(directory: Path | str) -> str:
    """Identifies the exact contents of a model directory, wherever it lies.

    Links count as what they lead to, since TensorFlow follows them, too.

    Returns:
        sha256, 64 hex digits, over the names and contents of all files; anybody can compute it:
        `find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum`.

    Raises:
        UserError: a link leads to a folder that it is in.
        OSError: a file or folder can't be read.
    """
    digest = hashlib.sha256()
    for name in sorted(_file_names(os.fsencode(directory), b".", frozenset())):
        contents = file_sha256(Path(directory, os.fsdecode(name)))
        digest.update(contents.encode() + b"  " + name + b"\0")
    return digest.hexdigest()


def _file_names(root: bytes, folder: bytes, above: frozenset[bytes]) -> Iterator[bytes]:
    """Every file in a folder, as `find .` would print it.

    Args:
        root: of the model.
        folder: to look into, relative to the root.
        above: real paths of the folders that lead to it.
    """
    place = os.path.realpath(os.path.join(root, folder))
    if place in above:
        link = os.fsdecode(os.path.join(root, folder))
        raise UserError(f"the link {link} leads in a circle: remove it")
    for entry in os.scandir(place):
        name = folder + b"/" + entry.name
        if entry.is_dir():
            yield from _file_names(root, name, above | {place})
        elif entry.is_file():
            yield name


def check_there(directory: Path) -> None:
    """Checks that there is a directory.

    Raises:
        UserError: there is none.
    """
    if not directory.is_dir():
        raise UserError(f"no model at {directory}: give a directory made by train-sentiment")


def check_sha256(directory: Path, sha256: str) -> None:
    """Makes sure that a model is the one that was chosen, before anything of it is used.

    Args:
        directory: the model, on local disk.
        sha256: what its `fingerprint` must be.

    Raises:
        UserError: it is another one, or there is none.
        OSError: a file or folder can't be read.
    """
    check_there(directory)
    found = fingerprint(directory)
    if found != sha256:
        raise UserError(
            f"model {directory} is another one: its SHA-256 is {found} instead of {sha256}; put "
            "that one back, or start again with this one"
        )


def model_identity(name: str, sha256: str) -> str:
    """How rows name a model.

    Args:
        name: from its card.
        sha256: its `fingerprint`.

    Returns:
        The name, `@`, and the first 12 digits of the fingerprint.
    """
    return f"{name}@{sha256[:12]}"


def file_sha256(path: Path) -> str:
    """sha256 of one file, 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
