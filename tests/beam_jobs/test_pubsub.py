"""Messages and rows, without a server; tests/integration has one."""

import datetime
import json
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.utils.timestamp import Timestamp
from google.api_core import exceptions

from beam_jobs import pubsub
from beam_jobs.pubsub import (
    ATTRIBUTE_LIMIT_BYTES,
    MESSAGE_LIMIT_BYTES,
    MessageSource,
    _ToMessage,
    _ToPayload,
    check_paths,
    message_of,
)
from schemas.errors import UserError
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Reason, Rejection, Stage

SUBSCRIPTION = "projects/shop-reviews/subscriptions/new"
TOPIC = "projects/shop-reviews/topics/scores"
ROW = {"review_id": "r1", "label": "positive", "stars": None}


def test_a_message_becomes_a_payload() -> None:
    message = PubsubMessage(b'{"text": "fine"}', {"shop": "north"}, "17")
    source = MessageSource(SUBSCRIPTION, PayloadKind.JSON, "")

    (payload,) = _ToPayload(source).process(message, Timestamp(1_446_162_101.25))

    published_at = datetime.datetime(2015, 10, 29, 23, 41, 41, 250_000, datetime.timezone.utc)
    origin = Origin(SUBSCRIPTION, "17", published_at)
    assert payload == Payload(origin, PayloadKind.JSON, b'{"text": "fine"}', {"shop": "north"})


def test_a_row_becomes_a_message() -> None:
    message = message_of(ROW, b"{}", ("review_id", "label"), "review_id")

    assert message.data == b"{}"
    assert message.attributes == {"review_id": "r1", "label": "positive"}
    assert message.ordering_key == "r1"


def test_without_a_value_there_is_no_ordering_key() -> None:
    assert message_of(ROW, b"", (), "stars").ordering_key == ""
    assert message_of(ROW, b"", (), "").ordering_key == ""


def test_a_long_ordering_key_is_cut_between_characters() -> None:
    key = message_of({"review_id": "é" * 2_000}, b"", (), "review_id").ordering_key

    assert key == "é" * (ATTRIBUTE_LIMIT_BYTES // 2)


def test_the_data_is_the_row_as_json() -> None:
    (message,) = _ToMessage(TOPIC, ("label",), "").process(ROW)

    assert isinstance(message, PubsubMessage)
    assert json.loads(message.data) == ROW


def test_a_row_too_large_for_a_message_is_rejected() -> None:
    row = {"review_id": "r1", "notes": "x" * MESSAGE_LIMIT_BYTES}

    (refused,) = _ToMessage(TOPIC, ("review_id",), "").process(row)

    assert isinstance(refused, beam.pvalue.TaggedOutput)
    rejection = refused.value
    assert isinstance(rejection, Rejection)
    assert (rejection.stage, rejection.reason) == (Stage.WRITE, Reason.TOO_LARGE)
    assert rejection.origin == Origin(TOPIC, "r1")
    assert rejection.payload_bytes > MESSAGE_LIMIT_BYTES > len(rejection.payload)


class FakeClient:
    """Answers every look-up with one error, or none."""

    error: Exception | None = None

    def __enter__(self) -> "FakeClient":
        return self

    def __exit__(self, *_: object) -> None: ...

    def get_topic(self, **_: Any) -> None:
        if self.error:
            raise self.error

    get_subscription = get_topic

    def stop(self) -> None: ...


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.NotFound("no"), f"{SUBSCRIPTION} does not exist"),
        (exceptions.ServiceUnavailable("socket closed"), "can't be asked: socket closed"),
    ],
)
def test_what_pubsub_does_not_know_is_an_error(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    monkeypatch.setattr(FakeClient, "error", error)
    monkeypatch.setattr(pubsub, "SubscriberClient", FakeClient)

    with pytest.raises(UserError, match=words):
        check_paths(SUBSCRIPTION, [])


def test_what_may_not_be_looked_at_is_taken_on_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeClient, "error", exceptions.PermissionDenied("no"))
    monkeypatch.setattr(pubsub, "SubscriberClient", FakeClient)
    monkeypatch.setattr(pubsub, "PublisherClient", FakeClient)

    check_paths(SUBSCRIPTION, [TOPIC])
