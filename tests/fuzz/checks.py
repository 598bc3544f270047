"""What holds of everything that a parser lets out."""

import base64
import datetime
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro
import pyarrow as pa

from beam_jobs.rows import arrow_schema, avro_schema, json_line
from schemas.errors import UserError
from schemas.field import Field, FieldType
from schemas.payload import Origin, Payload
from schemas.rejection import (
    COLUMNS,
    PAYLOAD_LIMIT_BYTES,
    Reason,
    Rejection,
    data_of,
    rejection_row,
)
from schemas.review import ID_LIMIT_BYTES, KeptField, Review, ReviewFields, parse_review
from schemas.score import Score, columns, score_row

ORIGIN = Origin("reviews", "7")

KEPT = tuple(KeptField(kind.value, Field(f"kept_{kind.value}", kind)) for kind in FieldType)
"""A field of each type, with the name of its type."""

FIELDS = ReviewFields("text", "id", KEPT)

_KEPT_COLUMNS = FIELDS.kept_columns()
_SCORE_COLUMNS = columns(_KEPT_COLUMNS)
_PYTHON_TYPES = {
    FieldType.STRING: str,
    FieldType.INT64: int,
    FieldType.FLOAT64: float,
    FieldType.BOOL: bool,
    FieldType.TIMESTAMP: datetime.datetime,
    FieldType.DATE: datetime.date,
    FieldType.JSON: str,
}
_AVRO_SCHEMAS = {
    tuple(row_columns): fastavro.parse_schema(avro_schema("Row", row_columns))
    for row_columns in (_SCORE_COLUMNS, COLUMNS)
}


def check_parsed(payload: Payload, fields: ReviewFields = FIELDS) -> Review | Rejection:
    """Parses a payload; the review or rejection that it becomes can be written as a row."""
    parsed = parse_review(payload, fields)
    assert parsed.origin == payload.origin
    if isinstance(parsed, Rejection):
        check_rejection(parsed, data_of(payload.data))
    else:
        check_review(parsed, fields)
    return parsed


def check_review(review: Review, fields: ReviewFields = FIELDS) -> None:
    """A review has a text and an id, and every kind of output takes its score."""
    assert review.text.strip()
    review.text.encode("utf-8")
    assert review.review_id.strip()
    if fields.id or fields.id_attribute:
        assert len(review.review_id.encode("utf-8")) <= ID_LIMIT_BYTES
    score = Score(
        review.review_id, "positive", 0.5, 3, False, "m@0", review.event_time, review.kept
    )
    kept_columns = fields.kept_columns()
    check_row(score_row(score, kept_columns), columns(kept_columns))


def check_rejection(rejection: Rejection, data: bytes) -> None:
    """A rejection holds the record, or its beginning, and every kind of output takes its row."""
    check_row(rejection_row(rejection), COLUMNS)
    assert rejection.reason is not Reason.UNREADABLE_FILE
    assert rejection.payload_bytes == len(data)
    beginning = data[:PAYLOAD_LIMIT_BYTES]
    if rejection.payload_encoding == "base64":
        assert base64.b64decode(rejection.payload, validate=True) == beginning
    else:
        kept = rejection.payload.encode("utf-8")
        assert beginning.startswith(kept)
        cut = len(beginning) - len(kept)
        assert cut == 0 or (cut < 4 and len(data) > PAYLOAD_LIMIT_BYTES)
    check_detail(rejection)


def check_detail(rejection: Rejection) -> None:
    """One sentence or two of ours; nothing of a review is long enough to pass for them."""
    detail = rejection.detail.removesuffix(rejection.reason.advice)
    assert len(detail) < len(rejection.detail), "the advice is missing"
    assert re.fullmatch(r"[ -~]{0,200}", detail)


def check_row(row: Mapping[str, Any], row_columns: Sequence[Field]) -> None:
    """Each value has its column's type, and JSON, Parquet and Avro give it back."""
    assert list(row) == [column.name for column in row_columns]
    for column in row_columns:
        _check_value(row[column.name], column)
    line = json_line(row)
    assert not re.search(r"[\r\n]", line)
    as_json = json.loads(line.encode("utf-8"))
    assert as_json == {name: _as_json(value) for name, value in row.items()}
    assert pa.Table.from_pylist([row], arrow_schema(row_columns)).to_pylist() == [row]
    assert _through_avro(row, row_columns) == row


def _check_value(value: Any, column: Field) -> None:
    if value is None:
        assert column.nullable
        return
    assert type(value) is _PYTHON_TYPES[column.type]
    if isinstance(value, datetime.datetime):
        assert value.utcoffset() == datetime.timedelta(0)
    if isinstance(value, float):
        assert not math.isnan(value)
    if column.type is FieldType.JSON:
        json.loads(str(value), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.isoformat().removesuffix("+00:00") + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return value


def _through_avro(row: Mapping[str, Any], row_columns: Sequence[Field]) -> Any:
    schema: Any = _AVRO_SCHEMAS.get(tuple(row_columns)) or avro_schema("Row", row_columns)
    file = io.BytesIO()
    fastavro.schemaless_writer(file, schema, dict(row))
    file.seek(0)
    return fastavro.schemaless_reader(file, schema, None)


def check_user_error(error: UserError) -> None:
    """One line that a terminal and a log take."""
    line = str(error)
    assert line.strip()
    assert len(line.splitlines()) == 1, "more than one line"
    line.encode("utf-8", "backslashreplace")
