"""Copies of remote models on this machine, one for each content, whoever asks for it.

FOLDER/KEY             a copy; the time of its last change is that of its last use
FOLDER/KEY.partial     a copy being made, or what a killed process left of one
FOLDER/KEY.lock        held by whoever makes, checks or deletes that copy
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from model.remote import RemoteDirectory, RemoteFile, damaged, fetch
from schemas.errors import UserError

KEPT_COPIES = 5
"""The ones used last; older ones are deleted when a new one is made."""

IN_USE_SECONDS = 3600.0
"""A copy may still be read so long after it was asked for."""

LONGEST_WAIT_SECONDS = 3600.0
"""For another process that makes the same copy."""


def cached(remote: RemoteDirectory) -> Path:
    """A local copy of a remote directory, made if there is no good one yet.

    Processes and threads that ask at once wait for one of them to make it. A copy is checked each
    time it is asked for; that costs less than hashing the model does, or loading it.

    Returns:
        The copy. Nothing may be written to it; for an hour it stays where it is.

    Raises:
        UserError: a file can't be copied, and no trying again will change that.
        OSError: the files can't be copied now.
    """
    folder = cache_folder()
    copy = folder / key(remote.files)
    with FileLock(f"{copy}.lock", timeout=LONGEST_WAIT_SECONDS):
        found = _is_whole(copy, remote.files)
        if not found:
            _make(copy, remote)
        os.utime(copy)
    if not found:
        _delete_old(folder)
    return copy


def key(files: Sequence[RemoteFile]) -> str:
    """What the contents of a directory are known by: sha256 of its listing, 64 hex digits."""
    return hashlib.sha256(json.dumps(sorted(files)).encode()).hexdigest()


def cache_folder() -> Path:
    """The folder of all copies, made if need be; only this user can read it.

    Returns:
        `review-scoring/models` in `$XDG_CACHE_HOME` or `~/.cache`, or in a private folder for
        temporary files where that can't be written.

    Raises:
        UserError: neither will do.
    """
    with suppress(OSError, RuntimeError):  # the latter where there is no home
        folder = _user_cache() / "review-scoring" / "models"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    folder = private_folder(f"review-scoring-{os.getuid()}", "XDG_CACHE_HOME") / "models"
    folder.mkdir(exist_ok=True)
    return folder


def _user_cache() -> Path:
    # https://specifications.freedesktop.org/basedir-spec/latest/: a relative path is to be ignored.
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return given if given.is_absolute() else Path.home() / ".cache"


def private_folder(name: str, variable: str) -> Path:
    """A folder among the temporary files, in which nobody else can write.

    Args:
        name: of the folder; it is made unless it is there.
        variable: of the environment, by which another folder can be chosen.

    Raises:
        UserError: others can write there.
    """
    folder = Path(tempfile.gettempdir(), name)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Models are code: nobody else may have put them there.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise UserError(
            f"{folder} can be written by others: set {variable} to a folder that only you can write"
        )
    return folder


def _is_whole(copy: Path, files: Sequence[RemoteFile]) -> bool:
    found = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    return found == {file.name for file in files} and not damaged(files, copy)


def _make(copy: Path, remote: RemoteDirectory) -> None:
    """Makes a copy as a whole or not at all; its lock is held."""
    partial = copy.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        fetch(remote, partial)
        shutil.rmtree(copy, ignore_errors=True)  # damaged
        partial.replace(copy)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _delete_old(folder: Path) -> None:
    """Deletes old copies, and what killed processes left."""
    directories = [path for path in folder.iterdir() if path.is_dir()]
    copies = [path for path in directories if path.suffix != ".partial"]
    kept = sorted(copies, key=_used_at_seconds, reverse=True)[:KEPT_COPIES]
    for path in directories:
        if path not in kept:
            _delete_unused(path)


def _delete_unused(path: Path) -> None:
    with suppress(Timeout), FileLock(path.with_suffix(".lock"), timeout=0):
        in_use = time.time() - _used_at_seconds(path) < IN_USE_SECONDS
        if path.suffix == ".partial" or not in_use:
            shutil.rmtree(path, ignore_errors=True)


def _used_at_seconds(path: Path) -> float:
    """Since 1970; 0 where another process has just deleted it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
