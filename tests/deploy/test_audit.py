"""The scan asks a real HTTP server, made here in the form of OSV's."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from deploy import audit

ADVISORY = {
    "id": "PYSEC-2026-1",
    "modified": "2026-11-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "protobuf", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0.0"}]}],
        }
    ],
}


class Database(http.server.ThreadingHTTPServer):
    """Knows of vulnerabilities in the packages that a test puts here."""

    vulnerable: frozenset[str] = frozenset()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Database)
        found = query["package"]["name"] in self.server.vulnerable
        answer = json.dumps({"vulns": [ADVISORY]} if found else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def database() -> Iterator[Database]:
    server = Database(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(port: int) -> int:
    return audit.main([f"--osv-url=http://127.0.0.1:{port}/v1/query"], services=["osv"])


def test_a_clean_scan_counts_every_package(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = len(audit.locked(audit.LOCK))

    assert run(database.server_port) == 0
    said = f"audit: {packages} of {packages} packages scanned (osv), 0 vulnerable\n"
    assert capsys.readouterr().out == said


def test_a_vulnerable_package_fails_the_scan(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.vulnerable = frozenset({"protobuf"})
    version = dict(package.split("==") for package in audit.locked(audit.LOCK))["protobuf"]

    assert run(database.server_port) == 1
    assert f"protobuf {version}: PYSEC-2026-1, fixed in 99.0.0\n" in capsys.readouterr().out


def test_a_scan_that_could_not_be_made_is_said(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.server_close()

    assert run(database.server_port) == 0
    assert capsys.readouterr().out.startswith("audit: NOT SCANNED")
