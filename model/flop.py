"""How much an encoder computes."""

from __future__ import annotations

from model.settings import EncoderConfig


def encoder_flop(config: EncoderConfig, tokens: int) -> int:
    """Floating point operations of the matrix products that a review goes through in the blocks.

    For each token, a dense layer of a x b weights multiplies and adds a x b times: query, key,
    value and output are of width x width, expand and contract of width x intermediate size.
    Attention weighs every token against every other, and mixes them so: two products of tokens x
    width. What else there is (embeddings, norms, softmax, activations, the head) is little.

    Args:
        config: of the encoder.
        tokens: of the review, padding included.
    """
    width = config.hidden_size
    dense = 4 * width * width + 2 * width * config.intermediate_size
    attention = 2 * tokens * width
    return config.layers * tokens * 2 * (dense + attention)
