import gzip
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from beam_jobs.formats import base, format_of
from schemas.errors import UserError
from schemas.rejection import Reason, Rejection, Stage
from tests.beam_jobs.formats.files import COMPRESSORS, WRITERS, movie_reviews, outcomes, read

COMPRESSED = [suffix for suffix in COMPRESSORS if suffix]
ROW_FORMATS = [".jsonl", ".csv", ".tfrecord"]


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("suffix", ROW_FORMATS)
def test_a_truncated_file_gives_what_it_has_and_one_rejection(
    suffix: str, compression: str, tmp_path: Path
) -> None:
    content = WRITERS[suffix](movie_reviews(300 if compression == ".bz2" else 40))
    whole = outcomes(read(write(tmp_path, f"whole{suffix}", content)))
    compressed = _in_members(content, compression)
    cut = write(tmp_path, f"cut{suffix}{compression}", compressed[: len(compressed) * 3 // 4])

    *reviews, last = read(cut)

    assert 0 < len(reviews) < len(whole)
    assert outcomes(reviews) == whole[: len(reviews)]
    assert isinstance(last, Rejection)
    assert (last.stage, last.reason) == (Stage.READ, Reason.UNREADABLE_FILE)
    assert last.origin.position == whole[len(reviews)][0]
    assert "ends too early" in last.detail
    assert not last.payload


def _in_members(content: bytes, compression: str) -> bytes:
    """Members of 8 KiB, so that a cut leaves some of them whole."""
    pieces = [content[start : start + 8192] for start in range(0, len(content), 8192)]
    return b"".join(map(COMPRESSORS[compression], pieces))


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("lost", [1, 4, 9])
def test_a_lost_tail_is_noticed(compression: str, lost: int, tmp_path: Path) -> None:
    content = COMPRESSORS[compression](b"good\nbad\n")

    last = read(write(tmp_path, f"cut.txt{compression}", content[:-lost]))[-1]

    assert isinstance(last, Rejection)
    assert last.reason is Reason.UNREADABLE_FILE


@pytest.mark.parametrize("compression", COMPRESSED)
def test_members_and_frames_follow_each_other(compression: str, tmp_path: Path) -> None:
    compress = COMPRESSORS[compression]
    content = compress(b"one\ntw") + compress(b"") + compress(b"o\nthree\n") + b"\0" * 5000

    items = read(write(tmp_path, f"members.txt{compression}", content))

    assert [item.data for item in items] == [b"one", b"two", b"three"]


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("content", [b"", b"not compressed at all\n"])
def test_what_is_not_compressed_is_unreadable(
    compression: str, content: bytes, tmp_path: Path
) -> None:
    path = write(tmp_path, f"plain.jsonl{compression}", content)

    assert outcomes(read(path)) == [("0", "unreadable_file")]
    with pytest.raises(UserError, match=r"can't be used as jsonl: Its .* data"):
        format_of(str(path)).describe(str(path))


@pytest.mark.parametrize("compression", COMPRESSED)
def test_garbage_after_the_end_is_noticed(compression: str, tmp_path: Path) -> None:
    content = COMPRESSORS[compression](b"good\n") + b"garbage that is no member"

    items = read(write(tmp_path, f"garbage.txt{compression}", content))

    assert outcomes(items) == [("0", "good"), ("5", "unreadable_file")]


@pytest.mark.parametrize("compression", COMPRESSED)
def test_a_little_that_becomes_a_lot_is_not_held_in_memory(
    compression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "RECORD_LIMIT_BYTES", 1024 * 1024)
    content = COMPRESSORS[compression](b"x" * 100_000_000 + b"\ngood\n")
    path = write(tmp_path, f"bomb.txt{compression}", content)
    tracemalloc.start()
    try:
        items = outcomes(read(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert items == [("0", "too_large"), ("100000001", "good")]
    assert peak < 40e6


def test_a_wrong_checksum_is_noticed(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(b"good\n"))
    content[-8] ^= 1

    items = read(write(tmp_path, "sum.txt.gz", bytes(content)))

    assert isinstance(items[-1], Rejection)
    assert items[-1].reason is Reason.UNREADABLE_FILE


def test_a_skippable_frame_is_skipped(tmp_path: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"meta"
    content = skippable + zstandard.compress(b"good\n") + skippable

    items = read(write(tmp_path, "skip.txt.zst", content))

    assert [item.data for item in items] == [b"good"]
