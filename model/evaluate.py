"""Command line `evaluate-sentiment`: how good a model is on labelled reviews.

    python -m model.evaluate --data my_reviews.csv --output my_evaluation

Prints a table, and writes it with plots and the worst mistakes. TensorFlow is imported once the
command line is known to be good.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model.card import default_model_directory, read_card
from model.command_line import Arguments, known_options, number, parser_of
from model.data import Reviews, all_at_hand
from model.data_options import DATA_ARGUMENTS, columns_of
from model.fingerprint import fingerprint, model_identity
from model.inputs import directory_at_hand
from model.labelled_reviews import Columns
from model.runtime import import_tensorflow
from schemas.errors import UserError

if TYPE_CHECKING:
    from model.evaluation import Evaluation

NUMBERS, PAGE = "evaluation.json", "evaluation.html"

ARGUMENTS: Arguments = {
    "model": {
        "metavar": "DIR",
        "help": "directory or gs:// URL of a model made by train-sentiment (default: the bundled "
        "one)",
    },
    "output": {
        "required": True,
        "metavar": "DIR",
        "help": f"directory for {PAGE} and {NUMBERS}; what they held before is replaced",
    },
    **DATA_ARGUMENTS,
    "source_field": {
        "default": "",
        "metavar": "NAME",
        "help": "column that tells where a review comes from; each such source is measured apart "
        "(default: the name of the file)",
    },
    "held_out": {
        "action": "store_true",
        "help": "only reviews that train-sentiment doesn't learn from when it is given this data",
    },
    "mistakes": {
        "type": number(int, 0, 10_000),
        "default": 20,
        "help": "how many of the worst mistakes are shown (default: %(default)s)",
    },
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments; those of the process when None.

    Returns:
        The exit code: 0, or 2 when the user has to mend something.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # see `model.train.main`
    arguments = sys.argv[1:] if argv is None else argv
    try:
        about = "Measures a sentiment classifier on labelled reviews."
        given = known_options(parser_of("evaluate-sentiment", about, ARGUMENTS), arguments)
        evaluate(given, columns_of(given, given.source_field))
    except (UserError, OSError) as error:
        print(f"evaluate-sentiment: error: {error}", file=sys.stderr)
        return 2
    return 0


def evaluate(given: argparse.Namespace, columns: Columns) -> None:
    """Measures one model.

    Raises:
        UserError: model, data or output can't be used.
    """
    from model.evaluation_page import check_matplotlib, page, table

    check_matplotlib()
    output = _folder(Path(given.output))
    source = given.model or str(default_model_directory())
    with all_at_hand(given.data, columns) as data, directory_at_hand(source) as model:
        card = read_card(model)
        facts = {
            "model": model_identity(card.name, fingerprint(model)),
            "data": [{"name": one.name, "sha256": one.sha256} for one in data],
            "held_out": given.held_out,
        }
        reviews = Reviews(data, "validation" if given.held_out else "")
        found = _evaluated(model, reviews, given.mistakes, card.threshold)
    (output / PAGE).write_text(page(found, facts), "utf-8")
    (output / NUMBERS).write_text(json.dumps({**facts, **found.numbers()}, indent=2), "utf-8")
    print(f"{table(found)}\n\nplots and mistakes: {output / PAGE}")


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output {path} can't be made: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise UserError(f"--output {path} may not be written: choose another")
    return path


def _evaluated(model: Path, reviews: Reviews, mistakes: int, threshold: float) -> Evaluation:
    if next(iter(reviews), None) is None:
        raise UserError("--data holds no review to measure the model on: give more")
    import_tensorflow()
    from model.evaluation import evaluated
    from model.savedmodel import load
    from model.tokenized import tokenize_reviews
    from model.tokenizer import Tokenizer

    tokenized = tokenize_reviews(reviews, Tokenizer.from_artifact(model))
    return evaluated(load(model).probabilities, tokenized, reviews, mistakes, threshold)


if __name__ == "__main__":
    sys.exit(main())
