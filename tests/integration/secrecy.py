"""Text that is in no place but those that the user asked for, and the search for it."""

import base64
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from beam_jobs.logs import log_to_stderr

TEXT = "zq7nobodyswords"
FIELD = "zq7nobodysfield"
"""In a field of the records that no option names."""

SECRET = "zq7nobodyspassword"  # pragma: allowlist secret
"""In the environment."""

MARKS = (TEXT, FIELD, SECRET)

RECORDS = (
    f'{{"text": "A wonderful film {TEXT}", "stars": 5, "other": "{FIELD}"}}',
    f'{{"text": "  ", "stars": 5, "other": "{FIELD}"}}',
    f'{{"text": ["{TEXT}"], "stars": 5}}',
    f'{{"text": {{"{TEXT}": 1}}, "stars": 5}}',
    f'{{"text": "{TEXT} \\ud800", "stars": 5}}',
    f'{{"text": "fine {TEXT}", "stars": "{FIELD}"}}',
    f'{{"text": "{TEXT}" "{FIELD}"}}',
    f'"{TEXT}"',
    f'{{"text": "{TEXT}", "stars": NaN}}',
    f"{TEXT} {{",
    f'{{"stars": 5, "{FIELD}": "{TEXT}"}}',
)
SCORED, REJECTED = 1, len(RECORDS) - 1 + 3

CHILD = """
import logging, sys
from tests.integration import secrecy
from beam_jobs import score_reviews
score_reviews.log_to_stderr = secrecy.log_everything
sys.exit(score_reviews.main(sys.argv[1:]))
"""


def log_everything(log_format: str, quiet: bool) -> None:
    """Sets up logging as the job does, and then lets everything through."""
    log_to_stderr(log_format, quiet)
    (handler,) = logging.getLogger().handlers
    handler.filters.clear()
    logging.getLogger().setLevel(logging.DEBUG)
    for name in list(logging.getLogger().manager.loggerDict):
        logging.getLogger(name).setLevel(logging.NOTSET)


class Emitted(NamedTuple):
    """What a run has emitted.

    Attributes:
        folder: holds `in`, the input, and `out`, the output, and `tmp`, for temporary files.
        said: on stdout and stderr.
        metrics: all of them, as text.
    """

    folder: Path
    said: str
    metrics: str

    def places(self) -> Iterator[tuple[str, bytes]]:
        """Everything but the input and the rows."""
        yield "said", self.said.encode()
        yield "metrics", self.metrics.encode()
        for path in self.folder.rglob("*"):
            if path.is_file() and not self.is_asked_for(path):
                yield str(path), path.read_bytes()

    def is_asked_for(self, path: Path) -> bool:
        """Whether a file is input, or holds rows."""
        parts = path.relative_to(self.folder).parts
        return parts[0] == "in" or parts[:2] in (("out", "scores"), ("out", "rejected"))


def spellings(mark: str) -> Iterator[bytes]:
    """A text as it is, and as base64 has it, wherever it begins."""
    yield mark.encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + mark.encode())
        yield encoded[(0, 2, 3)[before] + bool(before) : -4]


def check_secret(places: Iterator[tuple[str, bytes]], marks: tuple[str, ...] = MARKS) -> None:
    """Searches all places for all marks."""
    looked_at = 0
    for name, content in places:
        looked_at += 1
        found = [mark for mark in marks for word in spellings(mark) if word in content]
        around = content.find(found[0].encode()) if found else 0
        assert not found, f"{name}: {content[max(0, around - 300) : around + 100]!r}"
    assert looked_at


def rejections(folder: Path) -> list[dict[str, Any]]:
    files = (folder / "out/rejected").glob("*.jsonl")
    return [json.loads(line) for path in files for line in path.read_text("utf-8").splitlines()]


def started(folder: Path, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        command = [sys.executable, "-c", CHILD, *arguments]
        return subprocess.Popen(command, stdout=file, stderr=file)


def wait_until(
    arrived: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 120
) -> None:
    deadline = time.monotonic() + seconds
    while not arrived():
        assert process.poll() is None, log.read_text("utf-8")[-3000:]
        assert time.monotonic() < deadline, log.read_text("utf-8")[-3000:]
        time.sleep(0.1)


def attributes(given: Mapping[str, str]) -> bytes:
    return json.dumps(dict(given)).encode()
