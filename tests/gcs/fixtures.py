"""Fixtures for all tests that need Cloud Storage."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from tests.gcs.server import CloudStorage, cloud_storage


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[CloudStorage]:
    """One server for all tests, so that clients that outlive a test still find it."""
    with cloud_storage() as server:
        yield server


@pytest.fixture(scope="session")
def gcs_credentials(gcs_server: CloudStorage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service account for the server."""
    return gcs_server.write_credentials(tmp_path_factory.mktemp("account") / "account.json")


@pytest.fixture
def gcs(
    gcs_server: CloudStorage,
    gcs_credentials: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> CloudStorage:
    """Cloud Storage without faults, in this process and the ones that it starts.

    Models that are fetched from it don't go to the cache of whoever runs the tests.
    """
    from apache_beam.internal.gcp.auth import _Credentials

    gcs_server.forget()
    for name, value in gcs_server.environment(gcs_credentials).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    # Beam keeps the first credentials that it finds, and also that it found none.
    monkeypatch.setattr(_Credentials, "_credentials_init", False)
    monkeypatch.setattr(_Credentials, "_credentials", None)
    return gcs_server


@pytest.fixture
def gcs_bucket(gcs: CloudStorage) -> Bucket:
    """A new bucket; its URL is `gs://{gcs_bucket.name}`. Its own methods know no faults."""
    return gcs.client.create_bucket(f"test-{uuid.uuid4().hex}")
