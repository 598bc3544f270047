"""What a kind of bad input is: its name, its bytes, and what is to become of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SCORED = "scored"
"""The outcome of what looks wrong and is fine."""

NO_RECORD = "no record"
"""The outcome of what holds nothing: it is neither read nor rejected."""

MALFORMED, NOT_UTF8, TOO_LARGE = "malformed_record", "not_utf8", "too_large"
MISSING_TEXT, TEXT_NOT_STRING, EMPTY_TEXT = "missing_text", "text_not_string", "empty_text"
BAD_ID, BAD_FIELD, UNREADABLE = "bad_id", "bad_field", "unreadable_file"

KEPT = (
    *("stars:int64", "price:float64", "sold:bool", "written:timestamp"),
    *("day:date", "note:string", "tags:json"),
)
"""The kept fields of all runs over the corpus."""


class BadRecord(NamedTuple):
    """A record that stands between good ones in a dump of its format.

    Attributes:
        name: what is wrong with it.
        data: its bytes, without line end or framing; or its fields, which a format writes.
        outcome: `SCORED`, `NO_RECORD`, or the reason of its rejection.
        review_id: its id, where it is scored and has one.
    """

    name: str
    data: bytes | Mapping[str, Any]
    outcome: str
    review_id: str = ""


class BadFile(NamedTuple):
    """A file that stands beside good ones.

    Attributes:
        name: what is wrong with it.
        suffix: what its name ends with.
        content: its bytes.
        outcomes: what is to become of each position: `SCORED`, or the reason of its rejection.
    """

    name: str
    suffix: str
    content: bytes
    outcomes: Mapping[str, str]


class BadCall(NamedTuple):
    """Files that make a call wrong.

    Attributes:
        name: what is wrong with them.
        make: puts them into an empty folder.
        arguments: of the call, in that folder.
        message: what the line that tells the mistake holds.
    """

    name: str
    make: Callable[[Path], object]
    arguments: Sequence[str]
    message: str


def records(
    outcome: str, data_by_name: Mapping[str, bytes] | Mapping[str, Mapping[str, Any]]
) -> list[BadRecord]:
    """Kinds of records that end alike; each has its name as its id, where it is scored."""
    return [BadRecord(name, data, outcome, name) for name, data in data_by_name.items()]
