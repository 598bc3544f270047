"""The Pub/Sub emulator of the Google Cloud SDK: for tests, the streaming demo and the benchmark."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from schemas.errors import UserError

if TYPE_CHECKING:
    from google.cloud.pubsub_v1.subscriber.message import Message

HOST_VARIABLE = "PUBSUB_EMULATOR_HOST"
"""Google's clients speak to the emulator at this HOST:PORT rather than to Google."""

JAR_VARIABLE = "PUBSUB_EMULATOR_JAR"
"""Path of the emulator's jar, where it isn't in the folder of the Google Cloud SDK."""

PROJECT = "review-scoring"

SDK_FOLDERS = (Path("/usr/lib/google-cloud-sdk"), Path.home() / "google-cloud-sdk")
"""Where the Google Cloud SDK usually is."""

_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_START_TIMEOUT_SECONDS = 60.0
_STOP_TIMEOUT_SECONDS = 10.0


class Channel(NamedTuple):
    """A topic and a subscription to it.

    Attributes:
        topic: its path, `projects/P/topics/T`.
        subscription: its path, `projects/P/subscriptions/S`.
    """

    topic: str
    subscription: str


def create_channel(name: str) -> Channel:
    """Creates a topic and a subscription of that name.

    They are made where Google's clients look for Pub/Sub, see `HOST_VARIABLE`.
    """
    from google.cloud import pubsub_v1

    project = f"projects/{PROJECT}"
    channel = Channel(f"{project}/topics/{name}", f"{project}/subscriptions/{name}")
    pubsub_v1.PublisherClient().create_topic(name=channel.topic)
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(name=channel.subscription, topic=channel.topic)
    return channel


@contextlib.contextmanager
def receiving(channel: Channel, receive: Callable[["Message"], object]) -> Iterator[None]:
    """Acknowledges the messages of a channel as they come, as long as the block runs.

    Args:
        channel: where they come.
        receive: called with each, from threads of its own.
    """
    from google.cloud import pubsub_v1

    def take(message: "Message") -> None:
        receive(message)
        message.ack()

    with pubsub_v1.SubscriberClient() as subscriber:
        future = subscriber.subscribe(channel.subscription, take)
        try:
            yield
        finally:
            future.cancel()
            future.result()


@contextlib.contextmanager
def emulator() -> Iterator[str]:
    """An emulator that answers, as long as the block runs.

    The one that `HOST_VARIABLE` names is used and left running. Without it one is started on
    this machine, and stopped when the block ends, for whatever reason; SIGTERM becomes
    KeyboardInterrupt for that. For the main thread only.

    Yields:
        Its HOST:PORT.

    Raises:
        UserError: it isn't installed, doesn't start, or doesn't answer.
    """
    if running := os.environ.get(HOST_VARIABLE):
        if not _answers(running):
            raise UserError(
                f"{HOST_VARIABLE} {running}: no emulator answers; start it, or unset this"
            )
        yield running
        return
    jar, java = find_jar(), _find_java()
    port = _free_port()
    host = f"127.0.0.1:{port}"
    command = [java, "-Xmx256m", "-jar", str(jar), "--host=127.0.0.1", f"--port={port}"]
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryFile("w+") as log, _process(command, log) as process:
            _wait_until_it_answers(host, process, log)
            yield host
    finally:
        signal.signal(signal.SIGTERM, before)


def find_jar() -> Path:
    """The emulator's jar.

    Raises:
        UserError: it isn't where it should be; says how to get it.
    """
    if named := os.environ.get(JAR_VARIABLE):
        if not Path(named).is_file():
            raise UserError(f"{JAR_VARIABLE} {named}: no such file")
        return Path(named)
    for folder in _sdk_folders():
        if jars := sorted(folder.glob(_JAR)):
            return jars[-1]
    raise UserError(
        "the Pub/Sub emulator is not installed: run `gcloud components install pubsub-emulator`, "
        "or install the Debian package google-cloud-cli-pubsub-emulator, "
        f"or name its jar in {JAR_VARIABLE}"
    )


def _sdk_folders() -> Iterator[Path]:
    """Where the Google Cloud SDK may be. To ask gcloud itself would take seconds."""
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parents[1]
    if root := os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(root)
    yield from SDK_FOLDERS


def _find_java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = (home and shutil.which("java", path=f"{home}/bin")) or shutil.which("java")
    if not java:
        raise UserError(
            "the Pub/Sub emulator needs Java, which is not installed: install a Java runtime, "
            "such as the Debian package default-jre-headless"
        )
    return java


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _process(command: list[str], log: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs no longer than the block."""
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(host: str, process: subprocess.Popen[bytes], log: IO[str]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while not _answers(host):
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            last = (log.read().strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"the Pub/Sub emulator does not start: {last}")
        time.sleep(0.1)


def _answers(host: str) -> bool:
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
