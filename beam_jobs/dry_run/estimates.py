"""How much there is to score, worked out from a sample."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """What was found in the beginning of a file, or in the whole of it.

    Attributes:
        kind: files of one kind (format and compression) hold alike many reviews in a byte.
        bytes: how much of the file that is, as it is stored.
        reviews: number of reviews in it.
        tokens: number of tokens in it that the model computes.
    """

    kind: str
    bytes: float
    reviews: float
    tokens: float


def estimated(parts: Sequence[Part], sizes: Mapping[str, int]) -> tuple[float, float]:
    """Number of reviews and of tokens in all files.

    Args:
        parts: what was read.
        sizes: bytes of all files by their kind. A kind of which nothing could be read is taken to
            be like the others.
    """
    found = [_extrapolated(_of_kind(parts, kind) or parts, size) for kind, size in sizes.items()]
    return sum(part.reviews for part in found), sum(part.tokens for part in found)


def _of_kind(parts: Sequence[Part], kind: str) -> list[Part]:
    return [part for part in parts if part.kind == kind and part.bytes]


def _extrapolated(parts: Sequence[Part], size: float) -> Part:
    read = sum(part.bytes for part in parts)
    scale = size / read if read else 0.0
    reviews, tokens = sum(part.reviews for part in parts), sum(part.tokens for part in parts)
    return Part("", size, scale * reviews, scale * tokens)
