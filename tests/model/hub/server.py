"""A server of modules on this machine, which speaks as tfhub.dev does."""

import io
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from model.hub_handle import resolve
from schemas.errors import UserError

PATH = "/tensorflow/small_bert/bert_en_uncased_L-2_H-8_A-2/1"


class HubServer(ThreadingHTTPServer):
    """A running server.

    Attributes:
        answers: status and body by path. A body is sent for `?tf-hub-format=compressed` alone.
        requests: the paths asked for.
        url: of its root.
        silent: lets everybody wait until it is set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.silent: threading.Event | None = None


class Answers(BaseHTTPRequestHandler):
    """Answers one request."""

    server: HubServer

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        self.server.requests.append(asked.path)
        if self.server.silent:
            self.server.silent.wait(60)
        status, body = self.server.answers.get(asked.path, (404, b"no such module"))
        if parse_qs(asked.query) != {"tf-hub-format": ["compressed"]}:
            status, body = 200, b"<html>a page for people</html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """A server until the end of the block."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def likeness(directory: Path) -> Path:
    """Writes as much of a module as a download cares for."""
    for name in ("saved_model.pb", "assets/vocab.txt", "variables/variables.index"):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(50_000))
    return directory


def archive(directory: Path) -> bytes:
    """A directory as .tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(directory, arcname=".")
    return buffer.getvalue()


def refusal(handle: str) -> str:
    """What is said of a handle that can't be resolved."""
    with pytest.raises(UserError) as caught:
        resolve(handle)
    message = str(caught.value)
    assert handle in message
    return message


def left(cache: Path) -> list[Path]:
    """What lies in the cache apart from descriptions."""
    return [path for path in cache.glob("*") if path.suffix != ".txt"]
