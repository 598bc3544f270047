import numpy as np
import pytest

from beam_jobs.dry_run.estimates import (
    Estimate,
    Part,
    Prices,
    cost,
    estimated_reviews,
    estimated_tokens,
    extrapolated,
    total,
    worker_hours,
)


def test_an_input_that_was_read_as_a_whole_is_known_exactly() -> None:
    parts = [Part("csv", 60, 6, 600.0, 0.0), Part("csv", 40, 2, 300.0, 0.0)]

    assert estimated_reviews(parts, {"csv": 100}) == Estimate(8, 0)
    assert estimated_tokens(parts, {"csv": 100}) == Estimate(900, 0)


def test_a_tenth_is_extrapolated_tenfold() -> None:
    # At the common rate of 0.3 a byte both parts would hold 15, so they are off by 5. Of 2 parts
    # that are a tenth of all bytes, the variance is 10^2 x (1 - 1/10) x 2/(2 - 1) x (25 + 25).
    found = [(50.0, 10.0, 0.0), (50.0, 20.0, 0.0)]

    estimate = extrapolated(found, 1_000)

    assert estimate.value == 300
    assert estimate.error == pytest.approx((100 * 0.9 * 2 * 50) ** 0.5)


def test_the_error_of_what_was_not_tokenized_comes_on_top() -> None:
    estimate = extrapolated([(100.0, 30.0, 3.0), (100.0, 30.0, 4.0)], 200)

    assert estimate == Estimate(60, 5)


def test_one_part_of_a_file_does_not_tell_how_the_rest_differs() -> None:
    assert extrapolated([(10.0, 5.0, 0.0)], 100) == Estimate(50, None)
    assert Estimate(50, None).share() is None


def test_nothing_read_is_nothing_known() -> None:
    assert extrapolated([], 100) == Estimate(0, None)
    assert extrapolated([], 0) == Estimate(0, 0)


def test_kinds_are_extrapolated_apart() -> None:
    # A compressed byte holds four times as many reviews.
    parts = [Part("csv", 100, 10, 1000.0, 0.0), Part("csv.gz", 100, 40, 4000.0, 0.0)]

    assert estimated_reviews(parts, {"csv": 1_000, "csv.gz": 500}).value == 100 + 200


def test_errors_of_sums_add_up_in_squares_and_one_unknown_is_enough() -> None:
    assert total([Estimate(1, 3), Estimate(2, 4)]) == Estimate(3, 5)
    assert total([Estimate(1, 3), Estimate(2, None)]) == Estimate(3, None)


def test_the_stated_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        sizes = random.integers(500, 1500, 200)
        numbers = random.poisson(sizes * 0.1 * random.lognormal(0, 0.2, 200))
        chosen = random.choice(200, 16, replace=False)
        found = [(float(sizes[i]), float(numbers[i]), 0.0) for i in chosen]
        estimate = extrapolated(found, float(sizes.sum()))
        share = estimate.share()
        assert share is not None
        held += abs(estimate.value - numbers.sum()) <= share * estimate.value
    assert 0.88 < held / 400 < 0.99


def test_hours_and_cost_are_those_of_the_sum_on_paper() -> None:
    # 7.2 million tokens at 1,000 a second are 7,200 seconds: two hours, at 0.70 + 2 x 0.35.
    hours = worker_hours(7_200_000, 1_000)

    assert hours == 2
    assert cost(hours, Prices(worker=0.70, accelerators=2 * 0.35)) == pytest.approx(2.80)
