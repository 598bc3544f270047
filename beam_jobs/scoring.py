"""Reviews -> scores, rejections."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.pvalue import TaggedOutput

from beam_jobs import metrics
from beam_jobs.batching import BatchByLength
from beam_jobs.handler import ProbabilityHandler, SavedModelHandler, TokenIds
from beam_jobs.job import Model
from beam_jobs.parsing import REJECTIONS, Rejected
from beam_jobs.tfx_engine import TfxHandler
from model.tfx import serialize_example
from model.tokenizer import Tokenizer
from schemas.payload import Origin
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject_data
from schemas.review import Review
from schemas.score import PROBABILITY_DECIMALS, Score, label_of

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
class ScoreReviews(beam.PTransform):
    """Scores reviews.

    Takes a PCollection of `Review`; gives one of `Score`, and under the tag `REJECTIONS` one of
    `Rejection`.

    Attributes:
        model: what scores them.
    """

    model: Model

    def expand(self, reviews: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        if self.model.tfx_signature is None:
            encodings = reviews | "TokenizeReviews" >> TokenizeReviews(self.model.directory)
            handler: ProbabilityHandler = SavedModelHandler(self.model.directory)
        else:
            feature = self.model.tfx_signature.example_feature
            encodings = reviews | "SerializeReviews" >> beam.Map(serialize, feature)
            handler = TfxHandler(self.model.directory, self.model.tfx_signature)
        return (
            encodings
            | "BatchEncodings" >> BatchByLength(token_length, self.model.max_batch_tokens)
            | "RunInference" >> RunInference(KeyedModelHandler(handler).with_no_batching())
            | "MakeScores" >> MakeScores(self.model.identity)
        )


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


@dataclass
class MakeScores(beam.PTransform):
    """Joins probabilities to their reviews again.

    Takes a PCollection of (`TextlessReview`, probability); gives one of `Score`, and under the
    tag `REJECTIONS` one of `Rejection`.

    Attributes:
        model: name and fingerprint of the model.
    """

    model: str

    def expand(self, predictions: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        return predictions | "MakeScore" >> beam.ParDo(_MakeScore(self.model)).with_outputs(
            REJECTIONS, main="scores"
        )


class _MakeScore(beam.DoFn):
    def __init__(self, model: str) -> None:
        self._model = model

    def process(self, prediction: tuple[TextlessReview, float]) -> Iterator[Score | Rejected]:
        result = make_score(*prediction, self._model)
        if isinstance(result, Rejection):
            yield TaggedOutput(REJECTIONS, result)
        else:
            metrics.SCORED.inc()
            yield result


def make_score(review: TextlessReview, probability: float, model: str) -> Score | Rejection:
    """The score of a review, or a rejection where the probability is none."""
    if math.isnan(probability) or not 0.0 <= probability <= 1.0:
        problem = RecordError(Reason.MODEL_FAILURE, f"Review {review.review_id}: {probability}.")
        return reject_data(review.origin, Stage.SCORE, problem)
    rounded = round(probability, PROBABILITY_DECIMALS)
    return Score(
        review_id=review.review_id,
        label=label_of(rounded),
        positive_probability=rounded,
        token_count=review.token_count,
        truncated=review.truncated,
        model=model,
        event_time=None,
        kept=review.kept,
    )
