"""Reviews -> scores, rejections."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.pvalue import TaggedOutput

from beam_jobs import metrics
from beam_jobs.batching import BatchByLength
from beam_jobs.encoding import TextlessReview, TokenizeReviews, serialize, token_length
from beam_jobs.handler import ProbabilityHandler, SavedModelHandler
from beam_jobs.job import Model
from beam_jobs.parsing import REJECTIONS, Rejected
from beam_jobs.tfx_engine import TfxHandler
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject_data
from schemas.score import PROBABILITY_DECIMALS, Score, label_of


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
