"""Reviews -> encodings: what the model takes, beside what a score needs of its review."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam

from beam_jobs import metrics
from beam_jobs.handler import Example
from beam_jobs.model_watch import ModelWatch, News, watcher
from beam_jobs.models import MODELS, ModelVersion
from beam_jobs.tfx_engine import guessed_tokens
from model.tfx import string_input
from model.tokenizer import Tokenizer
from schemas.payload import Origin
from schemas.review import Review

REVIEWS_TOKENIZED_TOGETHER = 256
"""The tokenizer is vectorised: a call costs as much as ten reviews in it."""


class TextlessReview(NamedTuple):
    """What a score needs of its review; the text stays behind as soon as it is token ids.

    Attributes:
        review_id: the id of the review.
        token_count: word pieces before truncation; None where the model doesn't say.
        truncated: whether the model sees less than the whole text; None likewise.
        kept: values of the kept fields.
        origin: where the review stands.
        event_time: when it was written, aware, UTC; None for files.
        model: the one that it was made ready for.
    """

    review_id: str
    token_count: int | None
    truncated: bool | None
    kept: tuple[Any, ...]
    origin: Origin
    event_time: datetime.datetime | None
    model: ModelVersion


class Encoding(NamedTuple):
    """A review as the model takes it, beside what its score needs.

    Attributes:
        review: the review without its text.
        example: token ids and their model; for tfx-bsl the bytes that it is given.
    """

    review: TextlessReview
    example: Example | bytes


_COUNTERS = {News.SWAPPED: metrics.MODEL_SWAPS, News.REFUSED: metrics.MODEL_REFUSED}


@dataclass
class TokenizeReviews(beam.PTransform):
    """Turns reviews into encodings, each for the model that is current at that moment.

    Attributes:
        watch: which models those are; artifacts of `model.savedmodel`.
    """

    watch: ModelWatch

    def expand(self, reviews: beam.PCollection) -> beam.PCollection:
        size = REVIEWS_TOKENIZED_TOGETHER
        return (
            reviews
            | "Group" >> beam.BatchElements(min_batch_size=size, max_batch_size=size)
            | "Tokenize" >> beam.ParDo(_Tokenize(self.watch))
        )


class _Tokenize(beam.DoFn):
    def __init__(self, watch: ModelWatch) -> None:
        self._watch = watch

    def setup(self) -> None:
        self._watcher = watcher(self._watch)

    def process(self, reviews: Sequence[Review]) -> Iterator[Encoding]:
        for news in self._watcher.drain_news():
            _COUNTERS[news].inc()
        model = self._watcher.current
        for encoding in tokenize(reviews, MODELS.tokenizer(model), model):
            metrics.TOKENS.update(token_length(encoding))
            yield encoding


def tokenize(
    reviews: Sequence[Review], tokenizer: Tokenizer, model: ModelVersion
) -> Iterator[Encoding]:
    """Tokenizes reviews in one call; encodings come in the order of the reviews.

    Args:
        reviews: what to tokenize.
        tokenizer: that of the model.
        model: what is to score them.
    """
    tokens = tokenizer.tokenize([review.text for review in reviews])
    truncated = tokenizer.truncates(tokens.token_counts)
    for i, review in enumerate(reviews):
        token_ids = tokens.values[tokens.row_splits[i] : tokens.row_splits[i + 1]]
        textless = _textless(review, model, int(tokens.token_counts[i]), bool(truncated[i]))
        yield Encoding(textless, Example(token_ids, model))


def serialize(review: Review, example_feature: str, model: ModelVersion) -> Encoding:
    """What a signature with one string input takes: the text, or an Example that holds it.

    Args:
        review: to be scored.
        example_feature: the feature that holds the text; empty for the text itself.
        model: what is to score it.
    """
    return Encoding(
        _textless(review, model, None, None), string_input(review.text, example_feature)
    )


def token_length(encoding: Encoding) -> int:
    """Tokens of an encoding; guessed from its bytes where the model tokenizes for itself."""
    if isinstance(encoding.example, bytes):
        return guessed_tokens(encoding.example)
    return len(encoding.example.token_ids)


def batch_group(encoding: Encoding) -> str:
    """What the encodings of a batch have in common: their model."""
    return encoding.review.model.identity


def _textless(
    review: Review, model: ModelVersion, token_count: int | None, truncated: bool | None
) -> TextlessReview:
    return TextlessReview(
        review_id=review.review_id,
        token_count=token_count,
        truncated=truncated,
        kept=review.kept,
        origin=review.origin,
        event_time=review.event_time,
        model=model,
    )
