"""The network in plain NumPy, written from the papers, to compare TensorFlow's with."""

from collections.abc import Mapping

import numpy as np
from scipy.special import erf, expit, softmax

Weights = Mapping[str, np.ndarray]


def probabilities(weights: Weights, ids: np.ndarray, layers: int, heads: int) -> np.ndarray:
    """Probability of positive, float64 [n].

    Args:
      weights: by name, without the ":0" that TensorFlow puts behind it.
      ids: int [n, length], 0 is padding.
      layers: number of encoder layers.
      heads: attention heads per layer.
    """
    return np.array([probability(weights, row[row != 0], layers, heads) for row in ids])


def probability(weights: Weights, ids: np.ndarray, layers: int, heads: int) -> float:
    """The same for one review without padding."""
    states = weights["embeddings/words"][ids] + weights["embeddings/positions"][: len(ids)]
    states = norm(states + weights["embeddings/types"][0], weights, "embeddings/norm")
    for layer in range(layers):
        states = block(states, weights, f"block_{layer}", heads)
    pooled = np.tanh(dense(states.mean(axis=0), weights, "pooler"))
    return float(expit(dense(pooled, weights, "head"))[0])


def block(states: np.ndarray, weights: Weights, name: str, heads: int) -> np.ndarray:
    """One encoder layer, [length, width] to the same."""
    attended = attention(states, weights, f"{name}/attention", heads)
    states = norm(states + attended, weights, f"{name}/attention_norm")
    wide = dense(states, weights, f"{name}/expand")
    wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
    return norm(states + dense(wide, weights, f"{name}/contract"), weights, f"{name}/norm")


def attention(states: np.ndarray, weights: Weights, name: str, heads: int) -> np.ndarray:
    """Head by head, [length, width] to the same."""
    query, key, value = (
        np.split(dense(states, weights, f"{name}/{part}"), heads, axis=1)
        for part in ("query", "key", "value")
    )
    mixed = [
        softmax(q @ k.T / np.sqrt(q.shape[1]), axis=1) @ v
        for q, k, v in zip(query, key, value, strict=True)
    ]
    return dense(np.concatenate(mixed, axis=1), weights, f"{name}/output")


def dense(states: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """An affine map of the last axis."""
    return states @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def norm(states: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Layer normalisation: Ba et al. 2016, https://arxiv.org/abs/1607.06450."""
    centred = states - states.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    return scaled * weights[f"{name}/gamma"] + weights[f"{name}/beta"]
