"""The BERT encoder, with the interface that BERT modules have on TF Hub.

Architecture: Devlin et al. 2018, https://arxiv.org/abs/1810.04805. Built with `tf_keras` rather
than Keras 3 because the layer through which TF Hub modules are used is a `tf_keras` layer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from model.settings import EncoderConfig

__all__ = ["EncoderConfig", "build_encoder"]

MASKED = -1e9  # added to attention scores; exp() of it is exactly 0 in float32


class Dense(layers.Layer):
    """A dense layer that computes in float32 however its kernel is stored."""

    def __init__(
        self,
        config: EncoderConfig,
        units: int,
        activation: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self._config = config
        self._units = units
        self._activation = activation

    def build(self, shape: tf.TensorShape) -> None:
        self.kernel = add_matrix(self, "kernel", shape[-1], self._units)
        self.bias = self.add_weight(name="bias", shape=[self._units], initializer="zeros")
        super().build(shape)

    def call(self, states: tf.Tensor) -> tf.Tensor:
        product = tf.tensordot(states, tf.cast(self.kernel, tf.float32), axes=1)
        return self._activation(tf.nn.bias_add(product, self.bias))


class Dropout(layers.Layer):
    """Zeroes a share of activations in training: Srivastava et al. 2014.

    Other than that of Keras, its generator is kept with the weights in a backup, so that a training
    that goes on from there draws what it would have drawn.
    """

    def __init__(self, share: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._share = share
        self.generator = tf.random.Generator.from_seed(np.random.randint(2**31))

    def call(self, states: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not training or not self._share:
            return states
        seed = self.generator.make_seeds()[:, 0]
        return tf.nn.experimental.stateless_dropout(states, self._share, seed)


def add_matrix(layer: layers.Layer, name: str, rows: int, columns: int) -> tf.Variable:
    """Gives a layer a matrix of fresh weights: normal, cut at two standard deviations."""
    config = layer._config
    return layer.add_weight(
        name=name,
        shape=[rows, columns],
        dtype=config.storage,
        initializer=tf_keras.initializers.TruncatedNormal(stddev=config.initial_deviation),
        experimental_autocast=False,
    )


class Embeddings(layers.Layer):
    """Sum of word, position and token type embeddings, normalised."""

    def __init__(self, config: EncoderConfig, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._config = config
        self.norm = layers.LayerNormalization(epsilon=config.norm_epsilon, name="norm")
        self.dropout = Dropout(config.dropout)

    def build(self, shape: object) -> None:
        config = self._config
        width = config.hidden_size
        self.words = add_matrix(self, "words", config.vocabulary_size, width)
        self.positions = add_matrix(self, "positions", config.max_positions, width)
        self.types = add_matrix(self, "types", config.token_types, width)
        super().build(shape)

    def call(self, ids: tf.Tensor, types: tf.Tensor) -> tf.Tensor:
        # Gather, then cast: a float16 table is never expanded as a whole.
        rows = (
            tf.gather(self.words, ids),
            self.positions[: tf.shape(ids)[1]],
            tf.gather(self.types, types),
        )
        word, position, kind = (tf.cast(row, tf.float32) for row in rows)
        return self.dropout(self.norm(word + position + kind))


class SelfAttention(layers.Layer):
    """Every token looks at every unmasked token: Vaswani et al. 2017, section 3.2."""

    def __init__(self, config: EncoderConfig, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._heads = config.heads
        self._head_size = config.hidden_size // config.heads
        self.query = Dense(config, config.hidden_size, name="query")
        self.key = Dense(config, config.hidden_size, name="key")
        self.value = Dense(config, config.hidden_size, name="value")
        self.output_projection = Dense(config, config.hidden_size, name="output")
        self.dropout = Dropout(config.attention_dropout)

    def _split(self, states: tf.Tensor) -> tf.Tensor:
        """[batch, length, hidden] to [batch, heads, length, head size]."""
        shape = tf.shape(states)
        parts = tf.reshape(states, [shape[0], shape[1], self._heads, self._head_size])
        return tf.transpose(parts, [0, 2, 1, 3])

    def call(self, states: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        query = self._split(self.query(states)) * self._head_size**-0.5
        scores = tf.matmul(query, self._split(self.key(states)), transpose_b=True) + bias
        weights = self.dropout(tf.nn.softmax(scores))
        mixed = tf.matmul(weights, self._split(self.value(states)))
        joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), tf.shape(states))
        return self.output_projection(joined)


class Block(layers.Layer):
    """Attention and feed-forward network, each added to its input and normalised after."""

    def __init__(self, config: EncoderConfig, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.attention = SelfAttention(config, name="attention")
        self.attention_norm = layers.LayerNormalization(
            epsilon=config.norm_epsilon, name="attention_norm"
        )
        self.expand = Dense(config, config.intermediate_size, tf.nn.gelu, name="expand")
        self.contract = Dense(config, config.hidden_size, name="contract")
        self.norm = layers.LayerNormalization(epsilon=config.norm_epsilon, name="norm")
        self.dropout = Dropout(config.dropout)

    def call(self, states: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        attended = self.dropout(self.attention(states, bias))
        states = self.attention_norm(states + attended)
        transformed = self.dropout(self.contract(self.expand(states)))
        return self.norm(states + transformed)


def build_encoder(config: EncoderConfig) -> tf_keras.Model:
    """A freshly initialised encoder.

    Args:
        config: its sizes.

    Returns:
        A model from a dict of `input_word_ids`, `input_mask` (1 = token, 0 = padding) and
        `input_type_ids`, int32 [batch, length] each, to a dict of `pooled_output`, float32
        [batch, hidden size], and `sequence_output`, float32 [batch, length, hidden size].
    """
    ids, mask, types = inputs = [
        layers.Input([None], dtype=tf.int32, name=name)
        for name in ("input_word_ids", "input_mask", "input_type_ids")
    ]
    present = tf.cast(mask, tf.float32)
    bias = (1.0 - present[:, tf.newaxis, tf.newaxis, :]) * MASKED
    states = Embeddings(config, name="embeddings")(ids, types)
    for index in range(config.layers):
        states = Block(config, name=f"block_{index}")(states, bias)
    pooled = Dense(config, config.hidden_size, tf.tanh, name="pooler")(
        pool(config, states, present)
    )
    outputs = {"pooled_output": pooled, "sequence_output": states}
    return tf_keras.Model({tensor.name: tensor for tensor in inputs}, outputs, name="encoder")


def set_word_embeddings(encoder: tf_keras.Model, table: np.ndarray) -> None:
    """Replaces the word embeddings of `build_encoder` by float32 [vocabulary size, hidden size]."""
    encoder.get_layer("embeddings").words.assign(table)


def pool(config: EncoderConfig, states: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """One vector per review, [batch, hidden size], from `states` [batch, length, hidden size]."""
    if config.pooling == "first":
        return states[:, 0]
    weights = present[:, :, tf.newaxis]
    return tf.reduce_sum(states * weights, axis=1) / tf.reduce_sum(weights, axis=1)
