"""Bytes as a source of decisions, so that a fuzzer that turns bytes can turn anything."""

import os
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple, TypeVar

T = TypeVar("T")

_IN_MEMORY = [folder for folder in ("/dev/shm",) if os.access(folder, os.W_OK)]

MEMORY = os.environ.get("TMPDIR") or next(iter(_IN_MEMORY), None)
"""Where to put files that live for a moment: on disks they take ten times as long."""


class Target(NamedTuple):
    """A parser under test.

    Attributes:
        check: feeds it with bytes; raises AssertionError, or whatever the parser lets out, where
            what it promises doesn't hold.
        seeds: inputs to start from.
    """

    check: Callable[[bytes], None]
    seeds: Sequence[bytes]


class Choices:
    """Takes decisions from the front of some bytes; where they run out, the first of each kind."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self, below: int) -> int:
        """A whole number from 0, of one byte."""
        byte, self._data = self._data[:1], self._data[1:]
        return int.from_bytes(byte, "little") % below

    def one_of(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]

    def piece(self) -> bytes:
        """Up to 255 bytes, after their number."""
        size = self.number(256)
        piece, self._data = self._data[:size], self._data[size:]
        return piece

    def rest(self) -> bytes:
        rest, self._data = self._data, b""
        return rest

    def __bool__(self) -> bool:
        return bool(self._data)


class Damage(Enum):
    """What happens to a file between writing and reading."""

    NONE = 0
    CUT = 1
    BYTE = 2  # another byte in one place; it may be the same


def damaged(content: bytes, choices: Choices) -> tuple[bytes, Damage]:
    """A file after some damage, and which it was."""
    damage = choices.one_of(list(Damage))
    place = choices.number(256) * 256 + choices.number(256)
    if damage is Damage.NONE or not content:
        return content, Damage.NONE
    place %= len(content)
    if damage is Damage.CUT:
        return content[:place], damage
    return content[:place] + bytes([choices.number(256)]) + content[place + 1 :], damage
