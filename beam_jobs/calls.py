"""Calls of a model: no review pays for another one, and none decides the label of another one."""

import logging
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from beam_jobs import metrics
from schemas.errors import UserError

T = TypeVar("T")

Network = Callable[[Sequence[T]], Sequence[float]]
"""Gives the probability of `positive` for each example of a batch, in their order."""

CLOSE = 1e-3
"""What is as close to its model's threshold is scored alone.

Neighbours in a batch move a probability by 1e-7 in float32, and products in half precision by less
than 2e-4. So the margin is ample, and yet not one review in ten thousand lies within it where the
threshold is 0.5.
"""

_LOGGER = logging.getLogger(__name__)


class MemoryLimit:
    """How much a process gives a model at once: anything, until that has been too much."""

    def __init__(self) -> None:
        self.tokens: float = math.inf
        """most tokens of a call, padding included"""

    def lower(self, failed_tokens: int, tokens: int) -> None:
        """Notes that a call was too much for the memory, and how much is to be tried instead."""
        metrics.OUT_OF_MEMORY.inc()
        if tokens < self.tokens:
            self.tokens = tokens
            _LOGGER.warning(
                "a call of the model with %s tokens was too much for the memory; from now on this "
                "process makes it no more than %s, see --max_batch_tokens",
                f"{failed_tokens:,}",
                f"{tokens:,}",
            )


MEMORY_LIMIT = MemoryLimit()
"""That of this process, for all its models."""


def score(
    batch: Sequence[T],
    network: Network[T],
    tokens: Callable[[T], int],
    threshold: Callable[[T], float],
    limit: MemoryLimit,
) -> list[float]:
    """Calls a model on a batch; where it fails, on the halves of the batch, and so on.

    So one bad example among n costs 2 log2(n) calls, and the others nothing but that. A half isn't
    tried as a whole if a call of its size has been too much for the memory before. A probability
    close to the threshold is replaced by the one that the example gets alone: its label must not
    depend on its neighbours, since those are others on another runner.

    Args:
        batch: at least one example.
        network: the model.
        tokens: the length of an example, as the model pads it.
        threshold: the least probability that the model of an example labels positive.
        limit: what is known of the memory; lowered where a call fails for want of it.

    Returns:
        The probability of each example; NaN where the model fails on it even alone.

    Raises:
        UserError: the model gives something other than a number for each example. Pairing them
            would score the wrong reviews.
    """
    if len(batch) == 1:
        return [_alone(batch[0], network)]
    size, middle = _padded_tokens(batch, tokens), -(-len(batch) // 2)
    halves = batch[:middle], batch[middle:]
    if size <= limit.tokens:
        try:
            return _settled(batch, _called(network, batch), network, threshold)
        except UserError:
            raise
        except MemoryError:
            out_of_memory = True
        except Exception:
            out_of_memory = False
        # Not in the handler, which holds on to what the call has taken.
        if out_of_memory:
            limit.lower(size, max(_padded_tokens(half, tokens) for half in halves))
    return [found for half in halves for found in score(half, network, tokens, threshold, limit)]


def _alone(example: T, network: Network[T]) -> float:
    try:
        (probability,) = _called(network, [example])
    except UserError:
        raise
    except Exception as error:
        _LOGGER.error("the model failed on a review: %s", type(error).__name__)
        return math.nan
    return probability


def _called(network: Network[T], batch: Sequence[T]) -> Sequence[float]:
    metrics.BATCH_REVIEWS.update(len(batch))
    found = network(batch)
    if np.shape(found) != (len(batch),):
        raise UserError(
            f"the model gave numbers of the shape {np.shape(found)} for {len(batch)} reviews, not "
            "one for each: export it again"
        )
    return found


def _settled(
    batch: Sequence[T],
    found: Sequence[float],
    network: Network[T],
    threshold: Callable[[T], float],
) -> list[float]:
    """The probabilities of a batch, those close to the threshold taken alone."""
    settled = list(found)
    for place, (example, probability) in enumerate(zip(batch, found, strict=True)):
        if abs(probability - threshold(example)) <= CLOSE:
            metrics.SCORED_ALONE.inc()
            settled[place] = _alone(example, network)
    return settled


def _padded_tokens(batch: Sequence[T], tokens: Callable[[T], int]) -> int:
    return max(map(tokens, batch)) * len(batch)
