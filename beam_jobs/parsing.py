"""Payloads -> reviews, rejections."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from beam_jobs import metrics
from schemas.payload import Payload
from schemas.rejection import Rejection
from schemas.review import Review, ReviewFields, parse_review

REJECTIONS: Final = "rejections"
"""The tag under which steps yield what cannot go on."""

Rejected = TaggedOutput[Literal["rejections"], Rejection]
"""What they yield there, for Beam's type checks."""


@dataclass
class ParseReviews(beam.PTransform):
    """Turns what sources yield into reviews.

    Attributes:
        fields: which input fields make a review.

    Takes a PCollection of `Payload | Rejection`; gives one of `Review`, and under the tag
    `REJECTIONS` one of `Rejection`.
    """

    fields: ReviewFields

    def expand(self, records: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        return records | "ParseReview" >> beam.ParDo(_ParseReview(self.fields)).with_outputs(
            REJECTIONS, main="reviews"
        )


class _ParseReview(beam.DoFn):
    def __init__(self, fields: ReviewFields) -> None:
        self._fields = fields

    def process(self, record: Payload | Rejection) -> Iterator[Review | Rejected]:
        metrics.READ.inc()
        parsed = parse_review(record, self._fields) if isinstance(record, Payload) else record
        if isinstance(parsed, Rejection):
            yield TaggedOutput(REJECTIONS, parsed)
        else:
            yield parsed
