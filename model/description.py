"""What a model card says about a model that was just trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.checkpoint import WEIGHTS
from model.data import SPLIT_SEED, VALIDATION_SHARE, DataSet, Split
from model.evaluate import Metrics
from model.fingerprint import file_sha256
from model.options import Options
from model.settings import EncoderConfig

LIBRARIES = ("tensorflow", "tensorflow-text", "tf-keras", "numpy")


def describe(
    options: Options,
    checkpoint: Path,
    encoder: EncoderConfig,
    parameters: int,
    data: DataSet,
    parts: Split,
    losses: Sequence[float],
    metrics: Metrics,
) -> dict[str, Any]:
    """The model card, ready for JSON.

    Args:
        options: what the user asked for.
        checkpoint: what the word embeddings came from, on local disk.
        encoder: sizes of the encoder that came of it.
        parameters: number of weights of the whole network.
        data: what was learnt from.
        parts: how it was divided.
        losses: mean training loss of each epoch, in nats per review.
        metrics: quality on the validation part.
    """
    training = asdict(options.training)
    return {
        "name": f"{options.preset}-{data.name}",
        "labels": ["negative", "positive"],
        "max_length": training.pop("max_length"),
        "truncation": {"head_share": training.pop("head_share")},
        "lower_case": True,
        "encoder": asdict(encoder),
        "parameters": parameters,
        "initial_word_embeddings": initial_embeddings(checkpoint),
        "data": {
            "name": data.name,
            "sha256": data.sha256,
            "split_seed": SPLIT_SEED,
            "validation_share": VALIDATION_SHARE,
            "training_reviews": len(parts.training),
            "validation_reviews": len(parts.validation),
        },
        "training": {**training, "loss_per_epoch": [round(loss, 4) for loss in losses]},
        "metrics": metrics._asdict(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def initial_embeddings(checkpoint: Path) -> dict[str, str]:
    """Where the word embeddings came from; its hash, since directories differ between machines."""
    return {
        "method": "principal components",
        "checkpoint_sha256": file_sha256(checkpoint / WEIGHTS),
    }
