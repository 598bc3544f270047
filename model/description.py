"""What a model card says about a model that was just trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, NamedTuple

from model.data import SPLIT_SEED, TUNING_SHARE, VALIDATION_SHARE, DataSet
from model.materials import Materials
from model.metrics import Metrics
from model.options import Options
from model.training_state import Position

LIBRARIES = ("tensorflow", "tensorflow-text", "tensorflow-hub", "tf-keras", "numpy")


class Facts(NamedTuple):
    """What is known of a model once it is trained.

    Attributes:
        parameters: number of weights of the whole network.
        course: the losses of its training.
        temperature: see `model.calibration`.
        metrics: quality on the validation part.
    """

    parameters: int
    course: Position
    temperature: float
    metrics: Metrics


def describe(options: Options, materials: Materials, facts: Facts) -> dict[str, Any]:
    """The model card, ready for JSON.

    Args:
        options: what the user asked for.
        materials: what the model was made from.
        facts: what came of it.
    """
    training = asdict(options.training)
    length = training.pop("max_length")
    config = materials.encoder.config(length)
    return {
        "name": f"{options.preset}-{'-'.join(one.name for one in materials.data)}",
        "labels": ["negative", "positive"],
        "max_length": options.training.longest,
        "truncation": {
            "long_reviews": training.pop("long_reviews"),
            "head_share": options.training.head_share,
            "window": options.training.window,
        },
        "lower_case": materials.encoder.lower_case,
        "threshold": options.threshold,
        "encoder": asdict(config.compact()) if config else {},
        "encoder_origin": materials.encoder.origin,
        "parameters": facts.parameters,
        "temperature": facts.temperature,
        "data": described_data(options, materials),
        "teacher": materials.teacher.identity if materials.teacher else None,
        "training": {
            **training,
            "loss_per_epoch": rounded(facts.course.losses),
            "tuning_loss_per_epoch": rounded(facts.course.tuning_losses),
            "best_epoch": facts.course.best_epoch + 1,
        },
        "metrics": facts.metrics._asdict(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def described_data(options: Options, materials: Materials) -> Mapping[str, Any]:
    """What was learnt from, and how it was divided."""
    counts = materials.counts
    return {
        "sources": named(materials.data),
        "stars": options.columns.stars,
        "split_seed": SPLIT_SEED,
        "validation_share": VALIDATION_SHARE,
        "tuning_share": TUNING_SHARE,
        "training_reviews": sum(counts.training),
        "tuning_reviews": sum(counts.tuning),
        "validation_reviews": sum(counts.validation),
        "unlabelled_sources": named(materials.unlabelled),
        "unlabelled_reviews": materials.unlabelled_count,
    }


def named(data: Sequence[DataSet]) -> list[dict[str, str]]:
    """Data sets by name and hash, since paths differ between machines."""
    return [{"name": one.name, "sha256": one.sha256} for one in data]


def rounded(losses: Sequence[float]) -> list[float]:
    """To as many digits as mean something."""
    return [round(loss, 4) for loss in losses]
