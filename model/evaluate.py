"""How well a classifier does on labelled reviews."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from model.batches import by_length, padded
from model.data import LabelledReview, labels_of
from model.tokenizer import TokenIds, Tokenizer

BATCH_SIZE = 64


class Metrics(NamedTuple):
    """Quality on a set of reviews."""

    accuracy: float
    """0..1, share of reviews on the right side of probability 0.5"""
    log_loss: float
    """mean over reviews, in nats"""
    reviews: int


def evaluate(
    network: Callable[[np.ndarray], np.ndarray],
    reviews: Sequence[LabelledReview],
    tokenizer: Tokenizer,
) -> Metrics:
    """Quality of a network on reviews; see `predict` for what a network is."""
    tokens = tokenizer.tokenize([review.text for review in reviews])
    return measure(predict(network, tokens), labels_of(reviews))


def predict(network: Callable[[np.ndarray], np.ndarray], tokens: TokenIds) -> np.ndarray:
    """Probabilities of many reviews, computed in batches of like length.

    Args:
        network: from padded token ids, int32 [batch, length], to probabilities, float32 [batch].
        tokens: ids of n reviews.

    Returns:
        float32 [n], in the order of the reviews.
    """
    lengths = np.diff(tokens.row_splits)
    probabilities = np.empty(len(lengths), np.float32)
    for rows in by_length(np.arange(len(lengths)), lengths, BATCH_SIZE):
        probabilities[rows] = network(padded(tokens, rows))
    return probabilities


def measure(probabilities: np.ndarray, labels: np.ndarray) -> Metrics:
    """Compares probabilities, float32 [n], with labels, float32 [n] of 0 and 1."""
    given = np.where(labels == 1, probabilities, 1 - probabilities).astype(np.float64)
    return Metrics(
        accuracy=float(np.mean((probabilities > 0.5) == (labels == 1))),
        log_loss=float(-np.mean(np.log(np.maximum(given, np.finfo(np.float32).tiny)))),
        reviews=len(labels),
    )
