import pytest
from apache_beam.io.filesystem import BeamIOError
from google.api_core.exceptions import Forbidden, RetryError, ServiceUnavailable

from beam_jobs.storage_errors import (
    READER,
    WRITER,
    check_url,
    storage_explained,
    storage_failure,
)
from schemas.errors import UserError


@pytest.mark.parametrize("url", ["out", "/data/out", "gs:out", "gs://bucket", "gs://bucket/a/*"])
def test_urls_name_a_bucket(url: str) -> None:
    if url == "gs:out":
        with pytest.raises(UserError, match="--output gs:out: names no bucket: write gs://B"):
            check_url("--output", url, "gs://B")
    else:
        check_url("--output", url, "gs://B")


def test_what_beam_wraps_is_unwrapped() -> None:
    inner = BeamIOError("List failed", {"gs://b/": Forbidden("may not list")})

    with (
        pytest.raises(UserError, match=r"^no access to --input gs://b/\*: 403 may not list; grant"),
        storage_explained("--input", "gs://b/*", READER),
    ):
        raise BeamIOError("Match failed", {"gs://b/*": inner})


def test_the_status_of_a_batch_is_named() -> None:
    with (
        pytest.raises(UserError, match=r"403 Forbidden; grant the account Storage Object User"),
        storage_explained("--output", "gs://b/out", WRITER),
    ):
        raise BeamIOError("Rename failed", {("gs://b/1", "gs://b/2"): 403})


def test_a_storage_out_of_reach_is_one_line() -> None:
    cause = ServiceUnavailable("busy")

    with (
        pytest.raises(UserError, match=r"^can't reach --input gs://b/x for now \(503 busy\)"),
        storage_explained("--input", "gs://b/x", READER),
    ):
        raise RetryError("Timeout of 120.0s exceeded", cause)


def test_errors_of_other_file_systems_pass() -> None:
    with pytest.raises(PermissionError), storage_explained("--input", "/data/x", READER):
        raise PermissionError


@pytest.mark.parametrize(
    ("kind", "message", "told"),
    [
        (
            "google.api_core.exceptions.Forbidden",
            "403 GET https://x: no: ('Request failed with status code', 403, 'Expected one of', "
            "<HTTPStatus.OK: 200>) [while running 'Read']",
            f"403 GET https://x: no [while running 'Read']; grant the account that the job runs as "
            f"{READER} on the buckets that it reads and {WRITER} on the one that it writes",
        ),
        (
            "google.api_core.exceptions.RetryError",
            "Timeout of 120.0s exceeded",
            "Timeout of 120.0s exceeded; the same command may be run again",
        ),
        ("OSError", "[Errno 28] No space left", ""),
        ("apache_beam.io.filesystem.BeamIOError", "Rename failed for /data/x", ""),
        ("Exception", "something else", ""),
    ],
)
def test_a_failure_during_a_run_says_what_to_do(kind: str, message: str, told: str) -> None:
    assert storage_failure(kind, message) == told
