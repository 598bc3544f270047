"""The network that is trained: a BERT encoder with a sentiment head."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from model.encoder import EncoderConfig, build_encoder, set_word_embeddings


def build_classifier(encoder: tf_keras.Model, dropout: float) -> tf_keras.Model:
    """Puts a head on an encoder.

    Args:
        encoder: any model with the inputs and outputs of `model.encoder.build_encoder`.
        dropout: share of the pooled output zeroed in training.

    Returns:
        A model from `input_word_ids`, int32 [batch, length] with 0 as padding, to the probability
        of a positive review, float32 [batch].
    """
    ids = layers.Input([None], dtype=tf.int32, name="input_word_ids")
    pooled = encoder(encoder_inputs(ids))["pooled_output"]
    logits = layers.Dense(1, name="head")(layers.Dropout(dropout)(pooled))
    return tf_keras.Model(ids, tf.sigmoid(logits[:, 0]), name="classifier")


def new_classifier(config: EncoderConfig, embeddings: np.ndarray, dropout: float) -> tf_keras.Model:
    """An untrained classifier that knows which words are alike.

    Args:
        config: of the encoder.
        embeddings: float32 [vocabulary size, hidden size].
        dropout: share of the pooled output zeroed in training.
    """
    encoder = build_encoder(config)
    set_word_embeddings(encoder, embeddings)
    return build_classifier(encoder, dropout)


def compact(classifier: tf_keras.Model, config: EncoderConfig) -> tf_keras.Model:
    """A copy for scoring that keeps its matrices in float16."""
    copy = build_classifier(build_encoder(config.compact()), dropout=0.0)
    copy.set_weights(classifier.get_weights())
    return copy


def encoder_inputs(ids: tf.Tensor) -> dict[str, tf.Tensor]:
    """What an encoder wants to know about single texts: ids, which are padding, all of type 0."""
    return {
        "input_word_ids": ids,
        "input_mask": tf.cast(ids != 0, tf.int32),
        "input_type_ids": tf.zeros_like(ids),
    }
