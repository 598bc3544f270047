"""Reviews -> encodings: what the model takes, beside what a score needs of its review."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam

from beam_jobs import metrics
from beam_jobs.handler import TokenIds
from model.tfx import serialize_example
from model.tokenizer import Tokenizer
from schemas.payload import Origin
from schemas.review import Review

REVIEWS_TOKENIZED_TOGETHER = 256
"""The tokenizer is vectorised: its calls are dear, the reviews in them cheap."""

BYTES_PER_TOKEN = 4
"""Of English text, roughly."""


class TextlessReview(NamedTuple):
    """What a score needs of its review; the text stays behind as soon as it is token ids.

    Attributes:
        review_id: the id of the review.
        token_count: word pieces before truncation; None where the model doesn't say.
        truncated: whether the model sees less than the whole text; None likewise.
        kept: values of the kept fields.
        origin: where the review stands.
    """

    review_id: str
    token_count: int | None
    truncated: bool | None
    kept: tuple[Any, ...]
    origin: Origin


class Encoding(NamedTuple):
    """A review as the model takes it, beside what its score needs.

    Attributes:
        review: the review without its text.
        example: int32 token ids of shape (tokens,); for tfx-bsl the bytes that it is given.
    """

    review: TextlessReview
    example: TokenIds | bytes


@dataclass
class TokenizeReviews(beam.PTransform):
    """Turns reviews into encodings, with the tokenizer of an artifact of `model.savedmodel`.

    Attributes:
        directory: the artifact.
    """

    directory: str

    def expand(self, reviews: beam.PCollection) -> beam.PCollection:
        size = REVIEWS_TOKENIZED_TOGETHER
        return (
            reviews
            | "Group" >> beam.BatchElements(min_batch_size=size, max_batch_size=size)
            | "Tokenize" >> beam.ParDo(_Tokenize(self.directory))
        )


class _Tokenize(beam.DoFn):
    def __init__(self, directory: str) -> None:
        self._directory = directory

    def setup(self) -> None:
        self._tokenizer = Tokenizer.from_artifact(self._directory)

    def process(self, reviews: Sequence[Review]) -> Iterator[Encoding]:
        for encoding in tokenize(reviews, self._tokenizer):
            metrics.TOKENS.update(len(encoding.example))
            yield encoding


def tokenize(reviews: Sequence[Review], tokenizer: Tokenizer) -> Iterator[Encoding]:
    """Tokenizes reviews in one call; encodings come in the order of the reviews."""
    tokens = tokenizer.tokenize([review.text for review in reviews])
    truncated = tokenizer.truncates(tokens.token_counts)
    for i, review in enumerate(reviews):
        textless = TextlessReview(
            review.review_id,
            int(tokens.token_counts[i]),
            bool(truncated[i]),
            review.kept,
            review.origin,
        )
        yield Encoding(textless, tokens.values[tokens.row_splits[i] : tokens.row_splits[i + 1]])


def serialize(review: Review, example_feature: str) -> Encoding:
    """What a signature with one string input takes: the text, or an Example that holds it.

    Args:
        review: to be scored.
        example_feature: the feature that holds the text; empty for the text itself.
    """
    textless = TextlessReview(review.review_id, None, None, review.kept, review.origin)
    if example_feature:
        return Encoding(textless, serialize_example(review.text, example_feature))
    return Encoding(textless, review.text.encode("utf-8"))


def token_length(encoding: Encoding) -> int:
    """Tokens of an encoding; guessed from its bytes where the model tokenizes for itself."""
    example = encoding.example
    return len(example) // BYTES_PER_TOKEN + 1 if isinstance(example, bytes) else len(example)
