import os
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from beam_jobs.model_files import candidates, file_states, local_model, model_at_hand
from beam_jobs.model_trial import tried_model
from model.card import default_model_directory
from model.cloud_storage import upload_directory
from schemas.errors import UserError
from tests.beam_jobs.bucket import BucketFileSystem
from tests.beam_jobs.word_models import copy_model, version_of


def write(path: Path, at_seconds: float = 1e9) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (at_seconds, at_seconds))


@pytest.mark.parametrize("ending", ["", "/", "/saved_model.pb"])
@pytest.mark.parametrize("start", ["", "{folder}/", "bucket://"])
def test_patterns(bucket: Path, monkeypatch: pytest.MonkeyPatch, start: str, ending: str) -> None:
    for name in ("models/1", "models/2", "models/old/3", "others/4"):
        write(bucket / name / "saved_model.pb")
    write(bucket / "models/5/model.txt")
    monkeypatch.chdir(bucket)

    found = candidates(start.format(folder=bucket) + "models/*" + ending)

    root = "bucket:/" if start == "bucket://" else str(bucket)
    assert [directory for _, directory in found] == [f"{root}/models/2", f"{root}/models/1"]


def test_the_newest_comes_first_and_where_times_are_equal_the_last_name(tmp_path: Path) -> None:
    for name, seconds in (("a", 3e9), ("b", 1e9), ("c", 1e9), ("d", 2e9)):
        write(tmp_path / name / "saved_model.pb", seconds)

    found = candidates(f"{tmp_path}/*")

    assert [Path(directory).name for _, directory in found] == ["a", "d", "c", "b"]


def test_nothing_there_is_nothing_found(tmp_path: Path) -> None:
    assert candidates(f"{tmp_path}/absent/*") == []
    assert candidates(f"{tmp_path}/absent") == []
    assert file_states(f"{tmp_path}/absent") == frozenset()


def test_every_change_of_a_file_shows(tmp_path: Path) -> None:
    write(tmp_path / "model/a")
    seen = [file_states(f"{tmp_path}/model")]
    (tmp_path / "model/b").mkdir()
    write(tmp_path / "model/b/c")
    seen.append(file_states(f"{tmp_path}/model"))
    write(tmp_path / "model/b/c", at_seconds=2e9)
    seen.append(file_states(f"{tmp_path}/model"))
    (tmp_path / "model/a").write_text("more")
    os.utime(tmp_path / "model/a", (1e9, 1e9))
    seen.append(file_states(f"{tmp_path}/model"))

    assert len(set(seen)) == 4
    assert file_states(f"{tmp_path}/model") == seen[-1]


def test_local_files_are_used_where_they_are(tmp_path: Path) -> None:
    assert local_model(str(tmp_path)) == tmp_path


def test_the_bundled_model_is_that_of_this_machine() -> None:
    assert local_model("package://model/pretrained") == default_model_directory()


@pytest.mark.parametrize("ending", ["", "/"])
def test_the_files_of_a_bucket_are_copied_as_they_are(
    bucket: Path, exported: Callable[[float], Path], ending: str
) -> None:
    copy_model(exported(1.0), bucket / "models/1")
    (bucket / "models/1/assets/names.txt.gz").write_bytes(b"not compressed")
    write(bucket / "models/10/saved_model.pb")

    assert contents(local_model(f"bucket://models/1{ending}")) == contents(bucket / "models/1")


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_files_are_copied_once_and_again_when_they_change(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(bucket / "models/1/saved_model.pb")
    first = local_model("bucket://models/1")
    with monkeypatch.context() as unreadable:
        unreadable.setattr(BucketFileSystem, "open", None)
        assert local_model("bucket://models/1") == first

    (bucket / "models/1/saved_model.pb").write_bytes(b"new")

    assert contents(local_model("bucket://models/1")) == {"saved_model.pb": b"new"}


def test_files_alike_but_for_their_place_are_not_taken_for_the_same(bucket: Path) -> None:
    for name in ("1", "2"):  # same size, same time: this store knows no checksums
        (bucket / "models" / name).mkdir(parents=True)
        (bucket / "models" / name / "saved_model.pb").write_text(name)
        write(bucket / "models" / name / "saved_model.pb")

    copies = [local_model(f"bucket://models/{name}") for name in ("1", "2")]

    assert [(copy / "saved_model.pb").read_text() for copy in copies] == ["1", "2"]


def test_what_is_wrong_with_a_copy_is_said_of_the_bucket(bucket: Path) -> None:
    write(bucket / "models/1/saved_model.pb")

    with (
        pytest.raises(UserError, match=r"^model bucket://models/1 is bad$"),
        model_at_hand("bucket://models/1") as path,
    ):
        raise UserError(f"model {path} is bad")


def test_what_is_wrong_with_a_directory_is_said_as_it_is() -> None:
    with (
        pytest.raises(UserError, match=r"^model m is bad$"),
        model_at_hand("m/") as path,
    ):
        raise UserError(f"model {path} is bad")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("bucket://models/1", "^no model at bucket://models/1: "),
        ("nowhere://models/1", "^model nowhere://models/1: Unable to get filesystem"),
    ],
)
def test_what_is_not_there_is_named(bucket: Path, url: str, reason: str) -> None:
    bucket.mkdir()
    with pytest.raises(UserError, match=reason):
        local_model(url)


def test_a_model_in_cloud_storage(
    gcs_bucket: Bucket,
    exported: Callable[[float], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    url = f"gs://{gcs_bucket.name}/models/1"
    version = version_of(exported(1.5))
    upload_directory(exported(1.5), url)

    (candidate,) = candidates(f"gs://{gcs_bucket.name}/models/*")
    loaded = tried_model(candidate.directory)

    assert loaded.version == version._replace(directory=url)
    assert {path for path, _, _ in file_states(url)} == {
        f"{url}/{name}" for name in contents(exported(1.5))
    }
    assert contents(local_model(url)) == contents(exported(1.5))
