"""A record that could not be scored: where it stood, why, and what it was."""

import base64
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from schemas.field import Field, FieldType
from schemas.payload import Origin, Payload

PAYLOAD_LIMIT_BYTES = 16_384
"""A rejection keeps at most this much of its payload."""


class Stage(Enum):
    """The step at which a record stopped."""

    READ = "read"
    PARSE = "parse"
    SCORE = "score"
    WRITE = "write"


class Reason(Enum):
    """Why a record was rejected, with a sentence that says what to do."""

    UNREADABLE_FILE = "unreadable_file"
    MALFORMED_RECORD = "malformed_record"
    NOT_UTF8 = "not_utf8"
    TOO_LARGE = "too_large"
    MISSING_TEXT = "missing_text"
    TEXT_NOT_STRING = "text_not_string"
    EMPTY_TEXT = "empty_text"
    BAD_ID = "bad_id"
    BAD_FIELD = "bad_field"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_LATE = "too_late"
    MODEL_FAILURE = "model_failure"
    REFUSED_ROW = "refused_row"

    @property
    def advice(self) -> str:
        """What the owner of the input can do."""
        return _ADVICE[self]


_ADVICE = {
    Reason.UNREADABLE_FILE: (
        "The file cannot be read any further; what follows in it was not scored. "
        "Write it again and score it again."
    ),
    Reason.MALFORMED_RECORD: "The record does not follow its format. Mend it at its source.",
    Reason.NOT_UTF8: "The record is not valid Unicode. Write it as UTF-8.",
    Reason.TOO_LARGE: "The record is larger than a review can be. Split it or leave it out.",
    Reason.MISSING_TEXT: "The text field is absent or null. Check --text_field.",
    Reason.TEXT_NOT_STRING: "The text field holds something other than text. Check --text_field.",
    Reason.EMPTY_TEXT: "The text is empty or blank: there is nothing to score.",
    Reason.BAD_ID: (
        "The id is absent, empty, or neither text nor a whole number. "
        "Check --id_field or --id_attribute."
    ),
    Reason.BAD_FIELD: (
        "A kept field does not have the type of its column. "
        "Name another type in --keep_fields, as in stars:float64 or stars:json."
    ),
    Reason.BAD_TIMESTAMP: (
        "The event time is neither RFC 3339 nor milliseconds since 1970, or lies in the future. "
        "Check --timestamp_attribute."
    ),
    Reason.TOO_LATE: (
        "The message was published too long after its event time. "
        "Score it from a file, or raise --allowed_lateness."
    ),
    Reason.MODEL_FAILURE: "The model gave no valid probability. Check the model.",
    Reason.REFUSED_ROW: "The table refused the row of this score. Mend the table, then load it.",
}


class Rejection(NamedTuple):
    """One record that goes no further.

    Attributes:
        origin: where it stands.
        stage: the step at which it stopped.
        reason: why; one of a closed set.
        detail: one sentence on this record; never quotes the review.
        payload: the record as text, or as base64 where it isn't UTF-8; empty where the reason is
            a file's or the model's, not the record's. At most `PAYLOAD_LIMIT_BYTES` are kept.
        payload_encoding: `utf-8` or `base64`.
        payload_bytes: length of the whole record in bytes.
    """

    origin: Origin
    stage: Stage
    reason: Reason
    detail: str
    payload: str
    payload_encoding: str
    payload_bytes: int


COLUMNS = (
    Field("source", FieldType.STRING, nullable=False),
    Field("position", FieldType.STRING, nullable=False),
    Field("stage", FieldType.STRING, nullable=False),
    Field("reason", FieldType.STRING, nullable=False),
    Field("detail", FieldType.STRING, nullable=False),
    Field("payload", FieldType.STRING, nullable=False),
    Field("payload_encoding", FieldType.STRING, nullable=False),
    Field("payload_bytes", FieldType.INT64, nullable=False),
)


class RecordError(Exception):
    """A record cannot go on; carries the reason and a sentence on this record."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason.value, detail)
        self.reason = reason
        self.detail = detail


def reject(payload: Payload, stage: Stage, problem: RecordError) -> Rejection:
    """Makes the rejection of a payload."""
    return reject_data(payload.origin, stage, problem, data_of(payload.data))


def reject_data(
    origin: Origin, stage: Stage, problem: RecordError, data: bytes = b"", data_bytes: int = -1
) -> Rejection:
    """Makes a rejection from bytes, of which only the beginning may be at hand.

    Args:
        origin: where the record stands.
        stage: the step at which it stopped.
        problem: the reason and the sentence.
        data: the record, or as much of it as was read.
        data_bytes: its true length, where that is more than `data` holds.
    """
    text, encoding = _printable(data[:PAYLOAD_LIMIT_BYTES], cut=len(data) > PAYLOAD_LIMIT_BYTES)
    detail = f"{problem.detail} {problem.reason.advice}".strip()
    true_length = max(data_bytes, len(data))
    return Rejection(origin, stage, problem.reason, detail, text, encoding, true_length)


def data_of(data: bytes | Mapping[str, Any]) -> bytes:
    """The bytes of a payload; fields are rendered as JSON."""
    if isinstance(data, bytes):
        return data
    text = json.dumps(dict(data), ensure_ascii=False, default=_plain)
    return text.encode("utf-8", "surrogateescape" if _escaped(text) else "surrogatepass")


def rejection_row(rejection: Rejection) -> dict[str, Any]:
    """The row of a rejection, with the columns of `COLUMNS`."""
    return {
        "source": rejection.origin.source,
        "position": rejection.origin.position,
        "stage": rejection.stage.value,
        "reason": rejection.reason.value,
        "detail": rejection.detail,
        "payload": rejection.payload,
        "payload_encoding": rejection.payload_encoding,
        "payload_bytes": rejection.payload_bytes,
    }


def _printable(data: bytes, cut: bool) -> tuple[str, str]:
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if cut and error.start > len(data) - 4:  # the cap fell inside a character
            return data[: error.start].decode("utf-8"), "utf-8"
        return base64.b64encode(data).decode("ascii"), "base64"


def _plain(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _escaped(text: str) -> bool:
    """Whether every surrogate in `text` stands for a byte that was not UTF-8."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
