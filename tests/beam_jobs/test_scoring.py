import math

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from beam_jobs.encoding import TextlessReview, serialize, token_length
from beam_jobs.parsing import REJECTIONS
from beam_jobs.scoring import MakeScores, make_score
from schemas.payload import Origin
from schemas.rejection import Reason, Rejection, Stage
from schemas.review import Review
from schemas.score import Score
from tests.beam_jobs.running import local_pipeline

ORIGIN = Origin("reviews.csv", "3")
REVIEW = TextlessReview("r1", 12, False, (5,), ORIGIN)


def test_a_score_is_rounded_and_labelled_by_what_is_written() -> None:
    score = make_score(REVIEW, 0.4999996, "m@0123")

    assert score == Score("r1", "positive", 0.5, 12, False, "m@0123", None, (5,))


@pytest.mark.parametrize("probability", [math.nan, math.inf, -0.001, 1.001])
def test_what_is_no_probability_is_a_rejection(probability: float) -> None:
    rejection = make_score(REVIEW, probability, "m@0123")

    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.MODEL_FAILURE
    assert rejection.stage is Stage.SCORE
    assert rejection.origin == ORIGIN


def test_scores_and_rejections_part() -> None:
    with local_pipeline() as pipeline:
        result = (
            pipeline
            | beam.Create([(REVIEW, 0.75), (REVIEW._replace(review_id="r2"), math.nan)])
            | MakeScores("m@0123")
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


def test_a_model_that_takes_text_gets_its_bytes() -> None:
    encoding = serialize(Review("r1", "très bien", (5,), ORIGIN), "")

    assert encoding.example == "très bien".encode()
    assert encoding.review == TextlessReview("r1", None, None, (5,), ORIGIN)
    assert token_length(encoding) == 3
