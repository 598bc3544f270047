import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.batches import LengthBatches, by_length, pad, padded
from model.settings import PRESETS
from model.tokenizer import TokenIds

ROWS = st.lists(
    st.lists(st.integers(1, 30_000), min_size=1, max_size=12).map(
        lambda ids: np.array(ids, np.int32)
    ),
    min_size=1,
    max_size=40,
)


@given(ROWS)
def test_padding_follows_the_ids(rows: list[np.ndarray]) -> None:
    padded = pad(rows)

    assert padded.dtype == np.int32
    assert padded.shape == (len(rows), max(map(len, rows)))
    for ids, row in zip(rows, padded, strict=True):
        assert row[: len(ids)].tolist() == ids.tolist()
        assert not row[len(ids) :].any()


def test_pads_a_hand_worked_example() -> None:
    rows = [np.array([101, 7, 102], np.int32), np.array([101, 102], np.int32)]

    assert pad(rows).tolist() == [[101, 7, 102], [101, 102, 0]]


@pytest.mark.parametrize("count", [1, 4097])
def test_pads_many_rows_of_one_length(count: int) -> None:
    assert pad([np.ones(3, np.int32)] * count).sum() == 3 * count


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
