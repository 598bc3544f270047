"""Metrics against those of scikit-learn, and calibration against hand-worked examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from model.metrics import (
    calibration_bins,
    calibration_error,
    exceeding,
    labelled_positive,
    log_loss,
    measure,
    roc_auc,
)

# Of few values, so that many are equal.
PAIRS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.2, 0.5, 0.7, 0.99, 1.0]) | st.floats(0, 1, width=32),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=60,
)


def arrays(pairs: list[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    probabilities, labels = zip(*pairs, strict=True)
    return np.array(probabilities, np.float32), np.array(labels, np.float32)


@given(pairs=PAIRS, threshold=st.sampled_from([0.5, 0.2, 0.7, 0.99]) | st.floats(1e-6, 0.999999))
def test_numbers_equal_those_of_scikit_learn(
    pairs: list[tuple[float, int]], threshold: float
) -> None:
    probabilities, labels = arrays(pairs)
    chosen = [round(float(one), 6) >= threshold for one in probabilities]
    found = measure(probabilities, labels, threshold)

    assert labelled_positive(probabilities, threshold).tolist() == chosen
    assert found.reviews == len(pairs)
    assert found.positive_share == pytest.approx(labels.mean())
    assert found.accuracy == pytest.approx(reference.accuracy_score(labels, chosen))
    assert found.f1 == pytest.approx(reference.f1_score(labels, chosen, zero_division=0.0))
    if 0 < labels.mean() < 1:
        assert found.roc_auc == pytest.approx(reference.roc_auc_score(labels, probabilities))
    else:
        assert found.roc_auc is None


@given(pairs=PAIRS)
def test_log_loss_equals_that_of_scikit_learn(pairs: list[tuple[float, int]]) -> None:
    probabilities, labels = arrays([(min(max(p, 1e-4), 1 - 1e-4), label) for p, label in pairs])

    theirs = reference.log_loss(labels, probabilities.astype(np.float64), labels=[0, 1])

    assert log_loss(probabilities, labels) == pytest.approx(theirs)


def test_a_certain_mistake_costs_much_but_not_everything() -> None:
    for probability, label in ((0.0, 1), (1.0, 0)):
        loss = log_loss(np.array([probability], np.float32), np.array([label], np.float32))
        assert 80 < loss < np.inf


@given(pairs=PAIRS)
def test_curves_equal_those_of_scikit_learn(pairs: list[tuple[float, int]]) -> None:
    probabilities, labels = arrays([*pairs, (0.3, 0), (0.6, 1)])
    wrong, found, _ = reference.roc_curve(labels, probabilities, drop_intermediate=False)

    counts = exceeding(probabilities, labels)

    np.testing.assert_allclose(counts[:, 0] / counts[-1, 0], found)
    np.testing.assert_allclose(counts[:, 1] / counts[-1, 1], wrong)


def test_ties_count_half() -> None:
    assert roc_auc(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == 0.5
    assert roc_auc(np.array([0.2, 0.5, 0.5]), np.array([0.0, 0.0, 1.0])) == 0.75


def test_calibration_by_hand() -> None:
    # Of the bins 0 to 1/15, 1/15 to 2/15, and 14/15 to 1.
    probabilities = np.array([0.00, 0.04, 0.1, 0.1, 0.95, 1.0], np.float32)
    labels = np.array([0, 1, 0, 0, 1, 0], np.float32)

    means, shares, counts = calibration_bins(probabilities, labels)

    assert means == pytest.approx([0.02, 0.1, 0.975])
    assert shares.tolist() == [0.5, 0.0, 0.5]
    assert counts.tolist() == [2, 2, 2]
    expected = (0.48 + 0.1 + 0.475) / 3
    assert calibration_error(probabilities, labels) == pytest.approx(expected)


def test_right_probabilities_are_calibrated() -> None:
    chance = np.random.default_rng(4)
    probabilities = chance.random(200_000).astype(np.float32)
    labels = (chance.random(200_000) < probabilities).astype(np.float32)

    assert calibration_error(probabilities, labels) < 0.01
    assert calibration_error(probabilities**2, labels) > 0.1


def test_labels_are_those_of_the_job() -> None:
    # Rows are rounded to 6 places before the label is chosen.
    probabilities = np.array([0.4999994, 0.4999996, 0.5, 0.6])
    assert labelled_positive(probabilities, 0.5).tolist() == [False, True, True, True]
    probabilities = np.array([0.2999994, 0.2999996, 0.3, 0.5])
    assert labelled_positive(probabilities, 0.3).tolist() == [False, True, True, True]
    assert labelled_positive(probabilities, 0.500001).tolist() == [False] * 4
