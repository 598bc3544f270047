"""How much there is to score, and what it costs, worked out from a sample."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LIKELY_ERRORS = 2.0
"""The truth lies within so many standard errors 19 times out of 20."""


class Part(NamedTuple):
    """What was found in the beginning of a file, or in the whole of it.

    Attributes:
        kind: files of one kind (format and compression) hold alike many reviews in a byte.
        bytes: how much of the file that is, as it is stored.
        reviews: number of reviews in it.
        tokens: number of tokens in it that the model computes.
        tokens_error: standard error of that number, where only some of the reviews were tokenized.
    """

    kind: str
    bytes: float
    reviews: int
    tokens: float
    tokens_error: float


class Estimate(NamedTuple):
    """A number of reviews or tokens.

    Attributes:
        value: the number.
        error: its standard error; None where too little was read to know.
    """

    value: float
    error: float | None

    def share(self) -> float | None:
        """Half the width of the interval that the truth lies in 19 times out of 20, as a share."""
        if self.error is None:
            return None
        return LIKELY_ERRORS * self.error / self.value if self.value else 0.0


def estimated_reviews(parts: Sequence[Part], sizes: Mapping[str, int]) -> Estimate:
    """Number of reviews in all files.

    Args:
        parts: what was read.
        sizes: bytes of all files by their kind.
    """
    found = {kind: [(p.bytes, p.reviews, 0.0) for p in of_kind(parts, kind)] for kind in sizes}
    return total([extrapolated(found[kind], size) for kind, size in sizes.items()])


def estimated_tokens(parts: Sequence[Part], sizes: Mapping[str, int]) -> Estimate:
    """Number of tokens in all files; takes what `estimated_reviews` does."""
    found = {
        kind: [(p.bytes, p.tokens, p.tokens_error) for p in of_kind(parts, kind)] for kind in sizes
    }
    return total([extrapolated(found[kind], size) for kind, size in sizes.items()])


def of_kind(parts: Sequence[Part], kind: str) -> list[Part]:
    """The parts of files of a kind."""
    return [part for part in parts if part.kind == kind]


def extrapolated(found: Sequence[tuple[float, float, float]], size: float) -> Estimate:
    """What files hold of which parts were read: the ratio estimator of cluster sampling.

    See Cochran, Sampling Techniques, 3rd edition, section 6.3.

    Args:
        found: bytes, number found in them, and standard error of that number, for each part.
        size: bytes of all files.
    """
    read = sum(part[0] for part in found)
    if not read:
        return Estimate(0.0, None if size else 0.0)
    scale, number_read = size / read, sum(part[1] for part in found)
    value, rate = scale * number_read, number_read / read
    within = sum(error**2 for _, _, error in found)
    if read >= size:
        return Estimate(value, math.sqrt(within))
    if len(found) < 2:
        return Estimate(value, None)
    spread = sum((number - rate * bytes_read) ** 2 for bytes_read, number, _ in found)
    between = (1 - read / size) * spread * len(found) / (len(found) - 1)
    return Estimate(value, scale * math.sqrt(within + between))


def total(estimates: Sequence[Estimate]) -> Estimate:
    """The sum of independent estimates."""
    errors = [estimate.error for estimate in estimates]
    known = [error for error in errors if error is not None]
    error = math.sqrt(sum(error**2 for error in known)) if len(known) == len(errors) else None
    return Estimate(sum(estimate.value for estimate in estimates), error)


class Prices(NamedTuple):
    """Prices for an hour, in any currency.

    Attributes:
        worker: of a worker without its accelerators.
        accelerators: of all its accelerators.
    """

    worker: float
    accelerators: float


def worker_hours(tokens: float, tokens_per_second: float) -> float:
    """Time that one worker would take, in hours; without its start.

    Args:
        tokens: what there is to compute.
        tokens_per_second: what a worker computes.
    """
    return tokens / tokens_per_second / 3_600


def cost(hours: float, prices: Prices) -> float:
    """Price of so many hours of a worker, in the currency of the prices."""
    return hours * (prices.worker + prices.accelerators)
