import re
from collections.abc import Callable
from pathlib import Path

import google.auth
import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.auth.exceptions import RefreshError, TransportError
from google.cloud.storage import Bucket
from google.cloud.storage.retry import DEFAULT_RETRY

from model import cloud_storage
from model.cloud_storage import check_free, list_directory, list_file, upload_directory
from model.remote import fetch
from model.storage_errors import READER, explained
from schemas.errors import UserError
from tests.gcs.faults import busy, forbidden, private, read_only, write_once
from tests.gcs.server import CloudStorage

ASKED: dict[str, Callable[[str], object]] = {
    "list": list_directory,
    "read": list_file,
    "check": check_free,
}


@pytest.mark.parametrize("asked", ASKED)
def test_missing_rights_are_named(gcs: CloudStorage, gcs_bucket: Bucket, asked: str) -> None:
    gcs.proxy.faults.append(forbidden(gcs_bucket.name))

    with pytest.raises(UserError, match=r"^no access to gs://.*/m: 403 .*; grant the acc") as found:
        ASKED[asked](f"gs://{gcs_bucket.name}/m")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("asked", ASKED)
def test_a_private_bucket_asks_for_credentials(
    gcs: CloudStorage, gcs_bucket: Bucket, asked: str
) -> None:
    gcs.proxy.faults.append(private())  # the client doesn't sign what it asks of an emulator

    with pytest.raises(UserError, match=r"^gs://.*/m needs Google Cloud credentials .*: run `gcl"):
        ASKED[asked](f"gs://{gcs_bucket.name}/m")


def test_rights_that_do_not_suffice(gcs: CloudStorage, gcs_bucket: Bucket, tmp_path: Path) -> None:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "saved_model.pb").write_text("network")
    url = f"gs://{gcs_bucket.name}/m"
    gcs.proxy.faults[:] = [read_only(gcs_bucket.name)]
    for attempt in (lambda: check_free(url), lambda: upload_directory(directory, url)):
        with pytest.raises(UserError, match=r"403 .*roles/storage\.objectUser"):
            attempt()
    gcs.proxy.faults[:] = []
    upload_directory(directory, url)
    found = list_directory(url)
    gcs.proxy.faults[:] = [write_once(gcs_bucket.name)]
    with pytest.raises(UserError, match=r"403 .*roles/storage\.objectViewer"):
        fetch(found, tmp_path / "copy")


@pytest.mark.parametrize("asked", ASKED)
def test_a_missing_bucket_is_named(gcs: CloudStorage, asked: str) -> None:
    with pytest.raises(UserError, match=r"^gs://absent/m is not there: 404 [^{]*; check the name"):
        ASKED[asked]("gs://absent/m")


def test_missing_objects_are_named(gcs_bucket: Bucket, tmp_path: Path) -> None:
    url = f"gs://{gcs_bucket.name}/m"
    with pytest.raises(UserError, match=f"^nothing at {url}: check the URL"):
        list_directory(url)
    with pytest.raises(UserError, match=f"^{url} is not there: 404 No such object"):
        list_file(url)
    gcs_bucket.blob("m").upload_from_string("x")
    found = list_file(url)
    gcs_bucket.blob("m").delete()
    with pytest.raises(UserError, match=f"^{url} is not there: 404"):
        fetch(found, tmp_path / "copy")


@pytest.mark.parametrize("url", ["gs://", "gs:///m", "gs://Bucket/m", "s3://bucket/m", "models/m"])
def test_a_url_without_a_bucket(url: str) -> None:
    for ask in ASKED.values():
        with pytest.raises(UserError, match=re.escape(f"{url!r} names no bucket: write gs://")):
            ask(url)


@pytest.mark.parametrize("asked", ASKED)
def test_a_server_out_of_reach_is_no_mistake_of_the_user(
    gcs: CloudStorage, gcs_bucket: Bucket, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DEFAULT_RETRY, "_timeout", 0.5)  # seconds, instead of two minutes
    gcs.proxy.faults.append(busy(1.0))

    with pytest.raises(OSError, match=r"^can't reach gs://.*/m for now \(503 [^)]+\); try"):
        ASKED[asked](f"gs://{gcs_bucket.name}/m")


def test_a_server_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DEFAULT_RETRY, "_timeout", 0.5)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    cloud_storage._client.cache_clear()
    try:
        with pytest.raises(OSError, match=r"^can't reach gs://bucket/m for now"):
            list_directory("gs://bucket/m")
    finally:
        cloud_storage._client.cache_clear()


def test_missing_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    cloud_storage._client.cache_clear()
    with pytest.raises(google.auth.exceptions.DefaultCredentialsError):
        google.auth.default()

    for ask in ASKED.values():
        with pytest.raises(UserError, match=r"^gs://bucket/m needs .*gcloud auth application-def"):
            ask("gs://bucket/m")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (RefreshError("invalid_grant", retryable=False), UserError),
        (RefreshError("busy", retryable=True), OSError),
        (TransportError("no metadata server"), OSError),
        (ServiceUnavailable("down"), OSError),
        (ConnectionResetError("reset"), OSError),
    ],
)
def test_what_may_pass_and_what_does_not(error: Exception, raised: type[Exception]) -> None:
    with pytest.raises(raised, match="gs://bucket/m") as found, explained("gs://bucket/m", READER):
        raise error
    assert type(found.value) is raised


def test_what_is_wrong_on_this_machine_is_left_alone() -> None:
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left") as found, explained("gs://b/m", READER):
        raise full
    assert found.value is full
