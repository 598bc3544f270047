"""What a row of a data set says: a text, and whether it is positive."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from model.labelled_files import Row
from schemas.errors import UserError

UNLABELLED = -1
LABELS = {"0": 0, "negative": 0, "1": 1, "positive": 1}


class LabelledReview(NamedTuple):
    """A review and what it says.

    Attributes:
        text: not blank.
        label: 0 negative, 1 positive, or `UNLABELLED`.
        source: where the review comes from, by which models are compared.
    """

    text: str
    label: int
    source: str = ""


class Stars(NamedTuple):
    """How ratings become labels: what lies between is left out.

    Attributes:
        negative: a rating up to this one is negative.
        positive: a rating from this one on is positive; greater than `negative`.
    """

    negative: float
    positive: float


class Columns(NamedTuple):
    """What the columns of a data set are called.

    Attributes:
        text: of the review.
        label: 0, 1, negative or positive; or a rating, where there are `stars`; empty where labels
            don't matter.
        source: as in `LabelledReview`; empty where the name of the data set is meant.
        stars: None where labels are labels.
    """

    text: str = "text"
    label: str = "label"
    source: str = ""
    stars: Stars | None = None


def labelled(row: Row, columns: Columns, name: str, place: str) -> LabelledReview | None:
    """Makes a review of a row.

    Args:
        row: values by the names of columns.
        columns: what they are called.
        name: of the data set.
        place: where the row is, for people.

    Returns:
        The review; None if its rating is neither negative nor positive.

    Raises:
        UserError: the row can't be learnt from.
    """
    for column in (columns.text, columns.label):
        if column and column not in row:
            flag = "--text_field" if column == columns.text else "--label_field"
            raise UserError(f"{place}: no column {column}; name the right one with {flag}")
    text = row[columns.text]
    if text is not None and not isinstance(text, str):
        raise UserError(f"{place}: the text is no text; name its column with --text_field")
    if not text or not text.strip():
        raise UserError(f"{place}: empty text; remove the row")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{place}: the text is no valid Unicode; mend it or remove the row"
        ) from None
    label = label_of(row, columns, place)
    if label is None:
        return None
    source = row.get(columns.source) if columns.source else name
    return LabelledReview(text, label, "" if source is None else str(source))


def label_of(row: Row, columns: Columns, place: str) -> int | None:
    """The label of a row, None for a rating that is neither; raises UserError where it is none."""
    if not columns.label:
        return UNLABELLED
    value, stars = row[columns.label], columns.stars
    return parse_rating(value, stars, place) if stars else parse_label(value, place)


def parse_label(value: Any, place: str) -> int:
    """0 or 1 for a label as data sets write it: number, truth value or word.

    Raises:
        UserError: it is none.
    """
    whole = int(value) if isinstance(value, bool | float) and value in (0, 1) else value
    shown = "" if whole is None else str(whole).strip().lower()
    if shown not in LABELS:
        known = ", ".join(LABELS)
        raise UserError(f"{place}: label {shown!r} is none of {known}; for ratings give --stars")
    return LABELS[shown]


def parse_rating(value: Any, stars: Stars, place: str) -> int | None:
    """0 or 1 for a rating; None where it is neither.

    Raises:
        UserError: it is no number.
    """
    try:
        rating = float(value)
    except (TypeError, ValueError):
        rating = math.nan
    if not math.isfinite(rating):
        raise UserError(f"{place}: rating {value!r} is no number; mend it or remove the row")
    if rating <= stars.negative:
        return 0
    return 1 if rating >= stars.positive else None
