"""Encoders written as modules of TF Hub."""

from __future__ import annotations

import tempfile
from pathlib import Path

import tensorflow as tf
import tf_keras

from model.runtime import import_tensorflow


class HubModule(tf.train.Checkpoint):
    """What `hub.KerasLayer` asks of a module that it is to train.

    A `tf.train.Checkpoint` because a SavedModel keeps the lists of its attributes; those of a
    `tf.Module` are properties and get lost.
    """

    def __init__(self, encoder: tf_keras.Model, vocabulary: Path, lower_case: bool) -> None:
        super().__init__()
        self.variables = list(encoder.variables)
        # Not those of the encoder, which has none while it is frozen.
        self.trainable_variables = [weight for weight in self.variables if weight.trainable]
        self.regularization_losses: list[tf.types.experimental.GenericFunction] = []
        self.vocab_file = tf.saved_model.Asset(str(vocabulary))
        self.do_lower_case = tf.Variable(lower_case, trainable=False)
        self.__call__ = _function(encoder)
        inputs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in encoder.input}
        traces = (
            self.__call__.get_concrete_function(inputs, training=one) for one in (True, False)
        )
        # All that they refer to has to be found, such as generators of dropout.
        self.state = [variable for one in traces for variable in one.variables]


def _function(encoder: tf_keras.Model) -> tf.types.experimental.GenericFunction:
    """The encoder as a function.

    It holds the encoder in a closure: as an attribute of the module, Keras would add its own
    training functions and metadata to the export.
    """

    @tf.function
    def call(inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        outputs = encoder(inputs, training=training)
        return {**outputs, "default": outputs["pooled_output"]}

    return call


def export_module(
    encoder: tf_keras.Model, vocabulary: Path, lower_case: bool, directory: Path
) -> None:
    """Writes an encoder as a module of TF Hub, as a whole or not at all.

    `hub.KerasLayer` can train it further, with dropout in training only. Its output `default` is
    `pooled_output`, as in published BERT modules.

    Args:
        encoder: any model with the inputs and outputs of `model.encoder.build_encoder`.
        vocabulary: a word piece per line; the line number is the token id. Becomes `vocab_file`.
        lower_case: whether texts are lower-cased and stripped of accents. Becomes `do_lower_case`.
        directory: absent or empty.

    Raises:
        OSError: it can't be written, or the directory isn't empty.
    """
    import_tensorflow()
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Beside the destination, because renaming works within one file system only.
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as scratch:
        complete = Path(scratch, "module")
        tf.saved_model.save(HubModule(encoder, vocabulary, lower_case), str(complete))
        complete.replace(directory)
