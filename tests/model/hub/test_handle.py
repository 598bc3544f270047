import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from model import hub_handle
from model.fingerprint import fingerprint
from model.hub_handle import resolve
from tests.model.hub.server import PATH, HubServer, archive, hub_server, left, refusal


def test_a_local_directory_stays_one() -> None:
    assert resolve("some/module") == Path("some/module")


def test_a_handle_is_fetched_once(server: HubServer, module: Path, cache: Path) -> None:
    server.answers[PATH] = (200, archive(module))

    directories = {resolve(server.url + PATH) for _ in range(3)}

    (directory,) = directories
    assert directory.parent == cache
    assert fingerprint(directory) == fingerprint(module)
    assert server.requests == [PATH]
    assert server.url + PATH in directory.with_name(directory.name + ".descriptor.txt").read_text()


def test_the_cache_does_without_the_server(module: Path, cache: Path) -> None:
    with hub_server() as server:
        server.answers[PATH] = (200, archive(module))
        directory = resolve(server.url + PATH)
    assert resolve(server.url + PATH) == directory


def test_two_that_ask_at_once_share_a_download(server: HubServer, module: Path) -> None:
    server.answers[PATH] = (200, archive(module))
    server.silent = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(resolve, server.url + PATH) for _ in range(2)]
        time.sleep(1)
        server.silent.set()
        assert len({one.result() for one in asked}) == 1
    assert server.requests == [PATH]


@pytest.mark.parametrize(
    ("status", "advice"),
    [(404, "check the handle"), (403, "give its directory"), (500, "try again later")],
)
def test_refusals_of_the_server(server: HubServer, cache: Path, status: int, advice: str) -> None:
    server.answers[PATH] = (status, b"no")

    message = refusal(server.url + PATH)

    assert f"HTTP {status}" in message
    assert advice in message
    assert "export-encoder" in message
    assert not left(cache)


@pytest.mark.parametrize(
    "body", [b"<html>Sign in</html>", b"", b"noise" * 999, b"\x1f\x8b\x08no", b"\x1f\x8bno"]
)
def test_garbage_is_no_module(server: HubServer, cache: Path, body: bytes) -> None:
    server.answers[PATH] = (200, body)
    assert "no archive of a module" in refusal(server.url + PATH)
    assert not left(cache)


def test_half_an_archive_is_no_module(server: HubServer, module: Path, cache: Path) -> None:
    whole = archive(module)
    for tenths in range(1, 10):
        server.answers[PATH] = (200, whole[: len(whole) * tenths // 10])
        assert "not all of it" in refusal(server.url + PATH)
        assert not left(cache)
    server.answers[PATH] = (200, whole)
    assert fingerprint(resolve(server.url + PATH)) == fingerprint(module)


@pytest.mark.parametrize("name", ["link", "../outside"])
def test_an_archive_can_not_lead_out_of_the_cache(
    server: HubServer, tmp_path: Path, cache: Path, name: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    command = ["tar", "-czf", "-", "-C", str(folder), "-P", f"--transform=s|^link|{name}|", "link"]
    server.answers[PATH] = (200, subprocess.run(command, check=True, capture_output=True).stdout)
    assert "no archive of a module" in refusal(server.url + PATH)
    assert not left(cache)


def test_an_archive_of_something_else(server: HubServer, module: Path) -> None:
    (module / "saved_model.pb").unlink()
    server.answers[PATH] = (200, archive(module))
    message = refusal(server.url + PATH)
    assert "holds no SavedModel" in message
    assert "remove that directory" in message


def test_a_damaged_copy_can_be_removed(server: HubServer, module: Path) -> None:
    server.answers[PATH] = (200, archive(module))
    directory = resolve(server.url + PATH)
    (directory / "saved_model.pb").unlink()
    assert str(directory) in refusal(server.url + PATH)


def test_nobody_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    message = refusal(f"https://127.0.0.1:{port}{PATH}")
    assert "can't reach" in message
    assert "export-encoder" in message


def test_no_such_host() -> None:
    assert "can't reach" in refusal("https://hub.invalid/bert/1")


def test_a_silent_server_is_given_up(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.silent = threading.Event()
    monkeypatch.setattr(hub_handle, "SILENCE_SECONDS", 0.5)
    before = socket.getdefaulttimeout()
    began = time.monotonic()
    assert "can't reach" in refusal(server.url + PATH)
    assert time.monotonic() - began < 10
    assert socket.getdefaulttimeout() == before
    server.silent.set()


@pytest.mark.parametrize(
    "handle", ["gs://bucket/module", "file:///etc/passwd", "ftp://host/module"]
)
def test_other_urls_are_refused(handle: str) -> None:
    assert "neither a TF Hub handle" in refusal(handle)
