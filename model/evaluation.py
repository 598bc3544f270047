"""What a model does on labelled reviews: on all of them, by length and source, and at its worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from model.batches import cut_batches, padded
from model.labelled_reviews import LabelledReview
from model.metrics import Metrics, labelled_positive, measure
from model.tokenized import TokenizedReviews
from model.tokenizer import TokenIds
from schemas.score import PROBABILITY_DECIMALS

LENGTHS = (32, 64, 128, 256, 512)
"""Reviews are grouped by these numbers of word pieces, before truncation; the last have more."""

BATCH_TOKENS = 16_384
"""Most tokens that a network computes at once, padding included."""

Network = Callable[[np.ndarray], np.ndarray]
"""From padded token ids, int32 [batch, length], to probabilities, float32 [batch]."""


class Mistake(NamedTuple):
    """A review with the wrong label.

    Attributes:
        probability: 0..1, that it is positive.
        label: 0 negative, 1 positive.
        tokens: word pieces before truncation.
        source: see `LabelledReview`.
        text: of the review.
    """

    probability: float
    label: int
    tokens: int
    source: str
    text: str


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Attributes:
        probabilities: float32 [n].
        labels: float32 [n].
        threshold: of the model, the least probability labelled positive.
        overall: of all reviews.
        by_length: by what `LENGTHS` is for.
        by_source: by `LabelledReview.source`.
        mistakes: the worst ones first.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    threshold: float
    overall: Metrics
    by_length: Mapping[str, Metrics]
    by_source: Mapping[str, Metrics]
    mistakes: Sequence[Mistake]

    def numbers(self) -> dict[str, Any]:
        """All but the arrays, ready for JSON."""
        return {
            "threshold": self.threshold,
            "overall": self.overall._asdict(),
            "by_length": {name: one._asdict() for name, one in self.by_length.items()},
            "by_source": {name: one._asdict() for name, one in self.by_source.items()},
            "mistakes": [mistake._asdict() for mistake in self.mistakes],
        }


def evaluated(
    network: Network,
    tokenized: TokenizedReviews,
    reviews: Iterable[LabelledReview],
    mistakes: int,
    threshold: float,
) -> Evaluation:
    """Measures a network.

    Args:
        network: see `Network`.
        tokenized: what it is measured on, at least one.
        reviews: the same; read as far as the texts of mistakes need.
        mistakes: how many of them are looked for.
        threshold: of the model.
    """
    probabilities = predict(network, tokenized.tokens)
    groups = np.searchsorted(LENGTHS, tokenized.tokens.token_counts)
    lengths = [f"up to {most}" for most in LENGTHS] + [f"over {LENGTHS[-1]}"]
    sources = np.array(tokenized.sources)

    def measured(part: np.ndarray) -> Metrics:
        return measure(probabilities[part], tokenized.labels[part], threshold)

    return Evaluation(
        probabilities,
        tokenized.labels,
        threshold,
        measure(probabilities, tokenized.labels, threshold),
        {name: measured(groups == n) for n, name in enumerate(lengths) if np.any(groups == n)},
        {str(name): measured(sources == name) for name in np.unique(sources)},
        worst(probabilities, tokenized, reviews, mistakes, threshold),
    )


def predict(network: Network, tokens: TokenIds) -> np.ndarray:
    """Probabilities of many reviews, computed in batches of like length.

    Args:
        network: see `Network`.
        tokens: ids of n reviews.

    Returns:
        float32 [n], in the order of the reviews.
    """
    lengths = np.diff(tokens.row_splits)
    probabilities = np.empty(len(lengths), np.float32)
    for batch in cut_batches(range(len(lengths)), lengths.__getitem__, BATCH_TOKENS):
        rows = np.array(batch)
        probabilities[rows] = network(padded(tokens, rows))
    return probabilities


def worst(
    probabilities: np.ndarray,
    tokenized: TokenizedReviews,
    reviews: Iterable[LabelledReview],
    count: int,
    threshold: float,
) -> list[Mistake]:
    """The wrong labels that the network was most certain of, at most `count`; see `certainty`."""
    wrong = np.flatnonzero(labelled_positive(probabilities, threshold) != (tokenized.labels == 1))
    order = np.argsort(-certainty(probabilities[wrong], threshold), kind="stable")
    chosen = wrong[order][:count].tolist()
    texts = {n: review for n, review in enumerate(reviews) if n in set(chosen)} if chosen else {}
    return [
        Mistake(
            probability=round(float(probabilities[n]), PROBABILITY_DECIMALS),
            label=texts[n].label,
            tokens=int(tokenized.tokens.token_counts[n]),
            source=texts[n].source,
            text=texts[n].text,
        )
        for n in chosen
    ]


def certainty(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """How far from a threshold probabilities lie, as a share of the way to 0 or to 1.

    By the mere distance a model with the threshold 0.9 could never be certain that a review is
    positive, and mistakes of that kind would come last.

    Returns:
        float64 [n], 0..1.
    """
    return np.abs(np.interp(probabilities, (0.0, threshold, 1.0), (-1.0, 0.0, 1.0)))
