"""Every target on its seeds, on what once broke it, and on inputs near both.

`python -m tests.fuzz TARGET` goes on from there, guided by coverage.
"""

import datetime
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from beam_jobs import dates, fields, manifest, storage_errors
from beam_jobs.formats import base, delimited, lines, parquet, streams, tfrecord
from beam_jobs.formats.compression import Decompressed
from model import card, remote, tokenizer
from model.tokenizer import Tokenizer
from schemas import event_time, field, review
from tests.fuzz.modules import MODULES, target
from tests.fuzz.mutations import mutations
from tests.fuzz.regressions import REGRESSIONS

HAS_ATHERIS = (
    platform.system() == "Linux" and platform.machine() == "x86_64" and sys.version_info >= (3, 11)
)

RUNS = 200
"""Of each target, beside its seeds."""

NAMES = [
    pytest.param(name, marks=pytest.mark.tfx_bsl) if name == "tfrecord" else name
    for name in MODULES
]


def inputs(name: str, runs: int) -> list[bytes]:
    return list(mutations([*REGRESSIONS.get(name, ()), *target(name).seeds], runs))


@pytest.mark.parametrize("name", NAMES)
def test_promises_hold(name: str) -> None:
    check_all(target(name).check, inputs(name, RUNS))


def nothing(*_: object) -> None:
    """In the place of a check, does not check."""


def at_the_start(path: str, _: object, damage: base.DamagedFile) -> object:
    return base.unreadable(path, 0, damage)


def unblamed(*_: object) -> object:
    return nullcontext()


readinto, tokenize = Decompressed.readinto, Tokenizer.tokenize


def ends_quietly(stream: Decompressed, buffer: Any) -> int:
    try:
        return readinto(stream, buffer)
    except base.DamagedFile:
        return 0


FAULTS: dict[str, tuple[Any, str, object]] = {
    "json": (review, "_check_unicode", nothing),
    "text": (review, "_decoded", lambda data: data.decode("utf-8", "replace")),
    "value": (field, "_INT64_LIMIT", 2**70),
    "message": (event_time, "CLOCK_SKEW", datetime.timedelta.max),
    "event_time": (event_time, "_EPOCH", event_time._EPOCH + datetime.timedelta(hours=1)),
    "lines": (lines, "BYTE_ORDER_MARK", b""),
    "delimited": (delimited, "BYTE_ORDER_MARK", b""),
    "compressed": (Decompressed, "readinto", ends_quietly),
    "tfrecord": (tfrecord, "unreadable", at_the_start),
    "parquet": (streams.StoredStream, "blaming_content", unblamed),
    "avro": (streams.StoredStream, "blaming_content", unblamed),
    "avro_block": (streams.StoredStream, "blaming_content", unblamed),
    "arrow": (parquet, "_row_groups", lambda _: []),
    "kept_field": (fields, "_check_unicode", nothing),
    "date_template": (dates, "_DEFAULT_FORMAT", "%d.%m.%y"),
    "object_name": (remote, "_check_name", nothing),
    "url": (storage_errors, "check_url", nothing),
    "card": (card, "_is_name", bool),
    "vocabulary": (tokenizer, "END", "[CLS]"),
    "manifest": (manifest, "_STATUSES", (None,)),
    "tokenizer": (Tokenizer, "tokenize", lambda self, texts: tokenize(self, texts[::-1])),
}
"""Something to break in the code behind each target."""


@pytest.mark.parametrize("name", NAMES)
def test_a_target_notices_a_fault(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check = target(name).check
    owner, attribute, broken = FAULTS[name]
    monkeypatch.setattr(owner, attribute, broken)

    with pytest.raises(Exception):  # noqa: B017, PT011 - an assertion, or what a parser let out
        check_all(check, inputs(name, RUNS))


def check_all(check: Callable[[bytes], None], data: list[bytes]) -> None:
    for one in data:
        check(one)


@pytest.mark.skipif(not HAS_ATHERIS, reason="atheris has no wheel for this machine")
def test_the_command_fuzzes_with_coverage(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "event_time", "--runs", "300", "--seed", "1"]
    done = subprocess.run(
        [*command, "--corpus", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert int(re.findall(r"cov: (\d+)", done.stderr)[-1]) > 10
    assert any(tmp_path.iterdir())
