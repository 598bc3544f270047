"""The three signatures of an exported model."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from model.tokenizer import Tokenizer

TEXT_FEATURE = "text"


class Serving(tf.Module):
    """What is written to disk: weights, tokenizer, and functions from reviews to probabilities.

    Functions hold the classifier in closures. As an attribute, Keras would add its own training
    functions and metadata to the export.
    """

    def __init__(self, classifier: tf_keras.Model, tokenizer: Tokenizer) -> None:
        """
        Args:
            classifier: from token ids, int32 [n, length], to probabilities, float32 [n].
            tokenizer: cuts text as in training; its vocabulary becomes part of the export.
        """
        super().__init__()
        self.vocabulary = tf.saved_model.Asset(str(tokenizer.vocabulary))
        self.weights = list(classifier.variables)
        self.functions = signatures(classifier, tokenizer)


def signatures(
    classifier: tf_keras.Model, tokenizer: Tokenizer
) -> dict[str, tf.types.experimental.ConcreteFunction]:
    """Functions from text, from token ids and from serialized examples, by signature name."""

    # Traced once; the other two call it, so that the file holds the network only once.
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, "input_word_ids")])
    def from_ids(input_word_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"positive_probability": classifier(input_word_ids, training=False)}

    def from_text(text: tf.Tensor) -> dict[str, tf.Tensor]:
        ids, counts = tokenizer.encode(text)
        return {
            **from_ids(ids.to_tensor()),
            "token_count": counts,
            "truncated": tokenizer.truncates(counts),
        }

    def from_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        feature = tf.io.FixedLenFeature([], tf.string)
        return from_text(tf.io.parse_example(examples, {TEXT_FEATURE: feature})[TEXT_FEATURE])

    return {
        "serving_default": tf.function(from_text).get_concrete_function(strings("text")),
        "token_ids": from_ids.get_concrete_function(),
        "examples": tf.function(from_examples).get_concrete_function(strings("examples")),
    }


def strings(name: str) -> tf.TensorSpec:
    """Any number of strings."""
    return tf.TensorSpec([None], tf.string, name)
