"""What Beam's file systems raise over Cloud Storage, in one line that says what to do."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager

import google.auth
from apache_beam.internal.gcp.auth import _Credentials
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from google.api_core.exceptions import from_http_response, from_http_status
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.storage.exceptions import InvalidResponse

from model.storage_errors import READER, WRITER, explained
from schemas.errors import UserError

__all__ = ["READER", "WRITER", "check_url", "storage_explained", "storage_failure"]

_SCHEME = "gs://"
_CLIENTS = ("google.", "requests.", "urllib3.")
_OF_CLIENT = re.compile(r": \('Request failed with status code'.*?\)(?= \[|$)")


def check_url(option: str, url: str, form: str) -> None:
    """Makes sure that a path is on a file system that there is.

    Args:
        option: where the user gave it.
        url: a path, or a URL of one of Beam's file systems.
        form: how a URL of Cloud Storage must look here, such as `gs://BUCKET/FOLDER`.

    Raises:
        UserError: it isn't.
    """
    if "://" in url and url != url.strip():  # Beam's file systems differ on these
        raise UserError(f"{option} {url!r}: has blanks around it: leave them out")
    if re.match(r"gs:(?!//[^/*?\[]+(/|$))", url):
        raise UserError(f"{option} {url}: names no bucket: write {form}")
    try:
        FileSystems.get_filesystem(url)
    except ValueError as error:
        raise UserError(f"{option} {url}: can't be looked up: {error}") from error


@contextmanager
def storage_explained(option: str, url: str, role: str) -> Iterator[None]:
    """Explains what goes wrong with Cloud Storage before a run; errors of others pass unchanged.

    Args:
        option: where the user gave the URL.
        url: a path, or a URL of one of Beam's file systems.
        role: what the account needs on its bucket.

    Raises:
        UserError: what is wrong and what to do.
    """
    if not url.startswith(_SCHEME):
        yield
        return
    _settle_credentials()
    try:
        with explained(f"{option} {url}", role):
            try:
                yield
            except Exception as error:
                raise _behind(error) from error
    except OSError as error:
        raise UserError(str(error)) from error


def storage_failure(kind: str, message: str) -> str:
    """What went wrong with Cloud Storage during a run, and what to do.

    Args:
        kind: dotted name of the class of an error, as a traceback has it.
        message: its message.

    Returns:
        One line; empty where the error isn't of Cloud Storage.
    """
    # Of the renaming of finished files, Beam's sinks pass on nothing but the status.
    of_beam = "finalize_write" in message or (kind.endswith("BeamIOError") and _SCHEME in message)
    if not of_beam and not kind.startswith(_CLIENTS):
        return ""
    said = _OF_CLIENT.sub("", message)
    if re.search(r"\b40[13]\b", said):
        return (
            f"{said}; grant the account that the job runs as {READER} on the buckets that it reads "
            f"and {WRITER} on the one that it writes"
        )
    return f"{said}; the same command may be run again"


def _behind(error: Exception) -> Exception:
    """What Google's client raised, or would have, behind what Beam raises."""
    if isinstance(error, InvalidResponse):
        return from_http_response(error.response)
    if not isinstance(error, BeamIOError) or not error.exception_details:
        return error
    first = next(iter(error.exception_details.values()))
    if isinstance(first, int):  # of a part of a batch Beam keeps nothing but the status
        return from_http_status(first, http.client.responses.get(first, ""))
    return _behind(first)


def _settle_credentials() -> None:
    """Lets Beam know at once where there are no credentials.

    It would look for them five times, for half a minute, before it goes on without, as public
    buckets allow. For the others Google's client then says that they are missing.
    """
    if _Credentials._credentials_init:
        return
    try:
        google.auth.default()
    except DefaultCredentialsError:
        _Credentials._credentials_init = True
