"""Modules of TF Hub as others make them: good ones, and ones with something wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tf_keras

from model.hub_encoder import HubEncoder
from schemas.errors import UserError

Tensors = dict[str, tf.Tensor]

NAMES = ("input_word_ids", "input_mask", "input_type_ids")
IDS = {name: tf.TensorSpec([None, None], tf.int32, name) for name in NAMES}


def save_as_published(encoder: tf_keras.Model, vocabulary: Path, directory: Path) -> None:
    """Writes a module through Keras, as those on TF Hub were, with the outputs that they have."""
    inputs = {
        name: tf_keras.layers.Input([None], dtype=tf.int32, name=name) for name in encoder.input
    }
    outputs = encoder(inputs)
    states = outputs["sequence_output"]
    more = {"default": outputs["pooled_output"], "encoder_outputs": [states, states]}
    module = tf_keras.Model(inputs, {**outputs, **more})
    module.vocab_file = tf.saved_model.Asset(str(vocabulary))
    module.do_lower_case = tf.Variable(True, trainable=False)
    module.save(directory, include_optimizer=False, save_format="tf")


class Odd:
    """A module to put something wrong into: one matrix of word embeddings, averaged."""

    def __init__(self, vocabulary: Path, rows: int = 18, name: str = "word_embeddings") -> None:
        self.table = tf.Variable(tf.random.stateless_normal([rows, 4], [1, 2]), name=name)
        self.attributes: dict[str, Any] = {
            "variables": [self.table],
            "trainable_variables": [self.table],
            "regularization_losses": [],
            "vocab_file": tf.saved_model.Asset(str(vocabulary)),
            "do_lower_case": tf.Variable(True, trainable=False),
        }

    def outputs(self, ids: tf.Tensor) -> Tensors:
        states = tf.gather(self.table, ids)
        return {"pooled_output": tf.reduce_mean(states, axis=1), "sequence_output": states}

    def call(self, inputs: Tensors, training: bool = False) -> Tensors:
        return self.outputs(inputs["input_word_ids"])

    def save(
        self,
        directory: Path,
        call: Callable[..., object] | None = None,
        takes: object = IDS,
        modes: tuple[bool, ...] = (True, False),
    ) -> Path:
        """Writes it.

        Args:
            directory: where to.
            call: another function than its own, of inputs and `training`.
            takes: what that function is traced with.
            modes: of `training` that it is traced with.
        """
        module = tf.train.Checkpoint()
        for name, value in self.attributes.items():
            setattr(module, name, value)
        function = tf.function(call or self.call)
        for training in modes:
            function.get_concrete_function(takes, training=training)
        setattr(module, "__call__", function)  # noqa: B010  (Python looks for it in the class)
        tf.saved_model.save(module, str(directory))
        return directory


def refusal(directory: Path) -> str:
    """What is said of a module that can't be used."""
    with pytest.raises(UserError) as caught:
        HubEncoder(directory)
    message = str(caught.value)
    assert str(directory) in message
    assert ";" in message
    return message
