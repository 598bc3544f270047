"""Reviews -> scores, rejections."""

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.pvalue import TaggedOutput

from beam_jobs import metrics
from beam_jobs.batching import BatchByLength, BatchInTime
from beam_jobs.deduplication import Deduplicate
from beam_jobs.encoding import (
    Encoding,
    TextlessReview,
    TokenizeReviews,
    batch_group,
    serialize,
    token_length,
)
from beam_jobs.handler import ProbabilityHandler, SavedModelHandler
from beam_jobs.job import Model
from beam_jobs.model_watch import ModelWatch
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
        encodings, handler = _encoded(reviews, self.model)
        if self.model.deduplicate_seconds:
            encodings = encodings | "Deduplicate" >> Deduplicate(
                review_id_of, self.model.deduplicate_seconds, self.model.deduplicate_buckets
            )
        batches = encodings | "BatchEncodings" >> batching(self.model)
        predictions = _inferred(batches, handler, self.model.resource_hints)
        return predictions | "MakeScores" >> MakeScores()


def _encoded(
    reviews: beam.PCollection, model: Model
) -> tuple[beam.PCollection, ProbabilityHandler]:
    """Reviews as a handler takes them, and the handler."""
    if model.tfx_signature is None:
        watch = model_watch(model)
        encodings = reviews | "TokenizeReviews" >> TokenizeReviews(watch)
        return encodings, SavedModelHandler(watch, model.precision)
    feature = model.tfx_signature.example_feature
    encodings = reviews | "SerializeReviews" >> beam.Map(serialize, feature, model.version)
    return encodings, TfxHandler(model.version, model.tfx_signature, model.precision)


def _inferred(
    batches: beam.PCollection, handler: ProbabilityHandler, hints: Mapping[str, str]
) -> beam.PCollection:
    """Predictions, computed by workers of their own where there are resource hints.

    Runners fuse steps that no shuffle divides, and then all of them need what one of them needs.
    https://docs.cloud.google.com/dataflow/docs/guides/right-fitting
    """
    inference: RunInference = RunInference(KeyedModelHandler(handler).with_no_batching())
    if not hints:
        return batches | "RunInference" >> inference
    return (
        batches
        | "ToAccelerator" >> beam.Reshuffle()
        | "RunInference" >> inference.with_resource_hints(**hints)
        | "FromAccelerator" >> beam.Reshuffle()
    )


def review_id_of(encoding: Encoding) -> str:
    """What makes two encodings duplicates of each other."""
    return encoding.review.review_id


def batching(model: Model) -> BatchByLength | BatchInTime:
    """How encodings become batches."""
    budget = model.max_batch_tokens
    if model.max_batch_wait_seconds:
        return BatchInTime(token_length, budget, model.max_batch_wait_seconds, batch_group)
    return BatchByLength(token_length, budget, batch_group)


def model_watch(model: Model) -> ModelWatch:
    """Which models score in the course of a run that begins with this one."""
    return ModelWatch(model.watch, model.watch_interval_seconds, model.version)


class MakeScores(beam.PTransform):
    """Joins probabilities to their reviews again.

    Takes a PCollection of (`TextlessReview`, probability); gives one of `Score`, and under the
    tag `REJECTIONS` one of `Rejection`.
    """

    def expand(self, predictions: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        return predictions | "MakeScore" >> beam.ParDo(_MakeScore()).with_outputs(
            REJECTIONS, main="scores"
        )


class _MakeScore(beam.DoFn):
    def process(self, prediction: tuple[TextlessReview, float]) -> Iterator[Score | Rejected]:
        result = make_score(*prediction)
        if isinstance(result, Rejection):
            yield TaggedOutput(REJECTIONS, result)
            return
        metrics.SCORED.inc()
        metrics.scored_by(result.model).inc()
        _time_queueing(prediction[0])
        yield result


def _time_queueing(review: TextlessReview) -> None:
    published = review.origin.published_at
    if published is not None:
        waited = datetime.datetime.now(datetime.timezone.utc) - published
        # Clocks differ: a message may seem to come from the future.
        metrics.QUEUEING_MS.update(max(0, waited // datetime.timedelta(milliseconds=1)))


def make_score(review: TextlessReview, probability: float) -> Score | Rejection:
    """The score of a review, or a rejection where the probability is none."""
    if math.isnan(probability) or not 0.0 <= probability <= 1.0:
        problem = RecordError(Reason.MODEL_FAILURE, f"Review {review.review_id}: {probability}.")
        return reject_data(review.origin, Stage.SCORE, problem)
    rounded = round(probability, PROBABILITY_DECIMALS)
    return Score(
        review_id=review.review_id,
        label=label_of(rounded, review.model.threshold),
        positive_probability=rounded,
        token_count=review.token_count,
        truncated=review.truncated,
        model=review.model.identity,
        event_time=review.event_time,
        kept=review.kept,
    )
