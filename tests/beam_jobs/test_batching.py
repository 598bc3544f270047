from collections.abc import Iterator
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing import test_stream
from apache_beam.utils.timestamp import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beam_jobs.batching import BatchInTime, cut_groups
from model.batches import cut_batches
from tests.beam_jobs.running import local_pipeline
from tests.beam_jobs.streams import streaming_pipeline
from tests.model.test_batches import ROWS


@given(ROWS, st.integers(1, 60))
def test_groups_are_cut_as_if_each_were_alone(rows: list[np.ndarray], budget: int) -> None:
    def parity(row: np.ndarray) -> str:
        return str(row[0] % 2)

    batches = list(cut_groups(rows, len, budget, parity))

    for group in ("0", "1"):
        alone = cut_batches([row for row in rows if parity(row) == group], len, budget)
        together = [batch for batch in batches if parity(batch[0]) == group]
        assert [list(map(id, batch)) for batch in together] == [
            list(map(id, batch)) for batch in alone
        ]


WAIT_SECONDS = 50
BUDGET = 16


class Row(NamedTuple):
    """What a stream of the tests holds: token ids of a model, told apart by their number."""

    number: int
    model: str
    token_ids: np.ndarray


class Departure(NamedTuple):
    """A batch, and when it left."""

    seconds: float
    numbers: list[int]


DEPARTURES: list[Departure] = []


@pytest.fixture
def departures() -> Iterator[list[Departure]]:
    """Where batches arrive; at the end of a stream they come too late for `assert_that`."""
    DEPARTURES.clear()
    yield DEPARTURES
    DEPARTURES.clear()


def row(number: int, length: int, model: str = "m") -> Row:
    return Row(number, model, np.full(length, number, np.int32))


def length_of(element: Row) -> int:
    return len(element.token_ids)


def model_of(element: Row) -> str:
    return element.model


def depart(batch: list[Row]) -> None:
    assert all(set(element.token_ids) == {element.number} for element in batch)
    DEPARTURES.append(Departure(float(Timestamp.now()), [element.number for element in batch]))


def run(stream: test_stream.TestStream) -> None:
    with streaming_pipeline() as pipeline:
        batches = pipeline | stream | BatchInTime(length_of, BUDGET, WAIT_SECONDS, group=model_of)
        batches | beam.Map(depart)


def test_a_batch_leaves_when_its_oldest_element_has_waited(departures: list[Departure]) -> None:
    run(
        test_stream.TestStream()
        .add_elements([row(0, 1), row(1, 2)])
        .advance_processing_time(30)
        .add_elements([row(2, 3)])
        .advance_processing_time(19)
        .advance_processing_time(1)
        .advance_processing_time(50)
        .add_elements([row(3, 1)])
        .advance_processing_time(50)
        .advance_processing_time(50)
    )

    assert departures == [(50, [2, 1, 0]), (150, [3])]


def test_a_batch_leaves_when_no_more_fit(departures: list[Departure]) -> None:
    run(
        test_stream.TestStream()
        .advance_processing_time(7)
        .add_elements([row(0, 4), row(1, 4)])
        .add_elements([row(2, 4), row(3, 3), row(4, 4)])
        .advance_processing_time(50)
    )

    assert departures == [(7, [0, 1, 2, 3]), (57, [4])]


def test_the_wait_begins_anew_after_a_full_batch(departures: list[Departure]) -> None:
    run(
        test_stream.TestStream()
        .add_elements([row(0, 4), row(1, 4), row(2, 4), row(3, 4)])
        .advance_processing_time(30)
        .add_elements([row(4, 1)])
        .advance_processing_time(20)
        .advance_processing_time(29)
        .advance_processing_time(1)
    )

    assert departures == [(0, [0, 1, 2, 3]), (80, [4])]


def test_a_long_element_parts_with_the_short_ones(departures: list[Departure]) -> None:
    run(
        test_stream.TestStream().add_elements(
            [*(row(i, 1) for i in range(9)), row(9, 4), row(10, 40)]
        )
    )

    assert departures == [(0, [9, 0, 1, 2]), (0, [3, 4, 5, 6, 7, 8]), (0, [10])]


def test_models_never_share_a_batch(departures: list[Departure]) -> None:
    run(
        test_stream.TestStream()
        .add_elements([row(i, 4, model="ab"[i % 2]) for i in range(9)])
        .advance_processing_time(50)
    )

    assert sorted(departures) == [(0, [0, 2, 4, 6]), (0, [1, 3, 5, 7]), (50, [8])]


def test_what_waits_leaves_at_the_end_of_the_stream(departures: list[Departure]) -> None:
    run(
        test_stream.TestStream()
        .add_elements([row(0, 1)])
        .advance_processing_time(10)
        .advance_watermark_to_infinity()
    )

    assert departures == [(10, [0])]


def test_the_local_batch_runner_loses_nothing_either(departures: list[Departure]) -> None:
    with local_pipeline() as pipeline:
        rows = pipeline | beam.Create([row(i, 1 + i % 5, model="ab"[i % 2]) for i in range(40)])
        batches = rows | BatchInTime(length_of, BUDGET, WAIT_SECONDS, group=model_of)
        batches | beam.Map(depart)

    assert sorted(number for _, numbers in departures for number in numbers) == list(range(40))
    assert all(len({number % 2 for number in numbers}) == 1 for _, numbers in departures)


class Script(NamedTuple):
    """What happens to a stream, and what follows from it.

    Attributes:
        stream: the events.
        rows: all elements, by their number.
        arrivals: when each of them came, in seconds.
        clock: all the times that the clock showed.
    """

    stream: test_stream.TestStream
    rows: list[Row]
    arrivals: list[int]
    clock: list[int]


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script = Script(test_stream.TestStream(), [], [], [0])
    watermark = 0
    for event in draw(
        st.lists(st.sampled_from(["rows", "rows", "clock", "watermark"]), max_size=9)
    ):
        if event == "rows":
            kinds = draw(st.lists(st.tuples(st.integers(1, 20), st.sampled_from("ab")), min_size=1))
            rows = [row(len(script.rows) + i, *kind) for i, kind in enumerate(kinds)]
            script.stream.add_elements(rows)
            script.rows.extend(rows)
            script.arrivals.extend([script.clock[-1]] * len(rows))
        elif event == "clock":
            seconds = draw(st.integers(1, 60))
            script.stream.advance_processing_time(seconds)
            script.clock.append(script.clock[-1] + seconds)
        else:
            watermark += draw(st.integers(1, 60))
            script.stream.advance_watermark_to(watermark)
    return script


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts())
def test_whatever_happens_all_elements_leave_once_and_in_time(
    departures: list[Departure], script: Script
) -> None:
    departures.clear()
    run(script.stream)

    assert sorted(n for _, numbers in departures for n in numbers) == list(range(len(script.rows)))
    for seconds, numbers in departures:
        batch = [script.rows[number] for number in numbers]
        assert len({element.model for element in batch}) == 1
        assert len(batch) == 1 or max(map(length_of, batch)) * len(batch) <= BUDGET
        patience = WAIT_SECONDS + min(script.arrivals[number] for number in numbers)
        assert seconds <= next((t for t in script.clock if t >= patience), script.clock[-1])
