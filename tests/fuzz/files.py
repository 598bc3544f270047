"""Targets: files of lines and of records between delimiters, compressed ones, TFRecords."""

import bz2
import gzip
import io
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, islice
from pathlib import Path
from typing import Any
from unittest import mock

import zstandard

from beam_jobs.formats import FileRange, base, format_of
from beam_jobs.formats.base import DamagedFile
from beam_jobs.formats.compression import Decompressed
from schemas.errors import UserError
from schemas.payload import Payload
from schemas.rejection import Reason, Rejection
from tests.beam_jobs.formats.files import delimited as delimited_file
from tests.beam_jobs.formats.files import example, frame, jsonl, text
from tests.fuzz.checks import FIELDS, check_detail, check_parsed, check_rejection, check_user_error
from tests.fuzz.choices import MEMORY, Choices, Damage, Target, damaged
from tests.fuzz.csv_reference import records

Item = Payload | Rejection

MOST_ITEMS = 20_000
"""More records than this in a few kilobytes are no records."""

_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY)

UNLIMITED = 1 << 24


@contextmanager
def file_of(content: bytes, name: str) -> Iterator[str]:
    """A file with some content, for a moment."""
    path = Path(_FOLDER.name, name)
    path.write_bytes(content)
    yield str(path)
    path.unlink()  # to write over a file takes milliseconds


def read(path: str, step: int = 0) -> list[Item]:
    """Everything in a file, read as a whole, or in ranges of `step` bytes."""
    starts = range(0, max(Path(path).stat().st_size, 1), step) if step else [0]
    parts = (
        [FileRange(path, start, start + step) for start in starts] if step else [FileRange(path)]
    )
    source = format_of(path)
    items: list[Item] = []
    for part in parts:
        items += islice(source.read(part, (*FIELDS.names(), "n")), MOST_ITEMS)
    assert len(items) < MOST_ITEMS
    return items


def unreadable_from(items: Sequence[Item]) -> str:
    """Where a file can't be read any further, which is the last that is said of it; else empty."""
    damages = [item for item in items if is_unreadable(item)]
    assert damages == items[-1:] or not damages
    for item in damages:
        assert isinstance(item, Rejection)
        assert item.payload_bytes == 0
        check_detail(item)
    return damages[0].origin.position if damages else ""


def is_unreadable(item: Item) -> bool:
    return isinstance(item, Rejection) and item.reason is Reason.UNREADABLE_FILE


def check_described(path: str) -> None:
    """The fields of a file are found, or one line says why not."""
    try:
        fields = format_of(path).describe(path)
    except UserError as error:
        check_user_error(error)
        return
    for item in read(path):
        if isinstance(item, Payload) and not isinstance(item.data, bytes):
            assert item.data.keys() <= fields.keys()


def lines(data: bytes) -> None:
    """Every line that isn't blank is an item of one range, whatever the ranges."""
    choices = Choices(data)
    suffix = choices.one_of([".jsonl", ".txt"])
    limit = choices.one_of([UNLIMITED, 5, 40])
    step = choices.number(256)
    content = choices.rest()[:1000]
    with (
        mock.patch.object(base, "RECORD_LIMIT_BYTES", limit),
        file_of(content, f"lines{suffix}") as path,
    ):
        found = read(path, step)
        assert found == read(path)
        check_described(path)
    for item, (offset, line) in zip(found, _lines(content), strict=True):
        assert item.origin.position == str(offset)
        if len(line) > limit:
            assert isinstance(item, Rejection)
            assert item.reason is Reason.TOO_LARGE
            assert len(line.rstrip(b"\r\n")) <= item.payload_bytes <= len(line.rstrip(b"\n"))
        else:
            assert isinstance(item, Payload)
            assert item.data == _content(offset, line)


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for line in io.BytesIO(content):
        if len(line) > base.RECORD_LIMIT_BYTES or _content(offset, line).strip():
            yield offset, line
        offset += len(line)


def _content(offset: int, line: bytes) -> bytes:
    return (line if offset else line.removeprefix(b"\xef\xbb\xbf")).rstrip(b"\r\n")


def delimited(data: bytes) -> None:
    """CSV and TSV are what RFC 4180 makes of them; what is no record is rejected, whole."""
    choices = Choices(data)
    suffix, delimiter = choices.one_of([(".csv", ","), (".tsv", "\t")])
    limit = choices.one_of([UNLIMITED, 12])
    content = choices.rest()
    if limit != UNLIMITED:
        content = content.lstrip(b"\xef\xbb\xbf")
    expected = list(records(content, delimiter, limit))
    with (
        mock.patch.object(base, "RECORD_LIMIT_BYTES", limit),
        file_of(content, f"delimited{suffix}") as path,
    ):
        found = read(path)
        check_described(path)
    header = expected[0].fields if expected else []
    if expected and (not header or len(set(header)) < len(header) or _has_blank(header)):
        assert unreadable_from(found) == "0"
        return
    for index, (item, record) in enumerate(zip(found, expected[1:], strict=True)):
        assert item.origin.position == str(index)
        if isinstance(item, Payload):
            assert item.data == dict(zip(header, record.fields, strict=True))
            continue
        too_large = item.reason is Reason.TOO_LARGE
        assert too_large == record.too_long
        assert too_large or len(record.fields) != len(header)
        if too_large:  # where several CRs end it, one of them may be counted
            assert 0 <= item.payload_bytes - len(record.data) <= 1
        else:
            check_rejection(item, record.data)


def _has_blank(header: Sequence[str]) -> bool:
    return any(not name.strip() for name in header)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def compressed(data: bytes) -> None:
    """What was written is read; cut or changed, its beginning is, and then that it is damaged."""
    choices = Choices(data)
    suffix = choices.one_of(list(COMPRESS))
    contents = [choices.piece() for _ in range(choices.number(4))]
    members = [COMPRESS[suffix](content) for content in contents]
    written, damage = damaged(b"".join(members), choices)
    found, complete = _decompressed(suffix, written)
    assert b"".join(contents).startswith(found)
    boundaries = list(accumulate(map(len, members)))
    if damage is Damage.CUT:
        assert complete == (len(written) in boundaries)
    else:
        assert complete or damage is Damage.BYTE or not members
    if complete:
        whole = boundaries.index(len(written)) + 1
        assert found == b"".join(contents[:whole])


def _decompressed(suffix: str, written: bytes) -> tuple[bytes, bool]:
    found = b""
    stream = io.BufferedReader(Decompressed(_Raw(written), suffix), 16)
    try:
        while piece := stream.read1(7):
            found += piece
    except DamagedFile:
        return found, False
    return found, True


class _Raw(io.RawIOBase):
    """Bytes as a file of an operating system."""

    def __init__(self, data: bytes) -> None:
        self._bytes = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._bytes.readinto(buffer)


def tfrecord(data: bytes) -> None:
    """Examples before a damage are read, each for itself; the damage is told where it is."""
    choices = Choices(data)
    examples = [choices.piece() for _ in range(choices.number(6))]
    frames = [frame(serialized) for serialized in examples]
    written, damage = damaged(b"".join(frames), choices)
    with file_of(written, "examples.tfrecord") as path:
        items = read(path)
        check_described(path)
    ends = list(accumulate(map(len, frames)))
    whole = bisect_right(ends, _first_difference(written, b"".join(frames)))
    is_whole = whole == len(frames) or (damage is Damage.CUT and len(written) in [0, *ends])
    assert unreadable_from(items) == ("" if is_whole else str(whole))
    for index, (item, serialized) in enumerate(zip(items, examples[:whole], strict=False)):
        assert item.origin.position == str(index)
        if isinstance(item, Rejection):
            assert item.reason is Reason.MALFORMED_RECORD
            check_rejection(item, serialized)
        else:
            check_parsed(item)


def _first_difference(changed: bytes, original: bytes) -> int:
    pairs = enumerate(zip(changed, original, strict=False))
    return next((at for at, (new, old) in pairs if new != old), len(changed))


TEXTS = ["good", "bad, too", 'He said "dull".', "-" * 50]

_EXAMPLES = [
    example({"text": [b"good"], "id": [b"a"], "n": [1, 2]}),
    example({"text": [b"\xff"], "id": [7], "float64": [0.5]}),
    example({"text": [], "id": [b"x"], "string": [b"a", b"b"]}),
    b"no example",
    b"",
]


def _sized(pieces: Sequence[bytes]) -> bytes:
    return bytes([len(pieces)]) + b"".join(bytes([len(piece)]) + piece for piece in pieces)


def _damages(seed: bytes) -> list[bytes]:
    return [seed, *(seed + bytes([damage, 0, place, 1]) for damage in (1, 2) for place in (3, 30))]


_LINES = [
    *(b"", b"\n", b"good\nbad", b"\xef\xbb\xbfgood\r\n\r\n \nbad\r", b"x" * 30 + b"\ny\n"),
    *(jsonl(TEXTS), text(TEXTS), b'{"a": 1, "b": null}\n{"b": [], "a": 2.5}\n[]\n\xff'),
]
_DELIMITED = [
    *(b"", b"a,b\n1,2\n", b"\xef\xbb\xbfa,b\r\n\r\n1,2\r\n", b'a,b\n1,"x\ny"\n2,"z'),
    *(b"a,a\n1,2", b"a,\n1,2", b'a\n""\n"b"c\nd"e\n', b'a,b\n1,"x""y"\n1\n1,\0\n\xff,2\r3\n'),
    delimited_file(TEXTS),
    *(b'a,b\n1,"xxxxxxxxxxxxxx\n"\n2,3\n', b'a,b\n1,xxxxxxxx"xxxxx\n2,3"\n4,5\n'),
]

TARGETS = {
    "lines": Target(
        lines, [bytes([k, n, s]) + c for k in (0, 1) for n, s in ((0, 3), (1, 7)) for c in _LINES]
    ),
    "delimited": Target(
        delimited,
        [bytes([0, n]) + c for n in (0, 1) for c in _DELIMITED]
        + [bytes([1, n]) + c.replace(b",", b"\t") for n in (0, 1) for c in _DELIMITED],
    ),
    "compressed": Target(
        compressed,
        [
            seed
            for kind in range(3)
            for pieces in ([], [b"good"], [b"good", b"", b"bad" * 20])
            for seed in _damages(bytes([kind]) + _sized(pieces))
        ],
    ),
    "tfrecord": Target(
        tfrecord, [*_damages(_sized(_EXAMPLES)), *(_sized([piece]) for piece in _EXAMPLES)]
    ),
}
