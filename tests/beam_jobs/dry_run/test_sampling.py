import bz2
import random
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from beam_jobs.dry_run import sampling
from beam_jobs.dry_run.estimates import estimated
from beam_jobs.dry_run.sampling import (
    FileSample,
    choose,
    part_of,
    sample_files,
    sizes_by_kind,
    spread,
)
from schemas.payload import Origin
from schemas.review import Review, ReviewFields
from tests.beam_jobs.formats.files import COMPRESSORS, WRITERS, movie_reviews, one_line

CASES = [(suffix, "") for suffix in WRITERS] + [(".jsonl", name) for name in COMPRESSORS if name]
FIELDS = ReviewFields("text", "", ())
FILES = 4


def words(reviews: Sequence[Review]) -> np.ndarray:
    """Stands for the tokenizer."""
    return np.array([len(review.text.split()) for review in reviews])


def review(text: str) -> Review:
    return Review(text, text, (), Origin("f", text), None)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Real reviews, the long ones not all at the beginning."""
    found = one_line(movie_reviews(2_000))
    random.Random(0).shuffle(found)
    return found


def write(folder: Path, texts: list[str], suffix: str, compression: str) -> dict[str, int]:
    for number in range(FILES):
        data = WRITERS[suffix](texts[number::FILES])
        (folder / f"{number}{suffix}{compression}").write_bytes(COMPRESSORS[compression](data))
    return {str(path): path.stat().st_size for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(("suffix", "compression"), CASES)
def test_the_beginnings_of_files_tell_how_much_there_is(
    suffix: str,
    compression: str,
    texts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In its smallest blocks, since the last block of a beginning is lost.
    monkeypatch.setitem(COMPRESSORS, ".bz2", partial(bz2.compress, compresslevel=1))
    sizes = write(tmp_path, texts, suffix, compression)
    monkeypatch.setattr(sampling, "SAMPLED_BYTES", sum(sizes.values()) // 3)

    samples = list(sample_files(sizes, FIELDS, ""))
    parts = [part_of(sample, words) for sample in samples]
    reviews, tokens = estimated(parts, sizes_by_kind(sizes, ""))

    assert sum(sample.bytes for sample in samples) < sum(sizes.values()) / 2.5
    # Of a zstd file as small as these, one block is read and the beginning of the next.
    nearly = 0.2 if compression == ".zst" else 0.06
    assert reviews == pytest.approx(len(texts), rel=nearly)
    assert tokens == pytest.approx(sum(len(text.split()) for text in texts), rel=nearly)


@pytest.mark.parametrize(("suffix", "compression"), [(".csv", ""), (".csv", ".gz")])
def test_small_inputs_are_counted(
    suffix: str, compression: str, texts: list[str], tmp_path: Path
) -> None:
    sizes = write(tmp_path, texts, suffix, compression)

    samples = list(sample_files(sizes, FIELDS, ""))
    parts = [part_of(sample, words) for sample in samples]

    assert sum(sample.bytes for sample in samples) == sum(sizes.values())
    reviews, _ = estimated(parts, sizes_by_kind(sizes, ""))
    assert reviews == len(texts)


def test_no_copy_of_the_input_is_left(
    texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "copies").mkdir()
    sizes = write(tmp_path / "input", texts, ".csv", ".gz")
    monkeypatch.setattr(sampling, "SAMPLED_BYTES", 40_000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))

    assert all(sample.reviews for sample in sample_files(sizes, FIELDS, ""))
    assert list((tmp_path / "copies").iterdir()) == []


def test_empty_files_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    sizes = {str(tmp_path / "empty.jsonl"): 0}

    assert list(sample_files(sizes, FIELDS, "")) == []


def test_files_are_taken_at_even_distances() -> None:
    assert spread(list("abcdefghij"), 2) == ["c", "h"]
    assert spread(list("abc"), 5) == ["a", "b", "c"]


def test_every_review_is_as_likely_to_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    reviews = [review(str(number)) for number in range(20)]
    chosen = np.zeros(20)
    for seed in range(2_000):
        monkeypatch.setattr(sampling.random, "Random", lambda _, seed=seed: SEEDED(seed))
        number, some = choose(iter(reviews), 5)
        assert number == 20
        chosen[[int(one.text) for one in some]] += 1

    # Each is expected 500 times, with a standard deviation of 19.
    assert np.all(np.abs(chosen - 500) < 80)


SEEDED = random.Random


def test_tokens_of_a_file_come_from_the_chosen_reviews() -> None:
    sample = FileSample("csv", 100.0, 8, [review("one"), review("one two three")])

    part = part_of(sample, words)

    # Two of eight have 1 and 3 words: 2 on average.
    assert part == ("csv", 100.0, 8, 16.0)
