import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.batches import LengthBatches, by_length, cut_batches, pad, padded
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


@given(ROWS, st.integers(1, 60))
def test_no_row_is_lost_and_no_batch_exceeds_the_budget(
    rows: list[np.ndarray], budget: int
) -> None:
    batches = list(cut_batches(rows, len, budget))

    assert sorted(id(row) for batch in batches for row in batch) == sorted(map(id, rows))
    for batch in batches:
        assert len(batch) == 1 or max(map(len, batch)) * len(batch) <= budget


@given(ROWS, st.integers(1, 60))
def test_batches_are_as_large_as_the_budget_allows(rows: list[np.ndarray], budget: int) -> None:
    batches = list(cut_batches(rows, len, budget))

    for batch, following in itertools.pairwise(batches):
        assert len(batch[0]) * (len(batch) + 1) > budget
        assert min(map(len, batch)) >= max(map(len, following))


def test_nothing_makes_no_batch() -> None:
    assert list(cut_batches([], len, 10)) == []


def test_padded() -> None:
    ids = padded(tokens_of([1, 3, 2]), np.array([2, 0, 1]))
    assert ids.tolist() == [[3, 3, 0], [1, 0, 0], [2, 2, 2]]
    assert ids.dtype == np.int32


def rows_of_epoch(batches: LengthBatches, number: int) -> list[tuple[int, ...]]:
    return [tuple(rows.tolist()) for rows, _ in batches.epoch(number)]


def test_epochs_differ_but_hold_the_same_rows() -> None:
    settings = PRESETS["tiny"].training
    batches = LengthBatches(tokens_of([3] * 100), settings, unknown=0)
    again = LengthBatches(tokens_of([3] * 100), settings, unknown=0)
    first, second = rows_of_epoch(batches, 0), rows_of_epoch(batches, 1)
    assert first != second
    assert [first, second] == [rows_of_epoch(again, 0), rows_of_epoch(again, 1)]
    assert len(first) == len(batches) == 4
    for drawn in (first, second):
        assert sorted(row for rows in drawn for row in rows) == list(range(100))


def test_an_epoch_goes_on_in_its_middle() -> None:
    settings = PRESETS["tiny"].training
    batches = LengthBatches(tokens_of(list(range(2, 102))), settings, unknown=0)
    whole, rest = list(batches.epoch(1)), list(batches.epoch(1, first=2))
    assert len(rest) == len(whole) - 2
    for expected, found in zip(whole[2:], rest, strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


def test_hides_the_wanted_share_of_tokens() -> None:
    settings = PRESETS["tiny"].training
    batches = LengthBatches(tokens_of([20, 50] * 200), settings, unknown=-1)
    drawn = [ids for _, ids in batches.epoch(0)]
    hidden = sum((ids == -1).sum() for ids in drawn)
    assert hidden / (400 * 35) == pytest.approx(settings.token_dropout, abs=0.01)
    # Padding stays padding.
    assert all((ids != 0).sum() in range(20 * len(ids), 50 * len(ids) + 1) for ids in drawn)
