import datetime
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.runners.runner import PipelineResult
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that, equal_to

from beam_jobs import metrics
from beam_jobs.encoding import (
    Encoding,
    TextlessReview,
    TokenizeReviews,
    batch_group,
    serialize,
    token_length,
)
from beam_jobs.handler import SavedModelHandler
from beam_jobs.job import Model
from beam_jobs.model_watch import ModelWatch, watcher
from beam_jobs.models import ModelVersion
from beam_jobs.parsing import REJECTIONS
from beam_jobs.scoring import MakeScores, ScoreReviews, make_score, model_watch
from schemas.payload import Origin
from schemas.rejection import Reason, Rejection, Stage
from schemas.review import Review
from schemas.score import Score
from tests.beam_jobs.running import local_pipeline
from tests.beam_jobs.streams import streaming_pipeline
from tests.beam_jobs.word_models import copy_model, export_words, sigmoid, version_of

ORIGIN = Origin("reviews.csv", "3")
WRITTEN_AT = datetime.datetime(2026, 11, 22, 10, 7, tzinfo=datetime.timezone.utc)
MODEL = ModelVersion("models/m", "m@0123", "0123", 0.5)
OTHER_MODEL = ModelVersion("models/other", "m@4567", "4567", 0.3)
REVIEW = TextlessReview("r1", 12, False, (5,), ORIGIN, WRITTEN_AT, MODEL)


def test_a_score_is_rounded_and_labelled_by_what_is_written() -> None:
    score = make_score(REVIEW, 0.4999996)

    assert score == Score("r1", "positive", 0.5, 12, False, "m@0123", WRITTEN_AT, (5,))


@pytest.mark.parametrize(
    ("probability", "label"),
    [(0.2999994, "negative"), (0.2999996, "positive"), (0.3, "positive"), (0.49, "positive")],
)
def test_the_threshold_is_that_of_the_model(probability: float, label: str) -> None:
    score = make_score(REVIEW._replace(model=OTHER_MODEL), probability)

    assert isinstance(score, Score)
    assert (score.label, score.model) == (label, "m@4567")
    assert score.positive_probability == round(probability, 6)


@pytest.mark.parametrize("probability", [math.nan, math.inf, -0.001, 1.001])
def test_what_is_no_probability_is_a_rejection(probability: float) -> None:
    rejection = make_score(REVIEW, probability)

    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.MODEL_FAILURE
    assert rejection.stage is Stage.SCORE
    assert rejection.origin == ORIGIN


def test_scores_and_rejections_part() -> None:
    with local_pipeline() as pipeline:
        result = (
            pipeline
            | beam.Create([(REVIEW, 0.75), (REVIEW._replace(review_id="r2"), math.nan)])
            | MakeScores()
        )
        assert_that(
            result.scores | "Ids" >> beam.Map(lambda score: score.review_id),
            equal_to(["r1"]),
            label="scores",
        )
        assert_that(
            result[REJECTIONS] | "Reasons" >> beam.Map(lambda rejection: rejection.reason),
            equal_to([Reason.MODEL_FAILURE]),
            label="rejections",
        )


def test_every_score_counts_for_its_model_and_published_ones_for_the_queueing_time() -> None:
    ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=90)
    published = [
        REVIEW._replace(model=OTHER_MODEL, origin=ORIGIN._replace(published_at=time))
        for time in (ago, ago + datetime.timedelta(days=1))
    ]
    pipeline = local_pipeline()
    _ = pipeline | beam.Create([(review, 0.75) for review in (REVIEW, *published)]) | MakeScores()

    result = pipeline.run()

    assert counted(result, "scored_by_m@0123") == 1
    assert counted(result, "scored_by_m@4567") == 2
    (queueing,) = result.metrics().query(MetricsFilter().with_name("queueing_ms"))["distributions"]
    assert (queueing.committed.count, queueing.committed.min) == (2, 0)
    assert 90_000 <= queueing.committed.max < 150_000


def counted(result: PipelineResult, name: str) -> int:
    found = result.metrics().query(MetricsFilter().with_name(name))["counters"]
    return sum(counter.committed for counter in found)


def test_a_model_that_takes_text_gets_its_bytes() -> None:
    encoding = serialize(Review("r1", "très bien", (5,), ORIGIN, WRITTEN_AT), "", MODEL)

    assert encoding.example == "très bien".encode()
    assert encoding.review == TextlessReview("r1", None, None, (5,), ORIGIN, WRITTEN_AT, MODEL)
    assert token_length(encoding) == 3


def test_what_a_batch_has_in_common_is_its_model() -> None:
    first, second = (
        serialize(Review(name, "fine", (), ORIGIN), "", model)
        for name, model in (("r1", MODEL), ("r2", OTHER_MODEL))
    )

    assert (batch_group(first), batch_group(second)) == ("m@0123", "m@4567")


SWITCH = "switch"
"""The id of the review on whose arrival a new model appears."""

BEFORE, AFTER = [f"b{n}" for n in range(20)], [f"a{n}" for n in range(20)]


def put_new_model(review: Review, watch: ModelWatch, source: Path, place: Path) -> Review:
    if review.review_id == SWITCH:
        copy_model(source, place)
        for _ in range(2):  # the second finds it unchanged
            watcher(watch).look()
    return review


def named_probability(score: Score) -> tuple[str, float, str]:
    return score.review_id, score.positive_probability, score.model


def test_a_switch_neither_loses_nor_doubles_nor_mixes(
    tmp_path: Path, exported: Callable[[float], Path]
) -> None:
    old = copy_model(exported(1.0), tmp_path / "old")
    weights = {"plot": 0.25, "bad": -3.0, "good": 2.0, "film": 0.5}
    new = export_words(tmp_path / "source", weights, max_length=6)
    model = Model(*old, 1_000, "auto", None, watch=f"{tmp_path}/new/*")
    stream = test_stream.TestStream()
    for name in (*BEFORE, SWITCH, *AFTER):
        stream.add_elements([Review(name, "good film good plot good", (), ORIGIN)])
    source, place, swaps = Path(new.directory), tmp_path / "new/1", metrics.MODEL_SWAPS.tally

    with streaming_pipeline() as pipeline:
        scored = (
            pipeline
            | stream.advance_watermark_to_infinity()
            | beam.Map(put_new_model, model_watch(model), source, place)
            | ScoreReviews(model)
        )
        before = (round(sigmoid(1.0 + 1.0 + 1.0), 6), old.identity)
        after = (round(sigmoid(2.0 + 0.5 + 2.0 + 0.25), 6), new.identity)
        assert_that(
            scored.scores | beam.Map(named_probability),
            equal_to(
                [(name, *before) for name in BEFORE] + [(name, *after) for name in (SWITCH, *AFTER)]
            ),
        )

    # This runner's own metrics are those of the first bundle of each step.
    assert metrics.MODEL_SWAPS.tally == swaps + 1


def test_each_model_labels_by_its_own_threshold(
    tmp_path: Path, exported: Callable[[float], Path]
) -> None:
    old = copy_model(exported(1.0), tmp_path / "old")
    new = export_words(tmp_path / "source", {"good": 2.0}, threshold=0.9)
    model = Model(*old, 1_000, "auto", None, watch=f"{tmp_path}/new/*")
    stream = test_stream.TestStream()
    for name in (*BEFORE, SWITCH, *AFTER):
        stream.add_elements([Review(name, "good", (), ORIGIN)])

    with streaming_pipeline() as pipeline:
        scored = (
            pipeline
            | stream.advance_watermark_to_infinity()
            | beam.Map(put_new_model, model_watch(model), Path(new.directory), tmp_path / "new/1")
            | ScoreReviews(model)
        )
        # 0.73 of the old model, and 0.88 of the new one.
        before, after = ("positive", old.identity), ("negative", new.identity)
        assert_that(
            scored.scores | beam.Map(lambda score: (score.review_id, score.label, score.model)),
            equal_to(
                [(name, *before) for name in BEFORE] + [(name, *after) for name in (SWITCH, *AFTER)]
            ),
        )


def put_new_model_away_with_the_old(
    encoding: Encoding, watch: ModelWatch, source: Path, place: Path
) -> list[Encoding]:
    if encoding.review.review_id == SWITCH:
        copy_model(source, place)
        for _ in range(2):  # the second finds it unchanged
            watcher(watch).look()
        shutil.rmtree(watch.initial.directory)
    return [encoding]


def test_reviews_on_their_way_at_a_switch_stay_with_their_model(
    tmp_path: Path, exported: Callable[[float], Path]
) -> None:
    old = copy_model(exported(1.0), tmp_path / "old")
    watch = ModelWatch(f"{tmp_path}/new/*", 1e6, old)
    reviews = [Review(name, "good good", (), ORIGIN) for name in ("r1", SWITCH, "r2")]
    with local_pipeline() as pipeline:
        scored = (
            pipeline
            | beam.Create(reviews)
            | TokenizeReviews(watch)
            | beam.Map(put_new_model_away_with_the_old, watch, exported(2.0), tmp_path / "new/1")
            | RunInference(KeyedModelHandler(SavedModelHandler(watch, "auto")).with_no_batching())
            | MakeScores()
        )
        expected = [(review.review_id, round(sigmoid(2.0), 6), old.identity) for review in reviews]
        assert_that(
            scored.scores | beam.Map(named_probability),
            equal_to(expected),
        )

    assert watcher(watch).current == version_of(tmp_path / "new/1")
