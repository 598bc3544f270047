"""Where downloaded modules are kept, and how tensorflow_hub gets in."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.hub_handle import cache_folder, resolve
from schemas.errors import UserError
from tests.integration.harms import mount
from tests.model.hub.server import PATH, HubServer, archive, left, refusal


def test_a_file_in_the_place_of_the_cache(server: HubServer, cache: Path) -> None:
    cache.write_text("")
    message = refusal(server.url + PATH)
    assert str(cache) in message
    assert "set TFHUB_CACHE_DIR" in message


@pytest.fixture
def disk(cache: Path) -> Iterator[Path]:
    """A small disk for the cache. Needs root: elsewhere `unshare -rm python -m pytest ...`."""
    if os.geteuid() != 0:
        pytest.skip("disks are mounted by root only: run the test under `unshare -rm`")
    cache.mkdir()
    mount("-t", "tmpfs", "-o", "size=64k", "none", str(cache))
    yield cache
    # The failed write holds its file for as long as its exception lives.
    subprocess.run(["umount", "--lazy", str(cache)], check=True)


def test_a_full_disk(server: HubServer, module: Path, disk: Path) -> None:
    server.answers[PATH] = (200, archive(module))
    assert "set TFHUB_CACHE_DIR to a folder with room" in refusal(server.url + PATH)
    assert not left(disk)


def test_a_disk_that_can_not_be_written(server: HubServer, module: Path, disk: Path) -> None:
    mount("-o", "remount,ro", str(disk))
    server.answers[PATH] = (200, archive(module))
    assert "that you can write" in refusal(server.url + PATH)


def test_the_common_cache_must_be_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: HubServer
) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cache_folder() == tmp_path / "tfhub_modules"
    (tmp_path / "tfhub_modules").chmod(0o777)
    with pytest.raises(UserError, match="can be written by others: set TFHUB_CACHE_DIR"):
        resolve(server.url + PATH)


@pytest.mark.slow
def test_is_imported_without_a_word() -> None:
    code = "from model.hub_handle import import_tensorflow_hub as get; print(get().__version__)"
    command = [sys.executable, "-W", "always", "-c", code]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    ran = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    assert ran.stdout.startswith("0.16")
    assert "pkg_resources" not in ran.stderr
