from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from beam_jobs.model_watch import ModelWatch, News, Watcher
from model.cloud_storage import upload_directory
from tests.beam_jobs.word_models import version_of
from tests.gcs.calls import Call
from tests.gcs.faults import FORBIDDEN, OK
from tests.gcs.server import CloudStorage


def unreadable(call: Call) -> int:
    """Objects may be listed, but not read."""
    return FORBIDDEN if call.media else OK


@pytest.mark.parametrize("trouble", ["no access to", "arrived damaged"])
def test_what_is_wrong_with_a_bucket_is_not_held_against_a_model(
    gcs: CloudStorage,
    gcs_bucket: Bucket,
    exported: Callable[[float], Path],
    warned: Callable[[], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pattern, initial = f"gs://{gcs_bucket.name}/models/*", version_of(exported(1.0))
    watching = Watcher(ModelWatch(pattern, 1e6, initial))
    upload_directory(exported(2.0), f"gs://{gcs_bucket.name}/models/2")
    if trouble == "no access to":
        gcs.proxy.faults.append(unreadable)
    else:
        gcs.proxy.corrupted.add(f"{gcs_bucket.name}/models/2/saved_model.pb")

    for _ in range(3):
        watching.look()

    assert watching.current == initial
    (warning,) = warned()
    assert warning.startswith(f"can't look for models at {pattern}: ")
    assert trouble in warning

    gcs.proxy.faults.clear()
    gcs.proxy.corrupted.clear()
    watching.look()

    assert watching.current.identity == version_of(exported(2.0)).identity
    assert watching.drain_news() == [News.SWAPPED]
