"""An HTTP proxy before the emulator: makes it fail on demand and act more like Cloud Storage.

What it mends of gcp-storage-emulator, because clients of the real service count on it:

* A read that starts at the end of an object or beyond gets status 416; the emulator answers 206
  with nothing.
* Errors carry the message of Cloud Storage; the emulator sends an empty body, so that what
  clients make of it could not be tested.
* Each part of a batch is checked and answered by itself, so that one of them can fail.
* Connections stay open, and calls are answered while others wait for their content.

What stays different from Cloud Storage: preconditions (`ifGenerationMatch`) and page sizes are
ignored, ranges counted from the end (`bytes=-8`) give the whole object, gzip is never transcoded,
copies of any size are done in one step, and nobody is asked for permission unless a fault does.
"""

import http.client
import json
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.gcs.calls import Call, call_of
from tests.gcs.faults import BUSY, FORBIDDEN, OK, UNAUTHORIZED, Fault

_OF_CONNECTION = ("connection", "content-length", "date", "host", "server", "transfer-encoding")
_TOKEN = {"access_token": "test", "token_type": "Bearer", "expires_in": 3600}
_NOT_FOUND, _BEYOND = 404, 416


class Answer(NamedTuple):
    """A response.

    Attributes:
        status: of HTTP.
        headers: without those of the connection.
        body: the content.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Proxy(ThreadingHTTPServer):
    """Passes calls on to an emulator.

    Attributes:
        faults: asked in turn, the first that returns a status decides.
        corrupted: objects, as `BUCKET/NAME`, whose content arrives with wrong bytes.
        calls: what was asked so far, failed or not.
    """

    daemon_threads = True

    def __init__(self, emulator_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._emulator_port = emulator_port
        self.faults: list[Fault] = []
        self.corrupted: set[str] = set()
        self.calls: list[Call] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that went away is no news."""

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answers a request as Cloud Storage would."""
        path = urlsplit(target).path
        if path == "/token":
            return _json_answer(200, _TOKEN)
        if path.startswith("/batch/"):
            return self._batch(headers, body)
        call = call_of(method, target, body, "authorization" in headers)
        self.calls.append(call)
        status = next(filter(None, (fault(call) for fault in self.faults)), OK)
        if status != OK:
            return _error(status, call)
        answer = self._forward(method, target, headers, body)
        if answer.status == _NOT_FOUND:
            return _error(_NOT_FOUND, call, self._has_bucket(call.bucket))
        if call.media and f"{call.bucket}/{call.name}" in self.corrupted:
            return answer._replace(body=bytes([answer.body[0] ^ 1]) + answer.body[1:])
        return _error(_BEYOND, call) if _starts_beyond(answer) else answer

    def _forward(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._emulator_port, timeout=60)
        kept = {name: value for name, value in headers.items() if name not in _OF_CONNECTION}
        try:
            connection.request(method, target, body, {**kept, "content-length": str(len(body))})
            return self._answer_of(connection.getresponse())
        finally:
            connection.close()

    def _answer_of(self, response: http.client.HTTPResponse) -> Answer:
        """The response of the emulator; links in it lead to the proxy."""
        there = f"http://127.0.0.1:{self._emulator_port}/"
        headers = {
            name: value.replace(there, f"{self.url}/")
            for name, value in response.getheaders()
            if name.lower() not in _OF_CONNECTION
        }
        body = response.read()
        if headers.get("Content-type") == "application/json":
            body = body.replace(there.encode(), f"{self.url}/".encode())
        return Answer(response.status, headers, body)

    def _has_bucket(self, bucket: str) -> bool:
        return self._forward("GET", f"/storage/v1/b/{bucket}", {}, b"").status != _NOT_FOUND

    def _batch(self, headers: dict[str, str], body: bytes) -> Answer:
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        parts: Any = BytesParser().parsebytes(head + body).get_payload()
        answers = [self._part(part.get_payload(), headers) for part in parts]
        separated = "".join(f"--part\r\n{answer}\r\n" for answer in answers) + "--part--\r\n"
        return Answer(200, {"Content-Type": "multipart/mixed; boundary=part"}, separated.encode())

    def _part(self, request: str, headers: dict[str, str]) -> str:
        """Answers a part of a batch; the credentials are those of the batch."""
        lines, _, content = request.replace("\r\n", "\n").partition("\n\n")
        method, target, _ = lines.splitlines()[0].split(" ")
        own = {**headers, "content-type": "application/json"}
        url = urlsplit(target)
        answer = self.answer(method, f"{url.path}?{url.query}", own, content.strip().encode())
        return (
            "Content-Type: application/http\r\n\r\n"
            f"HTTP/1.1 {answer.status} {http.client.responses[answer.status]}\r\n"
            f"Content-Type: application/json\r\n\r\n{answer.body.decode()}"
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes
    server: Proxy

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._body(headers)
        answer = self.server.answer(self.command, self.path, headers, body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.pop("transfer-encoding", "") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests look at `Proxy.calls`."""


def _starts_beyond(answer: Answer) -> bool:
    return "Content-Range" in answer.headers and not answer.body


def _json_answer(status: int, content: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(content).encode())


def _error(status: int, call: Call, has_bucket: bool = True) -> Answer:
    """An error in the words of Cloud Storage."""
    who = "Anonymous caller" if status == UNAUTHORIZED else "test@example.com"
    permission = call.permission()
    denied = (
        f"{who} does not have {permission} access to the Google Cloud Storage bucket. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )
    absent = f"No such object: {call.bucket}/{call.name}"
    words = {
        UNAUTHORIZED: denied,
        FORBIDDEN: denied,
        _NOT_FOUND: absent if has_bucket else "The specified bucket does not exist.",
        _BEYOND: "Request range not satisfiable",
        BUSY: "We encountered an internal error. Please try again.",
    }
    if call.media:  # only downloads are refused in plain text
        return Answer(status, {"Content-Type": "text/html; charset=UTF-8"}, words[status].encode())
    return _json_answer(status, {"error": {"code": status, "message": words[status]}})
