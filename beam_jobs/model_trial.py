"""The trial that a new model must pass before it scores."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from beam_jobs.model_files import local_model
from beam_jobs.models import LoadedModel, ModelVersion
from model.batches import padded
from model.card import read_card
from model.fingerprint import check_sha256, fingerprint, model_identity
from model.remote import told_of
from model.savedmodel import load
from model.tokenizer import Tokenizer
from schemas.errors import UserError

TOLERANCE = 1e-5
"""Signatures of one model differ by no more than this on the same text."""

TRIAL_TEXTS = (
    "A wonderful film, beautifully acted. I loved every minute of it!",
    "Dull, badly written, a waste of time. The worst thing that I have seen.",
    "The plot is good, the acting is not bad.",
    "Good! UPPER and lower CASE, 1,234.5 numbers (and brackets)",
    "Très naïve, ÜBERMÄSSIG 電影 🎬 <br /><br />",
    "!",
)
"""What a model is tried on, beside a text that is too long for it."""


def tried_model(directory: str, sha256: str = "") -> LoadedModel:
    """Loads a model and tries it.

    Its files must be complete and its signatures those of `model.signatures`. On a few texts,
    `serving_default`, and `token_ids` after the tokenizer that the card describes, must give
    probabilities that agree.

    Args:
        directory: a path, or a URL of one of Beam's file systems.
        sha256: fingerprint that it must have; empty for any.

    Raises:
        UserError: what is wrong with the model, in one line.
        OSError: its files can't be copied from where they are. That is nothing against the model.
    """
    with told_of(directory, path := _fetched(directory)):
        try:
            version = _version(directory, path, sha256)
            loaded = LoadedModel(version, Tokenizer.from_artifact(path), load(path))
            _try(loaded)
        except UserError:
            raise
        except Exception as error:
            raise failure(path, error) from error
    return loaded


def _version(directory: str, path: Path, sha256: str) -> ModelVersion:
    if sha256:
        check_sha256(path, sha256)
    sha256 = sha256 or fingerprint(path)
    card = read_card(path)
    return ModelVersion(directory, model_identity(card.name, sha256), sha256, card.threshold)


def _fetched(directory: str) -> Path:
    try:
        return local_model(directory)
    except UserError as error:
        raise OSError(str(error)) from error


def failure(directory: str | Path, error: Exception) -> UserError:
    """What to say of a model that broke down; TensorFlow has many ways to say it."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return UserError(f"model {directory} fails on trial: {reason}")


def check_probabilities(directory: str, found: ArrayLike, texts: int) -> None:
    """Checks that a model has given a probability for each of so many texts.

    Raises:
        UserError: it hasn't.
    """
    numbers = np.asarray(found)
    if numbers.shape != (texts,) or not np.all((numbers >= 0) & (numbers <= 1)):
        raise UserError(
            f"model {directory} gives something other than probabilities; train it again"
        )


def _try(loaded: LoadedModel) -> None:
    directory = loaded.version.directory
    texts = [*TRIAL_TEXTS, "the good and the bad, " * loaded.tokenizer.max_length]
    tokens = loaded.tokenizer.tokenize(texts)
    from_ids = loaded.network.probabilities(padded(tokens, np.arange(len(texts))))
    from_text = loaded.network.text_probabilities(texts)
    for found in (from_ids, from_text):
        check_probabilities(directory, found, len(texts))
    difference = np.max(np.abs(from_ids - from_text))
    if difference > TOLERANCE:
        raise UserError(
            f"model {directory} gives other probabilities for its token ids than for the text, by "
            f"{difference:.1g}: its vocabulary or card is another model's; export it again"
        )
