"""Any SavedModel with one string input, as TFX pipelines export them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.card import CARD
from model.runtime import import_tensorflow
from schemas.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class StringSignature:
    """How to call a SavedModel that takes one string.

    Attributes:
        name: of the signature.
        example_feature: bytes feature of the tf.train.Example that holds the review; empty where
            the model takes the text itself.
        output: name of the output that holds the probability of positive.
        index: which number of a row of that output; -1 is the last.
    """

    name: str
    example_feature: str
    output: str
    index: int


def string_signature(
    directory: str, signature: str, example_feature: str, positive_output: str
) -> StringSignature:
    """Settles how to call a model, from what the user said and from the model itself.

    Args:
        directory: the SavedModel.
        signature: its signature; empty for the default.
        example_feature: see `StringSignature`.
        positive_output: `NAME` or `NAME:INDEX`; empty where the model has one output only.

    Raises:
        UserError: no SavedModel is there, it hasn't the signature or the output, or its signature
            takes something other than one string, or the output holds no floating-point numbers.
    """
    if Path(directory, CARD).is_file() and not signature:
        return StringSignature("examples", "text", "positive_probability", -1)
    name = signature or "serving_default"
    outputs = _outputs(directory, name)
    output, colon, index = positive_output.partition(":")
    names = ", ".join(sorted(outputs))
    if not output and len(outputs) > 1:
        raise UserError(
            f"signature {name} of {directory} has the outputs {names}: "
            "name the one that holds the probability with --positive_output"
        )
    if output and output not in outputs:
        raise UserError(
            f"--positive_output {output}: signature {name} of {directory} has the outputs {names}"
        )
    if colon and not index.lstrip("-").isdigit():
        raise UserError(f"--positive_output {positive_output}: the index must be a whole number")
    output = output or next(iter(outputs))
    if not outputs[output].is_floating:
        raise UserError(
            f"output {output} of signature {name} of {directory} is {outputs[output].name}, which "
            "is no probability: name another with --positive_output"
        )
    return StringSignature(name, example_feature, output, int(index or -1))


def _outputs(directory: str, name: str) -> dict[str, tf.DType]:
    import_tensorflow()
    import tensorflow as tf
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    try:
        saved_model = parse_saved_model(directory)
    except OSError as error:
        raise UserError(f"--model {directory} is not a SavedModel: {error}") from None
    signatures = saved_model.meta_graphs[0].signature_def
    if name not in signatures:
        names = ", ".join(sorted(key for key in signatures if not key.startswith("__")))
        raise UserError(f"{directory} has no signature {name}: it has {names}; see --signature")
    inputs = list(signatures[name].inputs.values())
    if len(inputs) != 1 or inputs[0].dtype != tf.string.as_datatype_enum:
        raise UserError(
            f"signature {name} of {directory} takes something other than one string: "
            "name another with --signature"
        )
    return {key: tf.as_dtype(spec.dtype) for key, spec in signatures[name].outputs.items()}


def string_input(text: str, feature: str) -> bytes:
    """What a signature with one string input takes: the text, or an Example that holds it.

    Args:
        text: of a review.
        feature: the feature that holds the text; empty for the text itself.
    """
    return serialize_example(text, feature) if feature else text.encode("utf-8")


def serialize_example(text: str, feature: str) -> bytes:
    """A tf.train.Example whose one feature holds the text."""
    import tensorflow as tf

    value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode("utf-8")]))
    return tf.train.Example(
        features=tf.train.Features(feature={feature: value})
    ).SerializeToString()


def probability(prediction: Any, output: str, index: int) -> float:
    """The probability of positive in a `PredictionLog`.

    Raises:
        KeyError, IndexError: the prediction has no such output, or no such number in it.
    """
    import tensorflow as tf

    outputs = prediction.predict_log.response.outputs
    if output not in outputs:
        raise KeyError(output)
    return float(tf.make_ndarray(outputs[output]).reshape(-1)[index])
