"""Probabilities that mean what they say: temperature scaling.

Guo et al. 2017, https://arxiv.org/abs/1706.04599: logits are divided by one number, found on
reviews that the weights weren't learnt from. No label changes by it while the threshold is 0.5.
"""

from __future__ import annotations

import numpy as np

COOLEST, WARMEST = 0.05, 20.0
STEPS = 100


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which logits give the least log loss.

    The loss is convex in the inverse of the temperature, so bisection finds where its slope is 0.

    Args:
        logits: float [n], finite.
        labels: float [n] of 0 and 1.

    Returns:
        `COOLEST` to `WARMEST`: these where the logits separate the labels, or tell nothing of them.
    """
    exact, labels = logits.astype(np.float64), labels.astype(np.float64)
    low, high = 1 / WARMEST, 1 / COOLEST
    for _ in range(STEPS):
        middle = (low + high) / 2
        if np.sum((sigmoid(middle * exact) - labels) * exact) > 0:
            high = middle
        else:
            low = middle
    return float(2 / (low + high))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) of float64, without overflow."""
    return 0.5 * (1 + np.tanh(logits / 2))
