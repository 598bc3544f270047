"""Targets: one record, of a file or a message, until it is a row."""

import datetime
import json

from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.utils.timestamp import Timestamp
from google.protobuf.timestamp_pb2 import Timestamp as ProtoTimestamp

from beam_jobs.pubsub import ATTRIBUTE_LIMIT_BYTES, MessageSource, _ToMessage, _ToPayload
from beam_jobs.rows import rfc3339
from beam_jobs.stream_sinks import SCORE_ATTRIBUTES, timed_score_row
from beam_jobs.windows import Windowing, times
from schemas.event_time import CLOCK_SKEW, parse_time
from schemas.field import FieldType, cast
from schemas.payload import Payload, PayloadKind
from schemas.rejection import Reason, Rejection
from schemas.review import Review, ReviewFields
from schemas.score import Score
from tests.fuzz.checks import FIELDS, KEPT, ORIGIN, check_parsed
from tests.fuzz.choices import Choices, Target

VALUES = (
    *('"é \\ud83c\\udfac"', '"\\ud800"', "1", "-9223372036854775809", "4.5", "1e999", "null"),
    *('"2026-11-22T12:00:00Z"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-01:00"'),
    *('"2026-11-22"', '"true"', "[1, {}]", '"\\u0000"', '"NaN"', '"1_0"', "[" * 40 + "]" * 40),
)


def json_record(data: bytes) -> None:
    """A line of JSON is a review with a valid row, or a rejection that holds it."""
    parsed = check_parsed(Payload(ORIGIN, PayloadKind.JSON, data))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert isinstance(parsed, Rejection)
        assert parsed.reason is Reason.NOT_UTF8
        return
    if isinstance(parsed, Review):
        values = json.loads(data)
        assert parsed.text == values["text"]
        assert parsed.review_id == str(values["id"])


def _json_seeds() -> list[bytes]:
    records = [f'{{"id": "r", "text": {value}}}' for value in VALUES]
    records += [f'{{"id": {value}, "text": "good"}}' for value in VALUES]
    records += [
        f'{{"id": 5, "text": "good", "{kind.value}": {value}}}'
        for kind in FieldType
        for value in VALUES
    ]
    return [record.encode() for record in records]


def text_record(data: bytes) -> None:
    """A line of text is the review, or a rejection that holds it."""
    fields = ReviewFields("text", "", ())
    parsed = check_parsed(Payload(ORIGIN, PayloadKind.TEXT, data), fields)
    if isinstance(parsed, Review):
        assert parsed.text.encode("utf-8") == data
        assert parsed.review_id == str(ORIGIN)
    elif parsed.reason is Reason.EMPTY_TEXT:
        assert not data.decode("utf-8").strip()
    else:
        assert parsed.reason is Reason.NOT_UTF8


def value(data: bytes) -> None:
    """A value as sources give it is refused by a type, or has it, and then casts to itself."""
    choices = Choices(data)
    to = choices.one_of(list(FieldType))
    given = choices.rest()
    for form in (given, given.decode("utf-8", "surrogateescape")):
        fields = ReviewFields("text", "", tuple(kept for kept in KEPT if kept.name == to.value))
        payload = Payload(ORIGIN, PayloadKind.FIELDS, {"text": "good", to.value: form})
        parsed = check_parsed(payload, fields)
        if isinstance(parsed, Review) and to is not FieldType.JSON:
            (result,) = parsed.kept
            assert cast(result, to) == result
        elif isinstance(parsed, Rejection):
            assert parsed.reason is Reason.BAD_FIELD


def _value_seeds() -> list[bytes]:
    words = [value.strip('"').encode() for value in VALUES]
    words += [b"\xff", b"", b" 5 ", "\u0665".encode(), b"-inf", b"20261122", b"2026-W47-7"]
    return [bytes([kind]) + word for kind in range(len(FieldType)) for word in words]


PUBLISHED_AT = Timestamp(1_795_344_300)
MESSAGE_FIELDS = FIELDS._replace(
    id="", id_attribute="id", timestamp_attribute="at", kept_attributes=()
)


def message(data: bytes) -> None:
    """A message is a rejection that holds it, or a review whose score can be published."""
    choices = Choices(data)
    kind = choices.one_of([PayloadKind.JSON, PayloadKind.TEXT])
    attributes = {
        choices.one_of(["id", "at", "other"]): choices.piece().decode("utf-8", "replace")
        for _ in range(choices.number(4))
    }
    source = MessageSource("projects/p/subscriptions/s", kind, "")
    received = PubsubMessage(choices.rest(), attributes, message_id="m1")
    (payload,) = _ToPayload(source).process(received, PUBLISHED_AT)
    assert (payload.data, payload.attributes) == (received.data, attributes)
    fields = MESSAGE_FIELDS if kind is PayloadKind.JSON else MESSAGE_FIELDS._replace(kept=())
    parsed = check_parsed(payload, fields)
    if isinstance(parsed, Review):
        assert parsed.review_id == attributes["id"]
        _check_published(parsed, fields)


def _check_published(review: Review, fields: ReviewFields) -> None:
    event_time, published_at = times(review)
    assert event_time - published_at <= CLOCK_SKEW
    windowing = Windowing(300, 86_400)
    assert windowing.is_late(event_time, published_at) or not windowing.is_too_late(
        event_time, published_at
    )
    score = Score(review.review_id, "positive", 0.5, 3, False, "m@0", event_time, review.kept)
    row = timed_score_row(score, fields.kept_columns())
    assert row.timestamp.to_utc_datetime(has_tz=True) == event_time
    (published,) = _ToMessage("projects/p/topics/t", SCORE_ATTRIBUTES, "review_id").process(
        row.value
    )
    assert isinstance(published, PubsubMessage)
    assert json.loads(published.data)["review_id"] == published.attributes["review_id"]
    for text in (*published.attributes.values(), published.ordering_key):
        assert len(text.encode("utf-8")) <= ATTRIBUTE_LIMIT_BYTES
    assert published.attributes["review_id"].startswith(published.ordering_key)


TIMES = (
    *("0", "1446162101123", "-1", "9" * 15, "2015-10-29T23:41:41.123Z", "2015-10-29t23:41:41z"),
    *("2015-10-30T01:41:41+02:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-23:59"),
    *(
        "2026-11-22 12:00:00.1234567890+00:00",
        "2026-02-29T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "2026-11-22T24:00:00Z",
    ),
)


def _message_seeds() -> list[bytes]:
    seeds = []
    for time in TIMES:
        at = b"\1" + bytes([len(time)]) + time.encode()
        seeds.append(b"\0\2\0\2r1" + at + b'{"text": "good", "int64": 5}')
        seeds.append(b"\1\2\0\2r1" + at + b"good")
    return [*seeds, b"\0\0" + b'{"text": "good"}', b"\1\1\0\xff" + b"x" * 255 + b"good"]


def event_time(data: bytes) -> None:
    """A time is refused as documented, or is what Google's own reader of RFC 3339 makes of it."""
    text = data.decode("utf-8", "replace")
    try:
        moment = parse_time(text)
    except (ValueError, OverflowError):
        return
    assert moment.utcoffset() == datetime.timedelta(0)
    assert parse_time(rfc3339(moment)) == moment
    reference = ProtoTimestamp()
    try:
        reference.FromJsonString(text)
    except ValueError:
        return
    assert reference.ToMicroseconds() == (moment - parse_time("0")) // datetime.timedelta.resolution


TARGETS = {
    "json": Target(json_record, _json_seeds()),
    "text": Target(
        text_record, [b"good", "très bien".encode(), b"\xff", b" ", b"\0", "\u2028".encode()]
    ),
    "value": Target(value, _value_seeds()),
    "message": Target(message, _message_seeds()),
    "event_time": Target(event_time, [time.encode() for time in TIMES]),
}
