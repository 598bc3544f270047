"""The network that is trained: a BERT encoder with a sentiment head."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tf_keras import layers

from model.encoder import Dropout, EncoderConfig, build_encoder


def build_classifier(
    encoder: tf_keras.Model, dropout: float, freeze_encoder: bool = False
) -> tf_keras.Model:
    """Puts a head on an encoder.

    Args:
        encoder: any model with the inputs and outputs of `model.encoder.build_encoder`.
        dropout: share of the pooled output zeroed in training.
        freeze_encoder: whether the encoder stays as it is, and works in training as in scoring.

    Returns:
        A model from `input_word_ids`, int32 [batch, length] with 0 as padding, to the logit of the
        probability of a positive review, float32 [batch].
    """
    ids = layers.Input([None], dtype=tf.int32, name="input_word_ids")
    encoder.trainable = not freeze_encoder
    training = False if freeze_encoder else None
    pooled = encoder(encoder_inputs(ids), training=training)["pooled_output"]
    logits = layers.Dense(1, name="head")(Dropout(dropout)(pooled))
    return tf_keras.Model(ids, logits[:, 0], name="classifier")


def compact(classifier: tf_keras.Model, config: EncoderConfig) -> tf_keras.Model:
    """A copy for scoring that keeps its matrices in float16."""
    copy = build_classifier(build_encoder(config.compact()), dropout=0.0)
    copy.set_weights(classifier.get_weights())
    return copy


def probabilities_of(classifier: tf_keras.Model, temperature: float = 1.0) -> tf_keras.Model:
    """What is exported: the same network, to probabilities instead of logits.

    Args:
        classifier: see `build_classifier`.
        temperature: logits are divided by it, see `model.calibration`.

    Returns:
        A model from token ids, int32 [batch, length], to probabilities, float32 [batch].
    """
    return tf_keras.Model(classifier.input, tf.sigmoid(classifier.output / temperature))


def encoder_inputs(ids: tf.Tensor) -> dict[str, tf.Tensor]:
    """What an encoder wants to know about single texts: ids, which are padding, all of type 0."""
    return {
        "input_word_ids": ids,
        "input_mask": tf.cast(ids != 0, tf.int32),
        "input_type_ids": tf.zeros_like(ids),
    }
