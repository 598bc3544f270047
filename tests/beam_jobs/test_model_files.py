import os
from collections.abc import Callable
from pathlib import Path

import pytest

from beam_jobs.model_files import candidates, file_states, files_at_hand
from schemas.errors import UserError
from tests.beam_jobs.word_models import copy_model


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
    with files_at_hand(str(tmp_path)) as path:
        assert path == tmp_path


def test_the_files_of_a_bucket_are_copied_as_they_are(
    bucket: Path, exported: Callable[[float], Path]
) -> None:
    copy_model(exported(1.0), bucket / "models/1")
    (bucket / "models/1/assets/names.txt.gz").write_bytes(b"not compressed")
    write(bucket / "models/10/saved_model.pb")

    with files_at_hand("bucket://models/1") as path:
        copied = contents(path)

    assert copied == contents(bucket / "models/1")
    assert not path.exists()


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_what_is_wrong_with_a_copy_is_said_of_the_bucket(bucket: Path) -> None:
    with (
        pytest.raises(UserError, match=r"^model bucket://models/1 is bad$"),
        files_at_hand("bucket://models/1") as path,
    ):
        raise UserError(f"model {path} is bad")

    assert not path.exists()
