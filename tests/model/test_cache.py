import os
import stat
import tempfile
import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from model.cache import IN_USE_SECONDS, KEPT_COPIES, cache_folder, cached, key
from model.remote import RemoteDirectory, RemoteFile
from schemas.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the copies are."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/review-scoring/models"


class Store:
    """A remote directory that counts how often it is copied."""

    def __init__(self, content: str = "content", seconds: float = 0.0) -> None:
        self.content = content
        self.seconds = seconds
        self.copies = 0

    def directory(self) -> RemoteDirectory:
        files = [RemoteFile("a/b", len(self.content), "", self.content)]
        return RemoteDirectory("gs://bucket/m", files, self._download)

    def _download(self, names: Collection[str], directory: Path) -> None:
        self.copies += 1
        time.sleep(self.seconds)
        for name in names:
            (directory / name).write_text(self.content)


def test_a_copy_is_made_once() -> None:
    store = Store()

    paths = {cached(store.directory()) for _ in range(3)}

    assert store.copies == 1
    (path,) = paths
    assert (path / "a/b").read_text() == "content"


def test_other_contents_are_another_copy() -> None:
    stores = [Store("one"), Store("two"), Store("one")]

    paths = [cached(store.directory()) for store in stores]

    assert [(path / "a/b").read_text() for path in paths] == ["one", "two", "one"]
    assert [store.copies for store in stores] == [1, 1, 0]


def test_every_part_of_a_listing_counts_and_its_order_does_not() -> None:
    file, other = RemoteFile("a", 1, "c", "v"), RemoteFile("b", 1, "c", "v")
    listings = [[file], [other], [file, other]]
    listings += [[file._replace(**part)] for part in ({"size_bytes": 2}, {"crc32c": "d"})]
    listings += [[file._replace(version="w")]]

    assert len({key(listing) for listing in listings}) == len(listings)
    assert key([other, file]) == key([file, other])


def test_threads_that_ask_at_once_share_one_download() -> None:
    store, threads = Store(seconds=0.2), 8
    together = threading.Barrier(threads)

    def ask(_: int) -> Path:
        together.wait()
        return cached(store.directory())

    with ThreadPoolExecutor(threads) as pool:
        paths = set(pool.map(ask, range(threads)))

    assert len(paths) == store.copies == 1


def test_a_download_that_fails_leaves_nothing(folder: Path) -> None:
    def fail(names: Collection[str], directory: Path) -> None:
        (directory / "a/b").write_text("con")
        raise OSError("503")

    store = Store()
    with pytest.raises(OSError, match="503"):
        cached(store.directory()._replace(download=fail))

    assert [path.suffix for path in folder.iterdir()] == [".lock"]
    assert (cached(store.directory()) / "a/b").read_text() == "content"


def use(content: str, seconds_ago: float) -> Path:
    path = cached(Store(content).directory())
    used_at = time.time() - seconds_ago
    os.utime(path, (used_at, used_at))
    return path


def test_old_copies_are_deleted(folder: Path) -> None:
    old = [use(f"old {n}", 2 * IN_USE_SECONDS + n) for n in range(KEPT_COPIES)]
    used_again = cached(Store("old 4").directory())

    newest = [use(f"new {n}", 0) for n in range(2)]

    found = {path for path in folder.iterdir() if path.is_dir()}
    assert found == {*newest, used_again, *old[:2]}


def test_copies_used_within_the_hour_stay(folder: Path) -> None:
    used = [use(str(n), IN_USE_SECONDS - 60) for n in range(KEPT_COPIES + 3)]

    assert {path for path in folder.iterdir() if path.is_dir()} == set(used)


def test_what_others_left_is_deleted_unless_they_are_at_it(folder: Path) -> None:
    making, finish = threading.Event(), threading.Event()

    class Slow(Store):
        def _download(self, names: Collection[str], directory: Path) -> None:
            making.set()
            finish.wait(timeout=60)
            super()._download(names, directory)

    (folder / "0123.partial/a").mkdir(parents=True)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: cached(Slow("slow").directory()))
        making.wait(timeout=60)
        cached(Store("quick").directory())
        finish.set()
        assert (slow.result() / "a/b").read_text() == "slow"
    assert not (folder / "0123.partial").exists()


def test_only_the_user_can_read_the_copies(folder: Path) -> None:
    assert cache_folder() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_without_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home/.cache/review-scoring/models"


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, on a machine whose home can't be written, even by root."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file/cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"review-scoring-{os.getuid()}"


def test_without_a_home_copies_are_kept_in_a_private_folder(no_home: Path) -> None:
    path = cached(Store().directory())

    assert path.parent == no_home / "models"
    assert stat.S_IMODE(no_home.stat().st_mode) == 0o700
    assert cached(Store().directory()) == path


def test_a_folder_that_others_can_write_is_not_trusted(no_home: Path) -> None:
    no_home.mkdir()
    no_home.chmod(0o777)

    with pytest.raises(UserError, match="set XDG_CACHE_HOME"):
        cache_folder()
