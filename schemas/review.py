"""A review, and how a payload becomes one."""

import datetime
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.event_time import event_time
from schemas.field import Field, cast
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject

TEXT_LIMIT_CHARACTERS = 1_000_000
"""A longer text is no review."""

ID_LIMIT_BYTES = 1_024
"""A longer id is no id, and Pub/Sub takes no longer attribute."""


class Review(NamedTuple):
    """One review, ready to be tokenized.

    Attributes:
        review_id: its id field, or its origin where the input has none.
        text: what somebody wrote; not blank, valid Unicode.
        kept: values of the kept fields, in the order of `ReviewFields.kept`, each of the type of
            its column.
        origin: where it stands.
        event_time: when it was written, aware, UTC; for messages that don't say, when they were
            published; None for files.
    """

    review_id: str
    text: str
    kept: tuple[Any, ...]
    origin: Origin
    event_time: datetime.datetime | None = None


class KeptField(NamedTuple):
    """An input field, or an attribute of a message, carried through to the score row.

    Attributes:
        name: of the field or attribute.
        column: the column that it becomes.
    """

    name: str
    column: Field


class ReviewFields(NamedTuple):
    """Which input fields make a review.

    Attributes:
        text: name of the field that holds the text.
        id: name of the field that holds the id; empty where the origin is to be the id.
        kept: fields carried through to the score row.
        id_attribute: name of the attribute that holds the id; empty where none does.
        timestamp_attribute: name of the attribute that says when the review was written; empty
            where none does.
        kept_attributes: attributes carried through to the score row, after the fields.
    """

    text: str
    id: str
    kept: tuple[KeptField, ...]
    id_attribute: str = ""
    timestamp_attribute: str = ""
    kept_attributes: tuple[KeptField, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Every input field that is needed, each once."""
        names = [self.text, self.id, *(field.name for field in self.kept)]
        return tuple(dict.fromkeys(name for name in names if name))

    def kept_columns(self) -> tuple[Field, ...]:
        """The columns that the kept fields and attributes become."""
        return tuple(field.column for field in (*self.kept, *self.kept_attributes))


def parse_review(payload: Payload, fields: ReviewFields) -> Review | Rejection:
    """Turns a payload into a review, or into a rejection that says why not."""
    try:
        values = _values(payload, fields.text)
        kept = [_kept(values, field) for field in fields.kept]
        kept += [_kept(payload.attributes, attribute) for attribute in fields.kept_attributes]
        return Review(
            review_id=_review_id(payload, values, fields),
            text=_text(values, fields.text),
            kept=tuple(kept),
            origin=payload.origin,
            event_time=event_time(payload, fields.timestamp_attribute),
        )
    except RecordError as problem:
        return reject(payload, Stage.PARSE, problem)


def _values(payload: Payload, text_field: str) -> Mapping[str, Any]:
    if payload.kind is PayloadKind.FIELDS:
        assert isinstance(payload.data, Mapping)
        return payload.data
    assert isinstance(payload.data, bytes)
    if payload.kind is PayloadKind.TEXT:
        return {text_field: payload.data}
    return json_object(payload.data)


def json_object(data: bytes) -> dict[str, Any]:
    """Reads one JSON object (RFC 8259; NaN and Infinity are refused).

    Raises:
        RecordError: the data is not UTF-8, not JSON, or not an object.
    """
    try:
        values = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise RecordError(Reason.NOT_UTF8, f"Byte {error.start} is not UTF-8.") from error
    except json.JSONDecodeError as error:
        detail = f"{error.msg} at character {error.pos}."
        raise RecordError(Reason.MALFORMED_RECORD, detail) from error
    except RecursionError as error:
        raise RecordError(Reason.MALFORMED_RECORD, "The JSON is nested too deep.") from error
    except ValueError as error:  # a number with thousands of digits, or NaN
        raise RecordError(Reason.MALFORMED_RECORD, "A number is out of range.") from error
    if not isinstance(values, dict):
        raise RecordError(Reason.MALFORMED_RECORD, "The JSON is not an object.")
    return values


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _text(values: Mapping[str, Any], name: str) -> str:
    text = values.get(name)
    if text is None:
        raise RecordError(Reason.MISSING_TEXT)
    if isinstance(text, bytes):
        text = _decoded(text)
    if not isinstance(text, str):
        raise RecordError(Reason.TEXT_NOT_STRING, f"It holds a {type(text).__name__}.")
    if len(text) > TEXT_LIMIT_CHARACTERS:
        raise RecordError(Reason.TOO_LARGE, f"The text has {len(text):,} characters.")
    if not text.strip():
        raise RecordError(Reason.EMPTY_TEXT)
    _check_unicode(text)
    return text


def _review_id(payload: Payload, values: Mapping[str, Any], fields: ReviewFields) -> str:
    if fields.id_attribute:
        value = payload.attributes.get(fields.id_attribute)
    elif fields.id:
        value = values.get(fields.id)
    else:
        return str(payload.origin)
    if isinstance(value, bytes):
        value = _decoded(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RecordError(Reason.BAD_ID)
    review_id = str(value)
    _check_unicode(review_id)
    if not review_id.strip() or len(review_id.encode("utf-8")) > ID_LIMIT_BYTES:
        raise RecordError(Reason.BAD_ID)
    return review_id


def _kept(values: Mapping[str, Any], field: KeptField) -> Any:
    try:
        return cast(values.get(field.name), field.column.type)
    except (ValueError, TypeError, RecursionError) as error:
        detail = f"Field {field.name} is not of type {field.column.type.value}."
        raise RecordError(Reason.BAD_FIELD, detail) from error


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(Reason.NOT_UTF8, f"Byte {error.start} is not UTF-8.") from error


def _check_unicode(text: str) -> None:
    """Refuses lone surrogates: JSON can spell them, UTF-8 can't."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RecordError(Reason.NOT_UTF8, f"Character {error.start} is no character.") from error
