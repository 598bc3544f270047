"""How well probabilities fit labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from schemas.score import PROBABILITY_DECIMALS

CALIBRATION_BINS = 15


class Metrics(NamedTuple):
    """Quality on a set of reviews.

    Attributes:
        reviews: how many they are.
        positive_share: 0..1, share of positive ones by their labels.
        accuracy: 0..1, share of reviews to which the job would give the right label.
        f1: 0..1, harmonic mean of precision and recall of the positive ones.
        roc_auc: 0..1, how often a positive review gets a greater probability than a negative one:
            Fawcett 2006, https://doi.org/10.1016/j.patrec.2005.10.010. None where there are not
            both.
        log_loss: mean over reviews, in nats.
        calibration_error: see `calibration_error`.
    """

    reviews: int
    positive_share: float
    accuracy: float
    f1: float
    roc_auc: float | None
    log_loss: float
    calibration_error: float


def measure(probabilities: np.ndarray, labels: np.ndarray, threshold: float) -> Metrics:
    """Compares probabilities with labels.

    Args:
        probabilities: float [n], 0..1; n is at least 1.
        labels: float [n] of 0 and 1.
        threshold: of the model, for accuracy and F1.
    """
    positive = labels == 1
    chosen = labelled_positive(probabilities, threshold)
    right = np.sum(chosen & positive)
    return Metrics(
        reviews=len(labels),
        positive_share=float(positive.mean()),
        accuracy=float(np.mean(chosen == positive)),
        f1=float(2 * right / max(chosen.sum() + positive.sum(), 1)),
        roc_auc=roc_auc(probabilities, labels),
        log_loss=log_loss(probabilities, labels),
        calibration_error=calibration_error(probabilities, labels),
    )


def labelled_positive(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Which reviews the job would label positive with a model of this threshold, bool [n]."""
    return np.round(probabilities.astype(np.float64), PROBABILITY_DECIMALS) >= threshold


def log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of -log of the probability given to the right label, in nats; finite for any."""
    given = np.where(labels == 1, probabilities, 1 - probabilities.astype(np.float64))
    return float(-np.mean(np.log(np.maximum(given, np.finfo(np.float32).tiny))))


def roc_auc(probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    """See `Metrics`; equal probabilities count half."""
    counts = exceeding(probabilities, labels)
    pairs = int(counts[-1].prod())
    if not pairs:
        return None
    found, wrong = counts.T
    return float(np.sum((found[1:] + found[:-1]) * np.diff(wrong)) / (2 * pairs))


def exceeding(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Of which ROC and precision-recall curves are made.

    Returns:
        int64 [k + 1, 2] for k different probabilities: how many positive and how many negative
        reviews have at least each of them, from the greatest to the least; (0, 0) before.
    """
    _, place = np.unique(-probabilities, return_inverse=True)
    counts = [np.bincount(place, labels == value) for value in (1, 0)]
    return np.concatenate([np.zeros((1, 2)), np.cumsum(counts, axis=1).T]).astype(np.int64)


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error: Naeini et al. 2015, https://doi.org/10.1609/aaai.v29i1.9602.

    Returns:
        0..1: by how much the mean probability and the share of positive reviews differ in each of
        `calibration_bins`, weighted by their reviews.
    """
    means, shares, counts = calibration_bins(probabilities, labels)
    return float(np.average(np.abs(means - shares), weights=counts))


def calibration_bins(
    probabilities: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reviews of like probability, in `CALIBRATION_BINS` bins of equal width without empty ones.

    Returns:
        Mean probability, share of positive reviews, and number of reviews of each bin.
    """
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    counts = np.bincount(bins)
    there = counts > 0
    means = np.bincount(bins, probabilities)[there] / counts[there]
    shares = np.bincount(bins, labels)[there] / counts[there]
    return means, shares, counts[there]
