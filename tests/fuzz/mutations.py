"""Inputs near others, for machines on which no coverage-guided fuzzer can be installed."""

import random
from collections.abc import Iterator, Sequence

PIECES = (
    *(b"", b"\0", b"\xff", b"\n", b"\r\n", b'"', b'""', b",", b"\t", b"{", b"}", b"[", b":", b"="),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\", b"../", b"/", b"%", b"{date}", b"null"),
    *(b"-", b"1e999", b"NaN", b"+14:00", b"Z", b"\x80" * 4, b"\xff" * 8, b"\x7f" + b"\xff" * 7),
)


def mutations(seeds: Sequence[bytes], count: int, seed: int = 1) -> Iterator[bytes]:
    """Each seed as it is, then a number of inputs made from them; the same on every call."""
    yield from seeds
    chance = random.Random(seed)
    for _ in range(count):
        data = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
            data = _changed(data, chance, seeds)
        yield data


def _changed(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, stop = sorted(chance.choices(range(len(data) + 1), k=2))
    change = chance.randrange(6)
    if change == 0:  # another byte
        return data[:start] + bytes([chance.randrange(256)]) + data[start + 1 :]
    if change == 1:  # another bit
        byte = bytes(b ^ 1 << chance.randrange(8) for b in data[start : start + 1])
        return data[:start] + byte + data[start + 1 :]
    if change == 2:  # a cut
        return data[:start] + data[min(stop, start + chance.choice((1, 4, 1000))) :]
    if change == 3:  # a repetition
        return data[:stop] + data[start:stop] * chance.choice((1, 3)) + data[stop:]
    if change == 4:  # the end of another seed
        other = chance.choice(seeds)
        return data[:start] + other[min(start, len(other)) :]
    return data[:start] + chance.choice(PIECES) + data[start:]
