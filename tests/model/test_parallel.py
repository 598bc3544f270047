import itertools
import os
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from model import parallel, runtime
from model.batches import padded
from model.labelled_reviews import LabelledReview
from model.parallel import LEAST_TOKENS, in_parts, processors
from model.savedmodel import ScoringModel
from model.tokenizer import Tokenizer


@given(
    batch=st.lists(st.integers(), min_size=1, max_size=50),
    tokens=st.integers(1, 9 * LEAST_TOKENS),
    calls=st.integers(1, 5),
)
def test_parts_are_the_batch(batch: list[int], tokens: int, calls: int) -> None:
    parts = in_parts(list, batch, tokens, calls)

    assert list(itertools.chain(*parts)) == batch
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert len(parts) == max(1, min(calls, len(batch), tokens // LEAST_TOKENS))


def test_calls_are_made_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=20)

    def call(part: list[int]) -> int:
        together.wait()
        return sum(part)

    assert in_parts(call, [1, 2, 3], 3 * LEAST_TOKENS, 3) == [1, 2, 3]


def test_the_first_failure_is_raised_once_all_have_ended() -> None:
    ended = []

    def call(part: list[int]) -> None:
        if part[0] < 2:
            raise MemoryError(part[0])
        time.sleep(0.2)
        ended.append(part)

    with pytest.raises(MemoryError, match="0"):
        in_parts(call, [0, 1, 2], 9 * LEAST_TOKENS, 3)
    assert ended == [[2]]


def test_parts_get_the_probabilities_of_the_whole(
    bundled: ScoringModel,
    bundled_tokenizer: Tokenizer,
    imdb: list[LabelledReview],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [review.text for review in imdb[::1000]]
    ids = padded(bundled_tokenizer.tokenize(texts), np.arange(len(texts)))
    found = {}
    for calls in (1, 2, 3):
        monkeypatch.setattr("model.savedmodel.calls_at_once", lambda calls=calls: calls)
        found[calls] = bundled.probabilities(ids)

    assert ids.size > 3 * LEAST_TOKENS
    np.testing.assert_allclose(found[2], found[1], atol=1e-6)
    np.testing.assert_allclose(found[3], found[1], atol=1e-6)


def test_a_gpu_takes_one_call_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert runtime.calls_at_once() == processors()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert runtime.calls_at_once() == 1


def test_processors_are_those_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 6}, raising=False)
    assert processors() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert parallel.processors() == 1
