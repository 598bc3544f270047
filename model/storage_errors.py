"""What goes wrong with Cloud Storage, in one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core.exceptions import (
    ClientError,
    Forbidden,
    GoogleAPICallError,
    NotFound,
    RetryError,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from google.auth.exceptions import GoogleAuthError, TransportError
from requests import RequestException

from schemas.errors import UserError

READER = "Storage Object Viewer (roles/storage.objectViewer)"
WRITER = "Storage Object User (roles/storage.objectUser)"

_OUT_OF_REACH = (
    RetryError,
    ServerError,
    TooManyRequests,
    TransportError,
    RequestException,
    ConnectionError,
)


@contextmanager
def explained(url: str, role: str) -> Iterator[None]:
    """Explains what the client of Cloud Storage raises.

    Args:
        url: what is asked for.
        role: what the account needs on its bucket.

    Raises:
        UserError: somebody has to mend something.
        OSError: the storage is out of reach, which may pass.
    """
    try:
        yield
    except _OUT_OF_REACH as error:
        cause = error.cause if isinstance(error, RetryError) and error.cause else error
        raise OSError(f"can't reach {url} for now ({_said(cause)}); try again later") from error
    except GoogleAuthError as error:
        if error.retryable:
            raise OSError(f"can't sign in to {url} for now ({_said(error)}); try again") from error
        raise UserError(
            f"{url} needs Google Cloud credentials ({_said(error)}): run `gcloud auth "
            "application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file"
        ) from error
    except ClientError as error:
        raise UserError(_refusal(url, role, error)) from error


def _refusal(url: str, role: str, error: ClientError) -> str:
    if isinstance(error, NotFound):
        return f"{url} is not there: {_said(error)}; check the names of bucket and object"
    if isinstance(error, Forbidden | Unauthorized):
        return f"no access to {url}: {_said(error)}; grant the account {role} on the bucket"
    return f"Cloud Storage refuses {url}: {_said(error)}"


def _said(error: Exception) -> str:
    """The words of the service, where it answered at all, without those of its client."""
    words = str(error)
    if isinstance(error, GoogleAPICallError):
        try:
            words = error.response.json()["error"]["message"]
        except (AttributeError, KeyError, TypeError, ValueError):
            words = error.message
        words = f"{error.code} {words}"
    return " ".join(words.split()).rstrip(".")
