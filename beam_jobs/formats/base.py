"""What every file format can do, and how trouble in a file is told."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.errors import UserError
from schemas.field import FieldType
from schemas.payload import Origin, Payload
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject_data

RECORD_LIMIT_BYTES = 16 * 1024 * 1024
"""A longer line, CSV record or TFRecord is never held in memory: it is rejected and passed over."""

END_OF_FILE = 2**63 - 1
"""The end of a range that reaches to the end of its file, however long that is."""


class FileRange(NamedTuple):
    """A part of a file: the records that start in it are read with it.

    Attributes:
        path: the file.
        start: its first byte.
        stop: the byte after its last one.
    """

    path: str
    start: int = 0
    stop: int = END_OF_FILE


class DamagedFile(Exception):  # noqa: N818 - names what happened to the file, not to the program
    """The content of a file cannot be read any further; says why in one sentence.

    Unlike an error of the storage, it would be the same on every attempt.
    """


class Format(ABC):
    """A way to write reviews to a file.

    Attributes:
        name: what `--input_format` calls it.
        splittable: whether ranges of one file can be read apart, where it is not compressed.
        self_compressed: whether it compresses its own content, so that a `.gz` around it is wrong.
    """

    name: str
    splittable: bool = False
    self_compressed: bool = False

    @abstractmethod
    def read(self, part: FileRange, columns: Sequence[str]) -> Iterator[Payload | Rejection]:
        """Reads the records that start in a range, in their order.

        Every record of a file belongs to exactly one of the ranges that cover it, and its origin
        does not depend on them. Damage to the file ends the reading with one rejection.

        Args:
            part: the range; of a file that isn't splittable, the whole of it.
            columns: names of the fields that are needed; more may be read.

        Raises:
            OSError: the storage failed; another attempt may do better.
        """

    def describe(self, path: str) -> dict[str, FieldType]:
        """Finds the fields of a file, in their order, from its schema or its first records.

        Returns:
            Type by name; empty for a file without records or a format without fields.

        Raises:
            UserError: the file can't be opened, is damaged, or names its fields ambiguously.
        """
        try:
            return self._fields(path)
        except DamagedFile as damage:
            raise UserError(f"{path} can't be used as {self.name}: {damage}") from damage
        except OSError as error:
            raise UserError(f"{path} can't be read: {error.strerror or error}") from error

    @abstractmethod
    def _fields(self, path: str) -> dict[str, FieldType]:
        """`describe`, free to raise DamagedFile and OSError."""

    def check_installed(self) -> None:  # noqa: B027 - most formats need nothing
        """Raises UserError where a package that the format needs is not installed."""


def unreadable(path: str, position: object, damage: DamagedFile) -> Rejection:
    """The rejection of a file from a position on."""
    problem = RecordError(Reason.UNREADABLE_FILE, str(damage))
    return reject_data(Origin(path, str(position)), Stage.READ, problem)


def too_large() -> RecordError:
    """The problem of a record that is longer than `RECORD_LIMIT_BYTES`."""
    return RecordError(Reason.TOO_LARGE, f"It has more than {RECORD_LIMIT_BYTES:,} bytes.")
