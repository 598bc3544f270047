import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from model.calibration import COOLEST, WARMEST, fit_temperature, sigmoid
from model.metrics import calibration_error


@given(seed=st.integers(0, 1000), scale=st.floats(0.3, 5), size=st.integers(50, 500))
def test_equals_a_regression_without_intercept(seed: int, scale: float, size: int) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(size=size) * 3
    labels = (random.random(size) < expit(logits / scale)).astype(float)
    if len(set(labels)) == 2:
        regression = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8)
        slope = regression.fit(logits[:, None], labels).coef_[0, 0]
        if 1 / WARMEST < slope < 1 / COOLEST:
            assert fit_temperature(logits, labels) == pytest.approx(1 / slope, rel=1e-3)


def test_probabilities_come_to_mean_what_they_say() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=20_000) * 2
    labels = (random.random(20_000) < expit(truth)).astype(np.float32)
    logits = truth * 3  # too sure by far

    temperature = fit_temperature(logits[:2_000], labels[:2_000])

    assert temperature == pytest.approx(3, rel=0.1)
    assert calibration_error(expit(logits), labels) > 0.1
    assert calibration_error(expit(logits / temperature), labels) < 0.02


def test_bounds_where_the_best_temperature_has_none() -> None:
    logits = np.array([-1.0, 2.0, 3.0])
    assert fit_temperature(logits, np.array([0, 1, 1])) == pytest.approx(COOLEST)
    assert fit_temperature(logits, np.array([1, 0, 0])) == pytest.approx(WARMEST)
    assert fit_temperature(np.zeros(3), np.array([1, 0, 0])) == pytest.approx(COOLEST)


def test_sigmoid_stays_finite() -> None:
    logits = np.array([-1e9, -40.0, 0.0, 3.0, 1e9])
    np.testing.assert_allclose(sigmoid(logits), expit(logits), atol=1e-15)
