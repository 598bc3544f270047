"""What a loaded model offers, checked before it is called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError

IDS_SIGNATURE = "token_ids"
TEXT_SIGNATURE = "serving_default"
OUTPUT = "positive_probability"


def ids_signature(network: Any, directory: Path) -> Any:
    """The function from token ids to probabilities.

    Raises:
        UserError: there is none, or it has other inputs or outputs.
    """
    import tensorflow as tf

    return _signature(
        network, directory, IDS_SIGNATURE, ("input_word_ids", tf.int32, 2), "int32 [n, length]"
    )


def text_signature(network: Any, directory: Path) -> Any:
    """The function from raw text to probabilities.

    Raises:
        UserError: there is none, or it has other inputs or outputs.
    """
    import tensorflow as tf

    return _signature(network, directory, TEXT_SIGNATURE, ("text", tf.string, 1), "string [n]")


def _signature(
    network: Any, directory: Path, name: str, takes: tuple[str, Any, int], shape: str
) -> Any:
    """A function of a network, checked to take one input of this name, type and rank.

    Its output `positive_probability` must be a number for each review.
    """
    import tensorflow as tf

    if name not in network.signatures:
        raise UserError(
            f"model {directory} has no signature {name}; export it with train-sentiment"
        )
    signature = network.signatures[name]
    inputs = _described(signature.structured_input_signature[1])
    outputs = _described(signature.structured_outputs)
    if inputs != {takes} or (OUTPUT, tf.float32, 1) not in outputs:
        raise UserError(
            f"signature {name} of model {directory} must turn {takes[0]}, {shape}, into "
            f"{OUTPUT}, float32 [n]; export it with train-sentiment"
        )
    return signature


def _described(tensors: Mapping[str, Any]) -> set[tuple[str, Any, int]]:
    """Name, type and rank of each input or output of a signature."""
    return {(key, spec.dtype, spec.shape.rank) for key, spec in tensors.items()}
