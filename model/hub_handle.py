"""TF Hub handles: the local directory that a module lies in, after a download if need be."""

from __future__ import annotations

import os
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from urllib.error import HTTPError, URLError

from model.cache import private_folder
from model.runtime import import_tensorflow
from schemas.errors import UserError

CACHE_VARIABLE = "TFHUB_CACHE_DIR"

SILENCE_SECONDS = 20.0
"""A server that says nothing for so long is given up."""

_LOCK = threading.Lock()

NETWORK = "saved_model.pb"
ELSEWHERE = (
    "download the module elsewhere and give its directory, or export one with "
    "`train-sentiment export-encoder`"
)


def resolve(handle: str) -> Path:
    """The local directory of a TF Hub module.

    A download is kept in TF Hub's cache and not asked for again: the folder `TFHUB_CACHE_DIR`, or
    else `tfhub_modules` in the folder for temporary files, which this user must own. Each module is
    a directory named after the SHA-1 of its handle; the file `.descriptor.txt` beside it tells the
    handle. While another process downloads the same module, this one waits for it; for one that was
    killed, ten minutes.

    Args:
        handle: `https://...` as published, or a local directory, which stays what it is and isn't
            looked at.

    Raises:
        UserError: the module can't be downloaded, or the cache can't be used.
    """
    if "://" not in handle:
        return Path(handle)
    if not handle.startswith(("https://", "http://")):
        raise UserError(f"{handle} is neither a TF Hub handle (https://...) nor a local directory")
    hub = import_tensorflow_hub()
    folder = cache_folder()
    with _explained(handle, folder), _impatient():
        directory = Path(hub.resolve(handle))
    if not (directory / NETWORK).is_file():
        raise UserError(
            f"{handle}: its copy {directory} holds no SavedModel; remove that directory and run "
            f"again, or {ELSEWHERE}"
        )
    return directory


def import_tensorflow_hub() -> ModuleType:
    """Imports tensorflow_hub without a word.

    It asks `pkg_resources` whether TensorFlow is new enough, and that says that it is outdated.
    """
    import_tensorflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow_hub
    return tensorflow_hub


def cache_folder() -> Path:
    """TF Hub's cache.

    Raises:
        UserError: it is the common one for temporary files, and others can write to it.
    """
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else private_folder("tfhub_modules", CACHE_VARIABLE)


@contextmanager
def _impatient() -> Iterator[None]:
    """New connections of this process give up after `SILENCE_SECONDS`; TF Hub sets no limit.

    One thread at a time, or the limit of another would be put back last, for good.
    """
    with _LOCK:
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(SILENCE_SECONDS)
        try:
            yield
        finally:
            socket.setdefaulttimeout(before)


@contextmanager
def _explained(handle: str, folder: Path) -> Iterator[None]:
    """Explains what a download raises."""
    import tensorflow as tf

    try:
        yield
    except HTTPError as error:
        raise UserError(_refusal(handle, error)) from error
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise UserError(f"can't reach {handle}: {reason}; {ELSEWHERE}") from error
    except Exception as error:
        # Files of TF Hub's cache raise `OpError`. What a damaged archive leads to is anything; an
        # `OpError` too, where it has files in folders that it lacks.
        if isinstance(error, tf.errors.OpError) and not isinstance(error, tf.errors.NotFoundError):
            raise UserError(
                f"can't keep {handle} in {folder} ({error.message}): set {CACHE_VARIABLE} to a "
                "folder with room that you can write"
            ) from error
        raise UserError(
            f"{handle} sent no archive of a module, or not all of it: check the handle and run "
            f"again, or {ELSEWHERE}"
        ) from error


def _refusal(handle: str, error: HTTPError) -> str:
    answer = f"{handle}: the server answers HTTP {error.code} {error.reason}"
    if error.code == 404:
        return f"{answer}; check the handle, or {ELSEWHERE}"
    if error.code >= 500:
        return f"{answer}; try again later, or {ELSEWHERE}"
    return f"{answer}; {ELSEWHERE}"
