import base64
import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.field import Field, FieldType
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import PAYLOAD_LIMIT_BYTES, Reason, Rejection, Stage
from schemas.review import TEXT_LIMIT_CHARACTERS, KeptField, Review, ReviewFields, parse_review

ORIGIN = Origin("reviews.jsonl", "120")
STARS = KeptField("stars", Field("rating", FieldType.INT64))
FIELDS = ReviewFields("text", "id", (STARS,))


def parse(data: bytes, fields: ReviewFields = FIELDS) -> Review | Rejection:
    return parse_review(Payload(ORIGIN, PayloadKind.JSON, data), fields)


def test_takes_text_id_and_kept_fields() -> None:
    review = parse(b'{"id": "r1", "text": "Great \\u00e9clair", "stars": 5, "other": {}}')

    assert review == Review("r1", "Great éclair", (5,), ORIGIN)


def test_attributes_supply_id_event_time_and_kept_values() -> None:
    fields = ReviewFields(
        "text",
        "",
        (STARS,),
        id_attribute="id",
        timestamp_attribute="written",
        kept_attributes=(KeptField("shop", Field("shop", FieldType.STRING)),),
    )
    attributes = {"id": "m1", "written": "1446162101123", "shop": "north"}
    data = b'{"id": "ignored", "text": "fine", "stars": 4}'

    review = parse_review(Payload(ORIGIN, PayloadKind.JSON, data, attributes), fields)

    written_at = datetime.datetime(2015, 10, 29, 23, 41, 41, 123_000, datetime.timezone.utc)
    assert review == Review("m1", "fine", (4, "north"), ORIGIN, written_at)


def test_a_message_without_its_id_attribute_is_rejected() -> None:
    payload = Payload(ORIGIN, PayloadKind.TEXT, b"fine", {"other": "m1"})

    rejected = parse_review(payload, ReviewFields("text", "", (), id_attribute="id"))

    assert isinstance(rejected, Rejection)
    assert rejected.reason is Reason.BAD_ID


def test_an_id_is_limited_in_bytes() -> None:
    assert isinstance(parse(b'{"id": "%s", "text": "fine"}' % (b"x" * 1_024)), Review)
    assert isinstance(parse(('{"id": "%s", "text": "fine"}' % ("é" * 600)).encode()), Rejection)


def test_a_number_can_be_an_id() -> None:
    review = parse(b'{"id": 12345678901234567890, "text": "fine"}')

    assert isinstance(review, Review)
    assert review.review_id == "12345678901234567890"
    assert review.kept == (None,)


def test_without_an_id_field_the_origin_is_the_id() -> None:
    review = parse(b'{"text": "fine"}', ReviewFields("text", "", ()))

    assert isinstance(review, Review)
    assert review.review_id == "reviews.jsonl#120"


def test_plain_text_is_the_review() -> None:
    payload = Payload(ORIGIN, PayloadKind.TEXT, "très bien".encode())

    review = parse_review(payload, ReviewFields("text", "", ()))

    assert isinstance(review, Review)
    assert review.text == "très bien"


def test_fields_of_bytes_are_decoded() -> None:
    payload = Payload(ORIGIN, PayloadKind.FIELDS, {"text": b"bon", "id": b"7", "stars": 1})

    assert parse_review(payload, FIELDS) == Review("7", "bon", (1,), ORIGIN)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED_RECORD),
        (b"{", Reason.MALFORMED_RECORD),
        (b"[1]", Reason.MALFORMED_RECORD),
        (b'"text"', Reason.MALFORMED_RECORD),
        (b"null", Reason.MALFORMED_RECORD),
        (b'{"id": "r", "text": "x"} tail', Reason.MALFORMED_RECORD),
        (b'{"id": "r", "text": "a\nb"}', Reason.MALFORMED_RECORD),
        (b'{"id": "r", "text": "x", "stars": NaN}', Reason.MALFORMED_RECORD),
        (b'{"id": "r", "text": "x", "n": -Infinity}', Reason.MALFORMED_RECORD),
        (b'{"id": "r", "text": "x", "n": ' + b"1" * 5000 + b"}", Reason.MALFORMED_RECORD),
        (b'{"id": "r", "text": ' + b"[" * 100_000, Reason.MALFORMED_RECORD),
        (b'{"id": "r", "text": "\xff"}', Reason.NOT_UTF8),
        ('{"id": "r", "text": "x"}'.encode("utf-16"), Reason.NOT_UTF8),
        (rb'{"id": "r", "text": "\ud800"}', Reason.NOT_UTF8),
        (rb'{"id": "\udfff", "text": "x"}', Reason.NOT_UTF8),
        (b'{"id": "r"}', Reason.MISSING_TEXT),
        (b'{"id": "r", "text": null}', Reason.MISSING_TEXT),
        (b'{"id": "r", "text": 5}', Reason.TEXT_NOT_STRING),
        (b'{"id": "r", "text": ["x"]}', Reason.TEXT_NOT_STRING),
        (b'{"id": "r", "text": ""}', Reason.EMPTY_TEXT),
        ('{"id": "r", "text": " \\n\\t\u2003"}'.encode(), Reason.EMPTY_TEXT),
        (b'{"text": "x"}', Reason.BAD_ID),
        (b'{"id": null, "text": "x"}', Reason.BAD_ID),
        (b'{"id": "  ", "text": "x"}', Reason.BAD_ID),
        (b'{"id": true, "text": "x"}', Reason.BAD_ID),
        (b'{"id": 1.5, "text": "x"}', Reason.BAD_ID),
        (b'{"id": "' + b"r" * 2000 + b'", "text": "x"}', Reason.BAD_ID),
        (b'{"id": "r", "text": "x", "stars": "many"}', Reason.BAD_FIELD),
        (b'{"id": "r", "text": "x", "stars": 4.5}', Reason.BAD_FIELD),
        (b'{"id": "r", "text": "x", "stars": 9223372036854775808}', Reason.BAD_FIELD),
    ],
)
def test_rejects_with_the_reason(data: bytes, reason: Reason) -> None:
    rejection = parse(data)

    assert isinstance(rejection, Rejection)
    assert rejection.reason is reason
    assert rejection.stage is Stage.PARSE
    assert rejection.origin == ORIGIN
    assert rejection.payload_bytes == len(data)
    assert reason.advice in rejection.detail


def test_a_text_beyond_the_limit_is_too_large() -> None:
    at_limit = json.dumps({"id": "r", "text": "x" * TEXT_LIMIT_CHARACTERS}).encode()
    beyond = json.dumps({"id": "r", "text": "x" * (TEXT_LIMIT_CHARACTERS + 1)}).encode()

    assert isinstance(parse(at_limit), Review)
    rejection = parse(beyond)
    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.TOO_LARGE
    assert len(rejection.payload) == PAYLOAD_LIMIT_BYTES
    assert rejection.payload_bytes == len(beyond)


def test_a_rejection_never_quotes_the_review_in_its_detail() -> None:
    for data in (b'{"id": "r", "text": secretword}', b'{"text": "secretword"}'):
        rejection = parse(data)
        assert isinstance(rejection, Rejection)
        assert "secretword" not in rejection.detail


def test_a_payload_cut_inside_a_character_stays_text() -> None:
    data = b'{"text": "' + "é".encode() * PAYLOAD_LIMIT_BYTES

    rejection = parse(data)

    assert isinstance(rejection, Rejection)
    assert rejection.payload_encoding == "utf-8"
    assert data.decode("utf-8", "ignore").startswith(rejection.payload)
    assert PAYLOAD_LIMIT_BYTES - 4 < len(rejection.payload.encode()) <= PAYLOAD_LIMIT_BYTES


@given(st.binary(max_size=300))
def test_whatever_arrives_becomes_a_review_or_a_rejection_that_holds_it(data: bytes) -> None:
    result = parse(data)

    if isinstance(result, Rejection):
        if result.payload_encoding == "base64":
            assert base64.b64decode(result.payload) == data
        else:
            assert result.payload.encode() == data


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.none() | st.text(max_size=5) | st.integers() | st.floats(),
            "text": st.none() | st.text(max_size=20) | st.lists(st.integers()),
            "stars": st.none() | st.integers() | st.text(max_size=3) | st.floats(),
        },
    )
)
def test_fields_of_any_type_never_raise(values: dict[str, object]) -> None:
    result = parse_review(Payload(ORIGIN, PayloadKind.FIELDS, values), FIELDS)

    if isinstance(result, Review):
        assert result.text.strip()
        assert result.review_id.strip()
    else:
        assert result.payload_bytes > 0
