"""How many tokens a worker computes in a second."""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from beam_jobs.dataflow.accelerators import Accelerator
from beam_jobs.encoding import (
    REVIEWS_TOKENIZED_TOGETHER,
    Encoding,
    serialize,
    token_length,
    tokenize,
)
from beam_jobs.handler import Example
from beam_jobs.job import Model
from beam_jobs.models import MODELS
from model.batches import cut_batches, pad
from model.runtime import prepare_devices
from schemas.review import Review

TIMED_REVIEWS = 512
TIMED_SECONDS = 5.0
"""A measurement ends after so many reviews, or so much time."""


class Rate(NamedTuple):
    """What a worker computes.

    Attributes:
        tokens_per_second: None where nobody knows.
        source: where that comes from, or could come from.
    """

    tokens_per_second: float | None
    source: str


def rate_of(
    model: Model, reviews: Sequence[Review], given: float | None, accelerator: Accelerator
) -> Rate:
    """What a worker computes: as given, or else as measured here, if that says anything.

    Args:
        model: what computes.
        reviews: to measure with.
        given: tokens per second, if the user knows them.
        accelerator: of a worker.
    """
    if given is not None:
        return Rate(given, "as given")
    if accelerator.count:
        return Rate(None, f"benchmarks/gpu.py measures it on a machine with a {accelerator.type}")
    if model.tfx_signature is not None or not reviews:
        return Rate(None, "it can't be measured here")
    cores = f"{os.cpu_count()} cores"
    return Rate(measured_rate(model, reviews), f"measured here, on a machine with {cores}")


def measured_rate(model: Model, reviews: Sequence[Review]) -> float:
    """Tokens that this machine tokenizes and computes in a second.

    Args:
        model: what computes; an artifact of `model.savedmodel`.
        reviews: at least one.
    """
    prepare_devices(model.precision)
    network = MODELS.network(model.version)
    started = time.perf_counter()
    batches = list(cut_batches(encodings(reviews, model), token_length, model.max_batch_tokens))
    tokenizing_seconds = time.perf_counter() - started
    network.probabilities(padded(batches[0]))  # the first call is slow
    started, computed = time.perf_counter(), 0
    for batch in batches:
        network.probabilities(padded(batch))
        computed += tokens_of(batch)
        if time.perf_counter() - started > TIMED_SECONDS:
            break
    computing_seconds = time.perf_counter() - started
    seconds_per_token = tokenizing_seconds / sum(map(tokens_of, batches))
    return 1 / (seconds_per_token + computing_seconds / computed)


def token_lengths(reviews: Sequence[Review], model: Model) -> np.ndarray:
    """Tokens of each review that the model computes; guessed where it tokenizes for itself."""
    return np.array([token_length(encoding) for encoding in encodings(reviews, model)])


def encodings(reviews: Sequence[Review], model: Model) -> list[Encoding]:
    """Reviews as the model takes them."""
    if model.tfx_signature is not None:
        feature = model.tfx_signature.example_feature
        return [serialize(review, feature, model.version) for review in reviews]
    version = model.version
    tokenizer, size = MODELS.tokenizer(version), REVIEWS_TOKENIZED_TOGETHER
    groups = (reviews[start : start + size] for start in range(0, len(reviews), size))
    return [encoding for group in groups for encoding in tokenize(group, tokenizer, version)]


def padded(batch: Sequence[Encoding]) -> np.ndarray:
    """A batch of token ids as the network takes it."""
    examples = [encoding.example for encoding in batch]
    return pad([example.token_ids for example in examples if isinstance(example, Example)])


def tokens_of(batch: Sequence[Encoding]) -> int:
    """Tokens of a batch without its padding."""
    return sum(map(token_length, batch))
