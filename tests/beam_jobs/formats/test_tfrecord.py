import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from beam_jobs.formats import FileRange, base
from beam_jobs.formats.tfrecord import BATCH_EXAMPLES, TFRECORD
from schemas.rejection import Reason, Rejection, Stage
from tests.beam_jobs.formats.files import example, frame, masked_crc, outcomes, read

pytestmark = pytest.mark.tfx_bsl

WRITTEN_BY_TENSORFLOW = bytes.fromhex(
    "3e00000000000000d9d240e70a3c0a160a0673636f726573120c120a0a080000003f0000803e0a0e0a057374617273"
    "12051a030a01040a120a0474657874120a0a080a06536368c3b66e62e1b1e2"
)


def write(folder: Path, *frames: bytes) -> Path:
    path = folder / "reviews.tfrecord"
    path.write_bytes(b"".join(frames))
    return path


def review(text: str) -> bytes:
    return frame(example({"text": [text.encode()]}))


def test_the_writer_of_these_tests_agrees_with_tensorflow() -> None:
    features: dict[str, list[Any]] = {
        "scores": [0.5, 0.25],
        "stars": [4],
        "text": ["Schön".encode()],
    }
    assert frame(example(features)) == WRITTEN_BY_TENSORFLOW


def test_features_become_values(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        WRITTEN_BY_TENSORFLOW,
        frame(example({"text": [b"good", b"bad"], "stars": [3]})),
        frame(b""),
    )

    assert [dict(item.data) for item in read(path)] == [
        {"scores": [0.5, 0.25], "stars": 4, "text": "Schön".encode()},
        {"scores": None, "stars": 3, "text": [b"good", b"bad"]},
        {"scores": None, "stars": None, "text": None},
    ]


def test_fields_come_from_the_first_records(tmp_path: Path) -> None:
    path = write(tmp_path, WRITTEN_BY_TENSORFLOW, frame(b"junk"), frame(example({"f": [1.5]})))

    found = {name: kind.value for name, kind in TFRECORD.describe(str(path)).items()}

    assert found == {"scores": "json", "stars": "int64", "text": "string", "f": "float64"}


def test_a_malformed_example_costs_one_record(tmp_path: Path) -> None:
    path = write(tmp_path, review("good"), frame(b"\xff\xff junk"), review("bad"))

    items = read(path)

    assert outcomes(items) == [("0", "good"), ("1", "malformed_record"), ("2", "bad")]
    assert (items[1].stage, items[1].payload_bytes) == (Stage.PARSE, 7)


def test_examples_may_disagree_on_a_type(tmp_path: Path) -> None:
    path = write(tmp_path, review("good"), frame(example({"text": [5]})), review("bad"))

    assert outcomes(read(path)) == [("0", "good"), ("1", "text_not_string"), ("2", "bad")]


def test_more_records_than_a_batch_keep_their_positions(tmp_path: Path) -> None:
    count = BATCH_EXAMPLES * 2 + 1
    path = write(tmp_path, *(review(str(number)) for number in range(count)))

    assert outcomes(read(path)) == [(str(number), str(number)) for number in range(count)]


@pytest.mark.parametrize("where", [0, 8, 20, -1])
def test_a_broken_frame_ends_the_reading(where: int, tmp_path: Path) -> None:
    broken = bytearray(review("broken"))
    broken[where] ^= 1
    path = write(tmp_path, review("good"), bytes(broken), review("lost"))

    items = read(path)

    assert outcomes(items) == [("0", "good"), ("1", "unreadable_file")]
    assert "checksum" in items[1].detail


@pytest.mark.parametrize("left", [1, 8, 11, 12, 20, -1])
def test_a_cut_file_is_noticed(left: int, tmp_path: Path) -> None:
    path = write(tmp_path, review("good"), review("cut off")[:left])

    assert outcomes(read(path)) == [("0", "good"), ("1", "unreadable_file")]


def test_an_empty_file_has_no_reviews(tmp_path: Path) -> None:
    assert read(write(tmp_path)) == []


def test_a_long_record_is_rejected_and_reading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "RECORD_LIMIT_BYTES", 5000)
    path = write(tmp_path, review("good"), review("x" * 6000), review("bad"))

    items = read(path)

    assert outcomes(items) == [("0", "good"), ("1", "too_large"), ("2", "bad")]
    assert items[1].payload_bytes == len(example({"text": [b"x" * 6000]}))


def test_memory_does_not_grow_with_a_record(tmp_path: Path) -> None:
    size = base.RECORD_LIMIT_BYTES * 4
    length = size.to_bytes(8, "little")
    path = write(tmp_path, length + masked_crc(length), b"x" * size, b"----", review("after"))
    tracemalloc.start()
    try:
        rejection, after = TFRECORD.read(FileRange(str(path)), ())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.payload_bytes) == (Reason.TOO_LARGE, size)
    assert outcomes([after]) == [("1", "after")]
    assert peak < 8e6


def test_tfx_bsl_is_loaded_for_tfrecord_only() -> None:
    check = "import sys, beam_jobs.sources; sys.exit('tfx_bsl' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
