"""The trial of a run's model before anything runs, whatever the engine and the runner."""

from beam_jobs.job import Model
from beam_jobs.model_trial import TRIAL_TEXTS, check_probabilities, failure, tried_model
from beam_jobs.models import MODELS
from beam_jobs.tfx_engine import TfxHandler
from model.tfx import StringSignature, string_input
from schemas.errors import UserError

_PASSED: set[str] = set()
"""Fingerprints of models that need no second trial in this process."""


def check_model(model: Model) -> None:
    """Tries a model, see `tried_model`; a process tries it once.

    For models of others it must give a probability for each of a few texts.

    Raises:
        UserError: it fails, or can't be had.
    """
    try:
        if model.tfx_signature is not None:
            _try_signature(model, model.tfx_signature)
        elif model.sha256 not in _PASSED:
            MODELS.keep(tried_model(model.directory, model.sha256))
            _PASSED.add(model.sha256)
    except OSError as error:
        raise UserError(f"--model {model.directory} can't be read: {error}") from error


def _try_signature(model: Model, signature: StringSignature) -> None:
    handler = TfxHandler(model.version, signature, model.precision)
    examples = [string_input(text, signature.example_feature) for text in TRIAL_TEXTS]
    loaded = handler.load_model()
    try:
        found = handler.network(examples, loaded)(examples)
    except Exception as error:
        raise failure(model.directory, error) from error
    check_probabilities(model.directory, found, len(examples))
