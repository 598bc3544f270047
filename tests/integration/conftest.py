"""Pub/Sub and Dataflow as tests meet them, and dumps of reviews on disk and in a bucket."""

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Bucket

from beam_jobs.pubsub_emulator import HOST_VARIABLE, Channel, create_channel, emulator
from schemas.errors import UserError
from tests.dataflow_service import dataflow_service
from tests.integration import launches
from tests.integration.buckets import REVIEWS, local_rows, score, upload, write_dumps

NewChannel = Callable[[], Channel]


@pytest.fixture(scope="session")
def emulator_host() -> Iterator[str]:
    """HOST:PORT of an emulator. Tests that need one are skipped without it, but fail in CI."""
    try:
        with emulator() as host:
            yield host
    except UserError as error:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(str(error))


@pytest.fixture(scope="module")
def new_channel(emulator_host: str) -> Iterator[NewChannel]:
    """Creates a topic with a subscription; in the module, clients and jobs use the emulator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOST_VARIABLE, emulator_host)
        yield lambda: create_channel(f"test-{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of dumps, see `write_dumps`."""
    folder = tmp_path_factory.mktemp("dumps")
    write_dumps(folder)
    return folder


@pytest.fixture(scope="session")
def dump_rows(dumps: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of a run over the dumps that never leaves the disk."""
    prefix = tmp_path_factory.mktemp("local") / "out"
    assert score(f"{dumps}/**", str(prefix)) == 0
    rows = local_rows(prefix)
    assert len(rows) == len(REVIEWS)
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty one, for input."""
    path = tmp_path / "in"
    path.mkdir()
    return path


@pytest.fixture
def bucket_dumps(gcs_bucket: Bucket, dumps: Path) -> str:
    """A pattern of all dumps, in the bucket."""
    upload(dumps, gcs_bucket, "in")
    return f"gs://{gcs_bucket.name}/in/**"


@pytest.fixture
def launch(gcs_bucket: Bucket, gcs_credentials: Path) -> Iterator[launches.Launch]:
    gcs_bucket.blob("reviews/a.jsonl").upload_from_string(launches.REVIEWS)
    with dataflow_service() as service:
        yield launches.Launch(service, gcs_bucket, gcs_credentials)


@pytest.fixture
def finished(launch: launches.Launch) -> launches.Launch:
    """A launch whose jobs leave a manifest behind."""
    manifest = {
        "status": "complete",
        "counts": {"read": 2, "scored": 2, "rejected": 0},
    }

    def work(job: dict[str, Any]) -> None:
        launch.bucket.blob("out/manifest.json").upload_from_string(json.dumps(manifest))

    launch.service.work = work
    return launch


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the package is built from, since building writes into it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("beam_jobs", "model", "schemas"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(launches.ROOT / name, folder / name, ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(launches.ROOT / name, folder)
    return folder
