import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.batching import cut_batches

ROWS = st.lists(
    st.lists(st.integers(1, 30_000), min_size=1, max_size=12).map(
        lambda ids: np.array(ids, np.int32)
    ),
    min_size=1,
    max_size=40,
)


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
