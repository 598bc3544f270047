"""Finding, starting and stopping the emulator; what it does is for the integration tests."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from beam_jobs import pubsub_emulator
from beam_jobs.pubsub_emulator import HOST_VARIABLE, JAR_VARIABLE, emulator, find_jar
from schemas.errors import UserError

JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar"

ANSWERING = f"""#!{sys.executable}
import http.server, os, pathlib, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))
port = int(sys.argv[-1].removeprefix("--port="))
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.fixture(autouse=True)
def _nothing_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (HOST_VARIABLE, JAR_VARIABLE, "CLOUDSDK_ROOT_DIR", "JAVA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(pubsub_emulator, "SDK_FOLDERS", (tmp_path / "usual",))


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)


def write_jar(folder: Path) -> Path:
    (folder / JAR).parent.mkdir(parents=True)
    (folder / JAR).touch()
    return folder / JAR


def test_the_jar_is_found_beside_gcloud(tmp_path: Path) -> None:
    jar = write_jar(tmp_path / "sdk")
    write_program(tmp_path / "sdk/bin/gcloud", "#!/bin/sh\n")
    (tmp_path / "bin/gcloud").symlink_to(tmp_path / "sdk/bin/gcloud")

    assert find_jar() == jar


def test_the_jar_is_found_where_it_usually_is(tmp_path: Path) -> None:
    jar = write_jar(tmp_path / "usual")

    assert find_jar() == jar


def test_the_jar_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jar(tmp_path / "usual")
    monkeypatch.setenv(JAR_VARIABLE, str(tmp_path / "other.jar"))

    with pytest.raises(UserError, match=r"other\.jar: no such file"):
        find_jar()

    (tmp_path / "other.jar").touch()
    assert find_jar() == tmp_path / "other.jar"


def test_what_is_not_installed_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gcloud components install pubsub-emulator.*Debian"):
        emulator().__enter__()

    write_jar(tmp_path / "usual")
    with pytest.raises(UserError, match="install a Java runtime"):
        emulator().__enter__()


def test_an_emulator_that_runs_already_is_used_and_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jar(tmp_path / "usual")
    write_program(tmp_path / "bin/java", ANSWERING)
    with emulator() as running:
        monkeypatch.setenv(HOST_VARIABLE, running)
        for _ in range(2):
            with emulator() as host:
                assert host == running

    with pytest.raises(UserError, match=f"{running}: no emulator answers"):
        emulator().__enter__()


def test_what_java_says_last_is_told_when_it_does_not_start(tmp_path: Path) -> None:
    write_jar(tmp_path / "usual")
    write_program(tmp_path / "bin/java", "#!/bin/sh\necho first; echo No runtime. >&2; exit 1\n")

    with pytest.raises(UserError, match=r"does not start: No runtime\.$"):
        emulator().__enter__()


def fail() -> None:
    raise ValueError


def be_terminated() -> None:
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("happens", "error"), [(fail, ValueError), (be_terminated, KeyboardInterrupt)]
)
def test_it_is_stopped_whatever_happens(
    tmp_path: Path, happens: Callable[[], None], error: type[BaseException]
) -> None:
    write_jar(tmp_path / "usual")
    write_program(tmp_path / "bin/java", ANSWERING)

    def start() -> None:
        with emulator():
            happens()

    with pytest.raises(error):
        start()

    pid = int((tmp_path / "bin/pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
