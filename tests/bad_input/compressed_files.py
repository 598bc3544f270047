"""Compressed files that are damaged, wrongly named, or only look so."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

import zstandard

from tests.bad_input.kinds import MALFORMED, NOT_UTF8, SCORED, UNREADABLE, BadFile

LINE = b'{"text": "Nice."}\n'
"""A good line of JSONL; what follows it stands at byte 18."""


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": _gzip,
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
_NAMES = {".gz": "gzip", ".bz2": "bzip2", ".zst": "zstd"}

_BAD_AT_ONCE = {"0": UNREADABLE}
_BAD_AFTER_A_LINE = {"0": SCORED, "18": UNREADABLE}
_TWO_LINES = {"0": SCORED, "18": SCORED}


def _damaged(suffix: str) -> Iterator[BadFile]:
    compress, name = _COMPRESSORS[suffix], _NAMES[suffix]
    whole, empty = compress(LINE), compress(b"")
    contents = {
        "of no bytes": (b"", _BAD_AT_ONCE),
        "of one byte": (whole[:1], _BAD_AT_ONCE),
        "cut within its header": (whole[:3], _BAD_AT_ONCE),
        "cut in half": (whole[: len(whole) // 2], _BAD_AT_ONCE),
        "without its last byte": (whole[:-1], _BAD_AFTER_A_LINE),
        "of which the second member is cut": (whole + whole[:9], _BAD_AFTER_A_LINE),
        "with words after it": (whole + b"words", _BAD_AFTER_A_LINE),
        "with another compression after it": (whole + lzma.compress(LINE), _BAD_AFTER_A_LINE),
        "concatenated": (whole + whole, _TWO_LINES),
        "with a line across two members": (compress(LINE[:5]) + compress(LINE[5:]), {"0": SCORED}),
        "with an empty member between": (whole + empty + whole, _TWO_LINES),
        "of nothing": (empty, {}),
        "padded with NULs": (whole + b"\0" * 9000, {"0": SCORED}),
        "padded with NULs within": (whole + b"\0" * 9000 + whole, _TWO_LINES),
        "that is not compressed": (LINE, _BAD_AT_ONCE),
        "compressed twice": (compress(_on_one_line(compress)), {"0": NOT_UTF8}),
    }
    for what, (content, outcomes) in contents.items():
        yield BadFile(f"{name} {what}", f".jsonl{suffix}", content, outcomes)
    yield BadFile(f"{name} without the suffix", ".jsonl", _on_one_line(compress), {"0": NOT_UTF8})
    for other in _COMPRESSORS.keys() - {suffix}:
        yield BadFile(f"{name} as {_NAMES[other]}", f".jsonl{other}", whole, _BAD_AT_ONCE)


def _on_one_line(compress: Callable[[bytes], bytes]) -> bytes:
    """Compressed data that by chance holds no line end."""
    tries = (compress(bytes([33 + number, 2 * number + 33])) for number in range(40))
    return next(data for data in tries if b"\n" not in data)


def _changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def _flagged(flag: int, more: bytes) -> bytes:
    """gzip with a flag in its header, and what the flag announces."""
    whole = _gzip(LINE)
    return _changed(whole[:10], 3, flag) + more + whole[10:]


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("reviews.jsonl", LINE)
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        info = tarfile.TarInfo("reviews.jsonl")
        info.size = len(LINE)
        file.addfile(info, io.BytesIO(LINE))
    return out.getvalue()


def _of_gzip() -> Iterator[BadFile]:
    whole = _gzip(LINE)
    header_checksum = struct.pack("<H", zlib.crc32(_changed(whole[:10], 3, 2)) & 0xFFFF)
    contents = {
        "with a wrong checksum": (_changed(whole, -8, whole[-8] ^ 1), _BAD_AT_ONCE),
        "with a wrong length": (_changed(whole, -4, whole[-4] ^ 1), _BAD_AT_ONCE),
        "of an unknown method": (_changed(whole, 2, 7), _BAD_AT_ONCE),
        "with an unknown flag": (_changed(whole, 3, 0x80), _BAD_AT_ONCE),
        "with a block of an unknown type": (_changed(whole, 10, 0xFF), _BAD_AT_ONCE),
        "with the name of a file": (_flagged(8, b"reviews.jsonl\0"), {"0": SCORED}),
        "with a name that never ends": (_flagged(8, b"")[:10] + b"x" * 9000, _BAD_AT_ONCE),
        "with a comment": (_flagged(16, b"good\0"), {"0": SCORED}),
        "with an extra field": (_flagged(4, b"\4\0abcd"), {"0": SCORED}),
        "with a checksum of its header": (_flagged(2, header_checksum), {"0": SCORED}),
        "with a wrong checksum of its header": (_flagged(2, b"\0\0"), _BAD_AT_ONCE),
        "that is zlib": (zlib.compress(LINE), _BAD_AT_ONCE),
        "that is bare deflate": (zlib.compress(LINE)[2:-4], _BAD_AT_ONCE),
        "that is zip": (_zip(), _BAD_AT_ONCE),
        "that is xz": (lzma.compress(LINE), _BAD_AT_ONCE),
        "that is compress": (b"\x1f\x9d\x90N\xd2", _BAD_AT_ONCE),
        "of a tar": (_gzip(_tar()), {"0": MALFORMED, "530": MALFORMED}),
    }
    for what, (content, outcomes) in contents.items():
        yield BadFile(f"gzip {what}", ".jsonl.gz", content, outcomes)


def _of_bzip2() -> Iterator[BadFile]:
    whole = bz2.compress(LINE)
    contents = {
        "of an unknown block size": _changed(whole, 3, ord("0")),
        "with a broken mark of a block": _changed(whole, 4, 0),
        "with a wrong checksum": _changed(whole, 10, whole[10] ^ 1),
        "with a flipped bit": _changed(whole, 30, whole[30] ^ 8),
    }
    for what, content in contents.items():
        yield BadFile(f"bzip2 {what}", ".jsonl.bz2", content, _BAD_AT_ONCE)


def _of_zstd() -> Iterator[BadFile]:
    whole = _COMPRESSORS[".zst"](LINE)
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 4) + b"meta"
    compressor = zstandard.ZstdCompressor().compressobj()
    contents = {
        "with skippable frames": (skippable + whole + skippable, {"0": SCORED}),
        "of a skippable frame cut short": (whole + skippable[:-2], _BAD_AFTER_A_LINE),
        "that does not tell its size": (
            compressor.compress(LINE) + compressor.flush(),
            {"0": SCORED},
        ),
        "with a wrong checksum": (whole + _changed(whole, -1, whole[-1] ^ 1), _BAD_AFTER_A_LINE),
        "that needs a dictionary": (
            b"\x28\xb5\x2f\xfd\x21\x07\x12" + whole[6:],
            _BAD_AT_ONCE,
        ),
        "with a window of two terabytes": (b"\x28\xb5\x2f\xfd\x00\xf8" + whole[6:], _BAD_AT_ONCE),
        "of an old version": (b"\x27\xb5\x2f\xfd" + whole[4:], _BAD_AT_ONCE),
        "with a block of an unknown type": (_changed(whole, 6, 0xFF), _BAD_AT_ONCE),
        "that is LZ4": (b"\x04\x22\x4d\x18\x64\x40\xa7", _BAD_AT_ONCE),
    }
    for what, (content, outcomes) in contents.items():
        yield BadFile(f"zstd {what}", ".jsonl.zst", content, outcomes)


def _of_other_formats() -> Iterator[BadFile]:
    half = _gzip(LINE)[:-9]
    for suffix in (".csv", ".tsv", ".txt", ".tfrecord"):
        yield BadFile(f"{suffix[1:]} in half a gzip", f"{suffix}.gz", half[:20], _BAD_AT_ONCE)


FILES = [
    *(file for suffix in _COMPRESSORS for file in _damaged(suffix)),
    *_of_gzip(),
    *_of_bzip2(),
    *_of_zstd(),
    *_of_other_formats(),
]
