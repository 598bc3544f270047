"""What a model card says about a model that was just trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.checkpoint import WEIGHTS
from model.data import SPLIT_SEED, VALIDATION_SHARE, DataSet, PartCounts
from model.fingerprint import file_sha256
from model.metrics import Metrics
from model.options import Options
from model.settings import EncoderConfig

LIBRARIES = ("tensorflow", "tensorflow-text", "tf-keras", "numpy")


def describe(
    options: Options,
    checkpoint: Path,
    encoder: EncoderConfig,
    parameters: int,
    data: Sequence[DataSet],
    counts: PartCounts,
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
        counts: how it was divided.
        losses: mean training loss of each epoch, in nats per review.
        metrics: quality on the validation part.
    """
    training = asdict(options.training)
    return {
        "name": f"{options.preset}-{'-'.join(one.name for one in data)}",
        "labels": ["negative", "positive"],
        "max_length": training.pop("max_length"),
        "truncation": {"head_share": training.pop("head_share")},
        "lower_case": True,
        "threshold": options.threshold,
        "encoder": asdict(encoder),
        "parameters": parameters,
        "initial_word_embeddings": initial_embeddings(checkpoint),
        "data": {
            "sources": [{"name": one.name, "sha256": one.sha256} for one in data],
            "stars": options.columns.stars,
            "split_seed": SPLIT_SEED,
            "validation_share": VALIDATION_SHARE,
            "training_reviews": sum(counts.training),
            "validation_reviews": sum(counts.validation),
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
