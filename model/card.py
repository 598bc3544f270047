"""The model card, and what an exported model directory must hold. Needs no TensorFlow.

saved_model.pb, variables/         the network
assets/vocab.txt                   the word pieces
assets.extra/model_card.json       how to prepare text, and where the model comes from
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.fingerprint import check_there, file_sha256
from schemas.errors import UserError
from schemas.score import DEFAULT_THRESHOLD

NETWORK_FILES = ("saved_model.pb", "variables/variables.index")
WEIGHTS_PATTERN = "variables/variables.data-*"
VOCABULARY = "assets/vocab.txt"
CARD = "assets.extra/model_card.json"

BUNDLED_MODEL = "package://model/pretrained"
"""URL of the small model that comes with this package: another path on every machine."""


@dataclass(frozen=True)
class ModelCard:
    """What has to be known to score with a model."""

    name: str
    labels: tuple[str, str]
    """names of the two classes; the second is the one whose probability the model gives"""
    max_length: int
    """most tokens of a review, [CLS] and [SEP] included"""
    head_share: float
    """0..1, the share of a long review's tokens taken from its beginning; the rest from its end"""
    lower_case: bool
    threshold: float
    """above 0 and below 1, the least probability labelled positive; 0.5 in the cards of earlier
    releases, which don't name it"""
    vocabulary_sha256: str
    """of the word pieces; empty in the cards of earlier releases"""
    raw: Mapping[str, Any]
    """the whole card, as it is in the file"""


def default_model_directory() -> Path:
    """The small model that comes with this package."""
    return Path(__file__).with_name("pretrained")


def vocabulary_path(directory: Path | str) -> Path:
    """Where an exported model keeps its word pieces, one per line."""
    return Path(directory, VOCABULARY)


def read_card(directory: Path | str) -> ModelCard:
    """Reads the card of an exported model and checks that the model is complete.

    Args:
        directory: an exported model on local disk.

    Raises:
        UserError: the directory doesn't exist, isn't a SavedModel, wasn't exported by
            train-sentiment, lacks a part, or has the vocabulary of another model.
    """
    check_complete(Path(directory))
    path = Path(directory, CARD)
    try:
        card = parse_card(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"broken model card {path}: {reason}; export the model again") from None
    _check_vocabulary(Path(directory), card.vocabulary_sha256)
    return card


def threshold_of(directory: Path | str) -> float:
    """The least probability that is labelled positive.

    Args:
        directory: any SavedModel on local disk.

    Returns:
        What its card says; `DEFAULT_THRESHOLD` for models of others, which have no card.

    Raises:
        UserError: it has a card, and `read_card` refuses that.
    """
    return read_card(directory).threshold if Path(directory, CARD).is_file() else DEFAULT_THRESHOLD


def _check_vocabulary(directory: Path, sha256: str) -> None:
    if sha256 and file_sha256(directory / VOCABULARY) != sha256:
        raise UserError(
            f"model {directory}: {VOCABULARY} is not the one that its card tells of; copy the "
            "model again"
        )


def check_complete(directory: Path) -> None:
    """Checks that every file of an exported model is there.

    Raises:
        UserError: names the first one that isn't.
    """
    check_there(directory)
    if not (directory / NETWORK_FILES[0]).is_file():
        raise UserError(f"{directory} isn't a SavedModel: it has no {NETWORK_FILES[0]}")
    if not (directory / CARD).is_file():
        raise UserError(f"{directory} has no {CARD}: only models made by train-sentiment will do")
    for name in (*NETWORK_FILES, VOCABULARY):
        if not (directory / name).is_file():
            raise UserError(f"model {directory} is incomplete: no {name}; copy it again")
    if not any(directory.glob(WEIGHTS_PATTERN)):
        raise UserError(f"model {directory} is incomplete: no {WEIGHTS_PATTERN}; copy it again")


def parse_card(raw: Any) -> ModelCard:
    """A card from its JSON form.

    Raises:
        KeyError, TypeError, ValueError: something needed is absent or has an impossible value.
    """
    card = ModelCard(
        name=raw["name"],
        labels=tuple(raw["labels"]),
        max_length=raw["max_length"],
        head_share=raw["truncation"]["head_share"],
        lower_case=raw["lower_case"],
        threshold=raw.get("threshold", DEFAULT_THRESHOLD),
        vocabulary_sha256=raw.get("vocabulary_sha256", ""),
        raw=raw,
    )
    valid = {
        "name": _is_name(card.name),
        "labels": len(card.labels) == 2 and all(isinstance(name, str) for name in card.labels),
        "max_length": type(card.max_length) is int and 3 <= card.max_length <= 100_000,
        "head_share": isinstance(card.head_share, int | float) and 0 <= card.head_share <= 1,
        "lower_case": isinstance(card.lower_case, bool),
        "threshold": isinstance(card.threshold, float) and 0 < card.threshold < 1,
        "vocabulary_sha256": isinstance(card.vocabulary_sha256, str),
    }
    for name, good in valid.items():
        if not good:
            raise ValueError(f"{name} can't be {reprlib.repr(getattr(card, name))}")
    return card


def _is_name(name: Any) -> bool:
    """Whether it fits into each row, and into a line."""
    return isinstance(name, str) and name.isprintable() and 1 <= len(name) <= 256


def write_card(directory: Path, raw: Mapping[str, Any]) -> None:
    """Writes a card into a model directory that is being made and has its vocabulary already.

    Args:
        directory: of the model.
        raw: the card; which vocabulary it goes with is added.
    """
    path = directory / CARD
    path.parent.mkdir(exist_ok=True)
    card = {**raw, "vocabulary_sha256": file_sha256(directory / VOCABULARY)}
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
