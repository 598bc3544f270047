import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.batches import pad

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
