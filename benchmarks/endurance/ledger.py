"""What has become of every record: each must come out once, scored or rejected."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.endurance.reviews import is_bad


class Losses(NamedTuple):
    """Records that did not come out as they must.

    Attributes:
        lost: never came out.
        repeated: came out more than once.
        misjudged: scored although bad, or rejected although good.
        unknown: rows of no record that there is.
    """

    lost: int
    repeated: int
    misjudged: int
    unknown: int


class Ledger:
    """Counts the rows of each record, in two bytes a record."""

    def __init__(self, count: int) -> None:
        self._scored, self._rejected = bytearray(count), bytearray(count)
        self._unknown = 0

    def enter_score(self, row: dict[str, str]) -> None:
        """Counts the row of a score."""
        self._enter(row["review_id"], self._scored)

    def enter_rejection(self, row: dict[str, str]) -> None:
        """Counts the row of a rejection, which holds its record."""
        self._enter(json.loads(row["payload"])["id"], self._rejected)

    def _enter(self, identity: str, rows: bytearray) -> None:
        if not identity.isdigit() or int(identity) >= len(rows):
            self._unknown += 1
        else:
            rows[int(identity)] = min(rows[int(identity)] + 1, 255)

    def losses(self) -> Losses:
        """What went wrong."""
        lost = repeated = misjudged = 0
        for number, (scored, rejected) in enumerate(zip(self._scored, self._rejected, strict=True)):
            lost += scored + rejected == 0
            repeated += scored + rejected > 1
            misjudged += bool(scored if is_bad(number) else rejected)
        return Losses(lost, repeated, misjudged, self._unknown)


def rows(folder: Path) -> Iterator[dict[str, str]]:
    """The rows of all JSONL files that stand under a folder with their final names."""
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def read_ledger(output: Path, count: int) -> Ledger:
    """What the files of a run say.

    Args:
        output: its prefix.
        count: number of records that it was given.
    """
    ledger = Ledger(count)
    for row in rows(output / "scores"):
        ledger.enter_score(row)
    for row in rows(output / "rejected"):
        ledger.enter_rejection(row)
    return ledger
