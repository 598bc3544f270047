"""Labelled reviews as token ids, of which memory holds no more than it must."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from model.labelled_reviews import LabelledReview
from model.tokenizer import TokenIds, Tokenizer

GROUP = 1024
"""Reviews that are tokenized at a time."""


class TokenizedReviews(NamedTuple):
    """What is left of n labelled reviews.

    Attributes:
        tokens: their ids, which lie in a file without a name and are read as they are needed.
        labels: float32 [n], 1 for positive.
        sources: [n], see `LabelledReview`.
    """

    tokens: TokenIds
    labels: np.ndarray
    sources: list[str]


def tokenize_reviews(reviews: Iterable[LabelledReview], tokenizer: Tokenizer) -> TokenizedReviews:
    """Tokenizes a stream of reviews.

    Raises:
        OSError: the temporary folder is full.
    """
    names: dict[str, str] = {}
    splits, counts = [np.zeros(1, np.int64)], [np.zeros(0, np.int32)]
    labels, sources = [np.zeros(0, np.float32)], []
    with tempfile.TemporaryFile() as file:
        for group in _groups(reviews):
            tokens = tokenizer.tokenize([review.text for review in group])
            file.write(tokens.values.tobytes())
            splits.append(splits[-1][-1] + tokens.row_splits[1:])
            counts.append(tokens.token_counts)
            labels.append(np.array([review.label for review in group], np.float32))
            sources += [names.setdefault(review.source, review.source) for review in group]
        file.flush()
        # A file without anything in it can't be mapped.
        values = np.asarray(np.memmap(file, np.int32, "r")) if sources else counts[0]
    tokens = TokenIds(values, np.concatenate(splits), np.concatenate(counts))
    return TokenizedReviews(tokens, np.concatenate(labels), sources)


def _groups(reviews: Iterable[LabelledReview]) -> Iterator[list[LabelledReview]]:
    stream = iter(reviews)
    while group := list(islice(stream, GROUP)):
        yield group
