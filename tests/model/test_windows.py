import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batches import any_window, pad
from model.windows import reader, windows_of
from tests.model.conftest import Toy

START, END = 101, 102


def row(pieces: int) -> np.ndarray:
    return np.array([START, *range(1, pieces + 1), END], np.int32)


def test_a_hand_worked_example() -> None:
    ids = pad([row(3), row(0), row(11)])
    # Six tokens are four words; the next window begins three words later.
    assert windows_of(tf.constant(ids), 6).to_list() == [
        [[START, 1, 2, 3, END]],
        [[START, END]],
        [
            [START, 1, 2, 3, 4, END],
            [START, 4, 5, 6, 7, END],
            [START, 7, 8, 9, 10, END],
            [START, 8, 9, 10, 11, END],
        ],
    ]


@settings(deadline=None)
@given(pieces=st.lists(st.integers(0, 60), min_size=1, max_size=5), length=st.integers(3, 20))
def test_every_word_counts(pieces: list[int], length: int) -> None:
    cut = windows_of(tf.constant(pad([row(count) for count in pieces])), length).to_list()

    assert len(cut) == len(pieces)
    for count, windows in zip(pieces, cut, strict=True):
        assert all(window[0] == START and window[-1] == END for window in windows)
        assert {word for window in windows for word in window[1:-1]} == set(range(1, count + 1))
        if count > length - 2:
            assert {len(window) for window in windows} == {length}
            firsts = [window[1] for window in windows]
            assert firsts == sorted(set(firsts))
            # None more than is needed.
            assert len(windows) == 1 + -(-(count - length + 2) // max(1, (length - 2) * 3 // 4))
        else:
            assert len(windows) == 1


def test_the_logit_is_the_mean_over_windows(toy: Toy) -> None:
    texts = ["the good film, the bad end. " * 9, "a good film.", "not bad! " * 8]
    long = type(toy.tokenizer)(toy.tokenizer.vocabulary, True, 500, 1.0)
    rows = [np.array(ids, np.int32) for ids in long.encode(tf.constant(texts))[0].to_list()]

    found = reader(toy.classifier, 8)(pad(rows)).numpy()

    for ids, logit in zip(rows, found, strict=True):
        windows = windows_of(tf.constant(ids[None]), 8).to_list()[0]
        single = [float(toy.classifier(np.array([window], np.int32))[0]) for window in windows]
        assert logit == pytest.approx(np.mean(single), abs=1e-5)
    assert np.ptp(found) > 1e-2


def test_without_windows_the_classifier_reads_all(toy: Toy) -> None:
    assert reader(toy.classifier, None) is toy.classifier


def test_all_windows_are_learnt_from() -> None:
    random = np.random.default_rng(0)
    drawn = {tuple(any_window(row(7), 6, random)) for _ in range(200)}
    assert drawn == {(START, *range(first, first + 4), END) for first in (1, 2, 3, 4)}
    assert any_window(row(4), 6, random).tolist() == row(4).tolist()
