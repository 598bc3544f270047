import logging
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.calls import CLOSE, MemoryLimit, score
from schemas.errors import UserError
from schemas.score import label_of

Failure = Callable[[Sequence[float]], bool]


class Echo:
    """A model that gives back what it is given, unless it fails."""

    def __init__(self, fails: Failure = lambda batch: False) -> None:
        self.fails = fails
        self.calls: list[int] = []

    def __call__(self, batch: Sequence[float]) -> Sequence[float]:
        self.calls.append(len(batch))
        if self.fails(batch):
            raise RuntimeError("a fault of the network")
        return list(batch)


def ten_tokens(example: float) -> int:
    return 10


def half(example: object) -> float:
    """The threshold of most models."""
    return 0.5


def scored(
    batch: Sequence[float],
    network: Callable[[Sequence[float]], Sequence[float]],
    threshold: float = 0.5,
) -> list[float]:
    return score(batch, network, ten_tokens, lambda example: threshold, MemoryLimit())


def test_a_good_batch_is_one_call() -> None:
    network = Echo()

    assert scored([0.1, 0.2], network) == [0.1, 0.2]
    assert network.calls == [2]


@given(bad=st.integers(0, 255))
def test_one_bad_example_costs_two_calls_for_each_halving(bad: int) -> None:
    batch = [0.25] * 256
    batch[bad] = 0.75
    network = Echo(lambda batch: 0.75 in batch)

    found = scored(batch, network)

    assert [place for place, value in enumerate(found) if math.isnan(value)] == [bad]
    assert len(network.calls) == 1 + 2 * 8


@given(
    batch=st.lists(st.floats(0.0, 0.49), min_size=1, max_size=40, unique=True),
    data=st.data(),
)
def test_the_bad_ones_are_found_and_no_others(batch: list[float], data: st.DataObject) -> None:
    bad = set(data.draw(st.lists(st.sampled_from(batch))))

    found = scored(batch, Echo(lambda part: not bad.isdisjoint(part)))

    for example, value in zip(batch, found, strict=True):
        assert math.isnan(value) if example in bad else value == example


def test_what_fails_alone_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def fails(batch: Sequence[str]) -> Sequence[float]:
        raise ValueError(f"can't read {batch[0]}")

    (found,) = score(["my secret"], fails, len, half, MemoryLimit())

    assert math.isnan(found)
    assert caplog.messages == ["the model failed on a review: ValueError"]


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda batch: batch[1:],
        lambda batch: [*batch, 0.5],
        lambda batch: [[value] for value in batch],
        lambda batch: [[value, 1 - value] for value in batch],
        lambda batch: 0.5,
    ],
)
def test_anything_but_a_number_for_each_example_ends_the_job(
    size: int, wrong: Callable[[Sequence[float]], Sequence[float]]
) -> None:
    with pytest.raises(UserError, match=f"for {size} reviews, not one for each"):
        scored([0.1, 0.2, 0.3][:size], wrong)


class Small(Echo):
    """A model that finds memory for so many tokens, padding included."""

    def __init__(self, most_tokens: int, tokens: Callable[[float], int] = ten_tokens) -> None:
        super().__init__()
        self.most_tokens = most_tokens
        self.tokens = tokens

    def __call__(self, batch: Sequence[float]) -> Sequence[float]:
        found = super().__call__(batch)
        if max(map(self.tokens, batch)) * len(batch) > self.most_tokens:
            raise MemoryError
        return found


def test_what_is_too_much_for_the_memory_is_halved_and_that_is_remembered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    network, limit, batch = Small(40), MemoryLimit(), [0.01 * n for n in range(16)]

    with caplog.at_level(logging.WARNING):
        assert score(batch, network, ten_tokens, half, limit) == batch

    assert network.calls == [16, 8, 4, 4, 4, 4]
    assert limit.tokens == 40
    assert caplog.messages == [
        "a call of the model with 160 tokens was too much for the memory; from now on this "
        "process makes it no more than 80, see --max_batch_tokens",
        "a call of the model with 80 tokens was too much for the memory; from now on this "
        "process makes it no more than 40, see --max_batch_tokens",
    ]

    network.calls.clear()
    assert score(batch, network, ten_tokens, half, limit) == batch
    assert network.calls == [4, 4, 4, 4]
    network.calls.clear()
    assert score(batch[:3], network, ten_tokens, half, limit) == batch[:3]
    assert network.calls == [3]


def test_the_longer_half_says_how_much_is_tried_next() -> None:
    def tokens(example: float) -> int:
        return round(example * 100)

    network, limit, batch = Small(60, tokens), MemoryLimit(), [0.01, 0.02, 0.2, 0.3]

    assert score(batch, network, tokens, half, limit) == batch
    assert network.calls == [4, 2, 2]
    assert limit.tokens == 60


def test_a_thread_that_comes_late_does_not_raise_the_limit() -> None:
    limit = MemoryLimit()

    limit.lower(80, 40)
    limit.lower(160, 80)

    assert limit.tokens == 40


@given(
    batches=st.lists(
        st.lists(st.floats(0.01, 0.4), min_size=1, max_size=40), min_size=1, max_size=6
    ),
    most_tokens=st.integers(400, 4_000),
)
def test_memory_decides_the_calls_and_never_the_scores(
    batches: list[list[float]], most_tokens: int
) -> None:
    def tokens(example: float) -> int:
        return int(example * 1_000)

    network, limit, limits = Small(most_tokens, tokens), MemoryLimit(), []
    for batch in batches:
        assert score(batch, network, tokens, half, limit) == batch
        limits.append(limit.tokens)

    assert limits == sorted(limits, reverse=True)


def test_an_example_that_is_too_much_alone_costs_no_other_its_score() -> None:
    limit = MemoryLimit()

    def tokens(example: float) -> int:
        return 1_000 if example == 0.4 else 10

    found = score([0.4, 0.1, 0.2, 0.3], Small(100, tokens), tokens, half, limit)

    assert math.isnan(found[0])
    assert found[1:] == [0.1, 0.2, 0.3]


def test_a_batch_that_failed_is_forgotten_before_its_halves_are_tried() -> None:
    """What the failed call holds is memory that its halves may need."""
    held: list[int] = []

    class Held:
        def __init__(self) -> None:
            held.append(1)

        def __del__(self) -> None:
            held.pop()

    def network(batch: Sequence[float]) -> Sequence[float]:
        assert not held
        taken = Held()
        if len(batch) > 1:
            raise MemoryError(taken)
        return batch

    assert scored([0.1, 0.2, 0.3, 0.4], network) == [0.1, 0.2, 0.3, 0.4]


class Neighbourly:
    """A model whose probabilities depend on the batch, by at most a little."""

    def __init__(self, noise: float) -> None:
        self.noise = noise

    def __call__(self, batch: Sequence[float]) -> Sequence[float]:
        swing = math.sin(1e6 * math.fsum(batch[1:]) + len(batch))
        return [value + (self.noise * swing if len(batch) > 1 else 0.0) for value in batch]


THRESHOLDS = st.sampled_from([0.5, 0.02, 0.3, 0.93])


def near(threshold: float) -> st.SearchStrategy[float]:
    return st.floats(threshold - 3 * CLOSE, threshold + 3 * CLOSE)


@given(threshold=THRESHOLDS, noise=st.floats(-0.99 * CLOSE, 0.99 * CLOSE), data=st.data())
def test_neighbours_never_decide_a_label(
    threshold: float, noise: float, data: st.DataObject
) -> None:
    def labels(batch: Sequence[float]) -> list[str]:
        found = scored(batch, Neighbourly(noise), threshold)
        return [label_of(round(value, 6), threshold) for value in found]

    values = near(threshold) | st.floats(0.01, 0.99)
    batch = data.draw(st.lists(values, min_size=1, max_size=30))
    alone = [labels([value])[0] for value in batch]
    order = data.draw(st.permutations(range(len(batch))))
    cut = data.draw(st.integers(1, len(batch)))

    assert labels(batch) == alone
    shuffled = [batch[place] for place in order]
    assert labels(shuffled[:cut]) == [alone[place] for place in order[:cut]]


@given(
    threshold=THRESHOLDS,
    neighbour=st.floats(0.01, 0.99),
    noise=st.floats(-0.99 * CLOSE, 0.99 * CLOSE),
    data=st.data(),
)
def test_what_is_close_gets_its_own_probability(
    threshold: float, neighbour: float, noise: float, data: st.DataObject
) -> None:
    network, value = Neighbourly(noise), data.draw(near(threshold))
    in_batch = network([value, neighbour])[0]

    found = scored([value, neighbour], network, threshold)[0]

    assert found == (value if abs(in_batch - threshold) <= CLOSE else in_batch)


def test_each_example_is_close_to_the_threshold_of_its_own_model() -> None:
    class Shifted(Echo):
        def __call__(self, batch: Sequence[float]) -> Sequence[float]:
            shift = 1e-4 if len(batch) > 1 else 0.0
            return [value + shift for value in super().__call__(batch)]

    network, batch = Shifted(), [0.5, 0.8, 0.5005, 0.8005]
    thresholds = dict(zip(batch, [0.8, 0.8, 0.5, 0.5], strict=True))

    found = score(batch, network, ten_tokens, thresholds.__getitem__, MemoryLimit())

    assert found == pytest.approx([0.5001, 0.8, 0.5005, 0.8006], abs=1e-9)
    assert network.calls == [4, 1, 1]
