"""Every format and compression gives back the reviews that went in, however it is split."""

from pathlib import Path

import pytest

from beam_jobs.formats import format_of
from tests.beam_jobs.formats.files import (
    COMPRESSORS,
    WRITERS,
    movie_reviews,
    one_line,
    read,
    texts_by_position,
)

CASES = [
    (suffix, compression)
    for suffix in WRITERS
    for compression in COMPRESSORS
    if not compression or suffix not in (".parquet", ".avro")
]


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    return movie_reviews()


@pytest.mark.parametrize(("suffix", "compression"), CASES)
def test_reviews_come_back(
    suffix: str, compression: str, reviews: list[str], tmp_path: Path
) -> None:
    expected = one_line(reviews) if suffix == ".txt" else reviews
    path = tmp_path / f"reviews{suffix}{compression}"
    path.write_bytes(COMPRESSORS[compression](WRITERS[suffix](expected)))

    assert list(texts_by_position(read(path)).values()) == expected


@pytest.mark.parametrize("suffix", [".jsonl", ".txt", ".parquet", ".avro"])
@pytest.mark.parametrize("step", [97, 1000, 4096, 50_000])
def test_ranges_of_any_size_hold_the_same_records(
    suffix: str, step: int, reviews: list[str], tmp_path: Path
) -> None:
    path = tmp_path / f"reviews{suffix}"
    path.write_bytes(WRITERS[suffix](one_line(reviews)))
    assert format_of(str(path)).splittable

    assert read(path, step=step) == read(path)


@pytest.mark.tfx_bsl
def test_positions_are_what_they_are_said_to_be(reviews: list[str], tmp_path: Path) -> None:
    lines = one_line(reviews)
    for suffix in WRITERS:
        path = tmp_path / f"reviews{suffix}"
        content = WRITERS[suffix](lines)
        path.write_bytes(content)
        positions = list(texts_by_position(read(path)))
        if suffix in (".jsonl", ".txt"):
            starts = [0, *(i + 1 for i, byte in enumerate(content) if byte == ord("\n"))]
            assert positions == [str(start) for start in starts[:-1]]
        elif suffix == ".avro":
            assert len({position.partition(":")[0] for position in positions}) > 5
        else:
            assert positions == [str(index) for index in range(len(lines))]
