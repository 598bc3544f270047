"""Long reviews as overlapping windows, so that every word counts.

Pappagari et al. 2019, https://arxiv.org/abs/1910.10781: BERT reads each window by itself, and what
it says of them is combined; here the logits are averaged.
"""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from model.tokenizer import SPECIAL_PLACES


def windows_of(ids: tf.Tensor, length: int) -> tf.RaggedTensor:
    """Cuts rows of token ids into windows, of which each overlaps the next by at least a quarter.

    Args:
        ids: int32 [n, longest], each row [CLS], word pieces, [SEP], padded with 0.
        length: most tokens of a window, [CLS] and [SEP] included; at least 3.

    Returns:
        int32 ragged [n, (windows), (tokens)], [CLS] and [SEP] around each: a row that fits is its
        own only window; of others the last window ends with the row.
    """
    places = length - SPECIAL_PLACES
    stride = max(1, places * 3 // 4)
    pieces = tf.math.count_nonzero(ids, axis=1, dtype=tf.int32) - SPECIAL_PLACES
    last = tf.maximum(pieces - places, 0)  # where the last window begins
    counts = 1 - (-last // stride)
    row = tf.repeat(tf.range(tf.shape(ids)[0]), counts)
    first = tf.minimum(tf.ragged.range(counts).values * stride, tf.gather(last, row))
    end = tf.gather(pieces, row)
    words = tf.ragged.range(first, first + tf.minimum(end, places)) + 1
    columns = tf.concat([tf.zeros_like(row)[:, None], words, end[:, None] + 1], axis=1)
    owner = tf.gather(row, columns.value_rowids())
    windows = columns.with_values(tf.gather_nd(ids, tf.stack([owner, columns.values], axis=1)))
    return tf.RaggedTensor.from_row_lengths(windows, tf.cast(counts, windows.row_splits.dtype))


class OverWindows(tf_keras.layers.Layer):
    """A classifier of reviews of any length, made of one that reads a window.

    From token ids, int32 [batch, longest], to the mean logit of each row's windows, float32
    [batch].
    """

    def __init__(self, classifier: tf_keras.Model, length: int) -> None:
        """
        Args:
            classifier: see `model.classifier.build_classifier`.
            length: as for `windows_of`.
        """
        super().__init__()
        self._classifier = classifier
        self._length = length

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        windows = windows_of(ids, self._length)
        logits = windows.with_values(self._classifier(windows.values.to_tensor()))
        # Sums of segments have no deterministic form on GPUs.
        return tf.reduce_sum(logits.to_tensor(), axis=1) / tf.cast(logits.row_lengths(), tf.float32)


def reader(classifier: tf_keras.Model, window: int | None) -> tf_keras.Model:
    """What reads whole reviews: the classifier itself, or over windows of them.

    Args:
        classifier: see `model.classifier.build_classifier`.
        window: most tokens of a window; None where the classifier reads all that it is given.
    """
    if window is None:
        return classifier
    return tf_keras.Model(classifier.input, OverWindows(classifier, window)(classifier.input))
