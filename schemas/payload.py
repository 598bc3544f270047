"""What a source yields: bytes or fields, and where they came from."""

import datetime
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """Where a payload stands: the same on every run over the same input.

    Attributes:
        source: path of the file as it was matched, or name of the subscription.
        position: byte offset of the line (JSONL, text), index of the record counted from 0
            (CSV, TSV, Parquet, TFRecord), `block offset:index in block` (Avro), or message id.
        published_at: when Pub/Sub took the message, aware, UTC; None for files.
    """

    source: str
    position: str
    published_at: datetime.datetime | None = None

    def __str__(self) -> str:
        return f"{self.source}#{self.position}"


class PayloadKind(Enum):
    """How the data of a payload is to be read."""

    JSON = "json"  # bytes: one JSON object
    TEXT = "text"  # bytes: nothing but the review
    FIELDS = "fields"  # mapping of field name to value, from a format that has fields


class Payload(NamedTuple):
    """One record as it arrived.

    Attributes:
        origin: where it stands.
        kind: how `data` is to be read.
        data: UTF-8 bytes, or for `PayloadKind.FIELDS` a mapping of field name to value.
        attributes: of the message; files have none.
    """

    origin: Origin
    kind: PayloadKind
    data: bytes | Mapping[str, Any]
    attributes: Mapping[str, str] = {}
