"""The score of a review, and its row."""

import datetime
from typing import Any, NamedTuple

from schemas.errors import UserError
from schemas.field import Field, FieldType

LABELS = ("negative", "positive")

PROBABILITY_DECIMALS = 6
"""Rows are rounded to this many places: what single precision can vouch for."""

DEFAULT_THRESHOLD = 0.5
"""The least probability labelled positive, of models whose card names none or that have no card."""


class Score(NamedTuple):
    """What the model says of one review.

    Attributes:
        review_id: the id of the review.
        label: `positive` where the rounded probability is at least the model's threshold, else
            `negative`.
        positive_probability: 0..1, rounded to `PROBABILITY_DECIMALS` places.
        token_count: word pieces of the whole text, before truncation and without special tokens;
            None where the model tokenizes for itself and doesn't say.
        truncated: whether the model saw less than the whole text; None likewise.
        model: name and fingerprint of the model, as `name@fingerprint`.
        event_time: when the review was written, aware; None where the input doesn't say.
        kept: values of the kept fields.
    """

    review_id: str
    label: str
    positive_probability: float
    token_count: int | None
    truncated: bool | None
    model: str
    event_time: datetime.datetime | None
    kept: tuple[Any, ...]


_OWN_COLUMNS = (
    Field("review_id", FieldType.STRING, nullable=False),
    Field("label", FieldType.STRING, nullable=False),
    Field("positive_probability", FieldType.FLOAT64, nullable=False),
    Field("token_count", FieldType.INT64),
    Field("truncated", FieldType.BOOL),
    Field("model", FieldType.STRING, nullable=False),
    Field("event_time", FieldType.TIMESTAMP),
)


def columns(kept: tuple[Field, ...]) -> tuple[Field, ...]:
    """The columns of score rows that carry the kept fields.

    Raises:
        UserError: a kept field has the name of a column, or is named twice.
    """
    names = [field.name for field in _OWN_COLUMNS]
    for field in kept:
        if field.name in names:
            raise UserError(
                f"--keep_fields {field.name}: score rows already have a column of that name; "
                f"give it another, as in input_{field.name}={field.name}"
            )
        names.append(field.name)
    return _OWN_COLUMNS + kept


def label_of(probability: float, threshold: float) -> str:
    """The label of a rounded probability; one that equals the model's threshold is positive."""
    return LABELS[probability >= threshold]


def score_row(score: Score, kept: tuple[Field, ...]) -> dict[str, Any]:
    """The row of a score, with the columns of `columns(kept)`."""
    row = score._asdict()
    values = row.pop("kept")
    row.update(zip((field.name for field in kept), values, strict=True))
    return row
