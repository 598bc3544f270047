"""Models, a bucket to put them in, and what the job says of them."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.beam_jobs.bucket import BucketFileSystem
from tests.beam_jobs.word_models import export_words


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Path]:
    """Makes models that know `good`, with a weight, and `bad`, with its opposite."""
    folder = tmp_path_factory.mktemp("exported")

    @functools.cache
    def export(good: float) -> Path:
        return Path(export_words(folder / str(good), {"good": good, "bad": -good}).directory)

    return export


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder behind `bucket://`; local copies are made in the folder `copies`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "copies"))
    monkeypatch.setattr(BucketFileSystem, "root", tmp_path / "bucket")
    return tmp_path / "bucket"


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the job has warned of so far."""

    def messages() -> list[str]:
        return [
            record.getMessage()
            for record in caplog.records
            if record.levelname == "WARNING" and record.name.startswith("beam_jobs.")
        ]

    return messages
