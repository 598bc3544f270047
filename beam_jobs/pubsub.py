"""Pub/Sub: messages -> payloads, rows -> messages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub, WriteToPubSub
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from beam_jobs.parsing import REJECTIONS, Rejected
from beam_jobs.rows import json_line
from schemas.errors import UserError
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Reason, RecordError, Stage, reject_data

MESSAGE_LIMIT_BYTES = 9_500_000
"""Pub/Sub takes requests of up to 10 MB, attributes included."""

ATTRIBUTE_LIMIT_BYTES = 1_024
"""Of a value, and of an ordering key. https://docs.cloud.google.com/pubsub/quotas"""

CHECK_TIMEOUT_SECONDS = 20.0


class MessageSource(NamedTuple):
    """Where messages come from.

    Attributes:
        path: `projects/P/subscriptions/S` or `projects/P/topics/T`.
        kind: how their data is to be read.
        id_label: attribute by which the runner is to leave out redelivered messages; empty where
            it can't. Only Dataflow can.
    """

    path: str
    kind: PayloadKind
    id_label: str

    @property
    def is_topic(self) -> bool:
        return "/topics/" in self.path


@dataclass(eq=False)
class ReadMessages(beam.PTransform):
    """Reads messages as they come.

    The element timestamps are the times of publication, so that the watermark follows what Pub/Sub
    has delivered, whatever the messages say of themselves.

    Attributes:
        source: what to read.
    """

    source: MessageSource

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection[Payload]:
        path = self.source.path
        return (
            begin
            | "ReadFromPubSub"
            >> ReadFromPubSub(
                topic=path if self.source.is_topic else None,
                subscription=None if self.source.is_topic else path,
                id_label=self.source.id_label or None,
                with_attributes=True,
            )
            | "ToPayload" >> beam.ParDo(_ToPayload(self.source))
        )


class _ToPayload(beam.DoFn):
    def __init__(self, source: MessageSource) -> None:
        self._source = source

    def process(
        self,
        message: PubsubMessage,
        published_at: Timestamp = beam.DoFn.TimestampParam,  # type: ignore[assignment]
    ) -> Iterator[Payload]:
        origin = Origin(
            self._source.path, message.message_id, published_at.to_utc_datetime(has_tz=True)
        )
        yield Payload(origin, self._source.kind, message.data, dict(message.attributes or {}))


@dataclass
class PublishRows(beam.PTransform):
    """Publishes rows as JSON, each a message.

    Takes a PCollection of dicts; gives one of `Rejection`: rows too large for a message.

    Attributes:
        topic: `projects/P/topics/T`.
        attributes: columns that become attributes too.
        ordering_key: the column that becomes the ordering key; empty for none.
    """

    topic: str
    attributes: Sequence[str]
    ordering_key: str = ""

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        to_message = _ToMessage(self.topic, self.attributes, self.ordering_key)
        messages = rows | "ToMessage" >> beam.ParDo(to_message).with_outputs(
            REJECTIONS, main="messages"
        )
        messages.messages.element_type = PubsubMessage
        _ = messages.messages | "WriteToPubSub" >> WriteToPubSub(
            self.topic,
            with_attributes=True,
            publish_with_ordering_key=bool(self.ordering_key),
        )
        return messages[REJECTIONS]


class _ToMessage(beam.DoFn):
    def __init__(self, topic: str, attributes: Sequence[str], ordering_key: str) -> None:
        self._topic = topic
        self._attributes = attributes
        self._ordering_key = ordering_key

    def process(self, row: Mapping[str, Any]) -> Iterator[PubsubMessage | Rejected]:
        data = json_line(row).encode("utf-8")
        if len(data) <= MESSAGE_LIMIT_BYTES:
            yield message_of(row, data, self._attributes, self._ordering_key)
            return
        problem = RecordError(Reason.TOO_LARGE, f"A row of {len(data):,} bytes is no message.")
        origin = Origin(self._topic, str(row.get("review_id", "")))
        yield TaggedOutput(REJECTIONS, reject_data(origin, Stage.WRITE, problem, data))


def message_of(
    row: Mapping[str, Any], data: bytes, attributes: Sequence[str], ordering_key: str
) -> PubsubMessage:
    """The message of a row.

    Args:
        row: the row.
        data: what the message holds.
        attributes: columns that become attributes too.
        ordering_key: the column that becomes the ordering key; empty for none. Rows whose keys
            begin with the same kilobyte are kept in order too.
    """
    values = {name: str(row[name]) for name in attributes}
    return PubsubMessage(data, values, ordering_key=_key(row.get(ordering_key)))


def _key(value: Any) -> str:
    text = "" if value is None else str(value)
    return text.encode("utf-8")[:ATTRIBUTE_LIMIT_BYTES].decode("utf-8", "ignore")


def check_paths(source: str, topics: Sequence[str]) -> None:
    """Makes sure that Pub/Sub knows the subscription and topics of a run.

    Whoever may use them need not be allowed to look at them: then they are taken on trust.

    Raises:
        UserError: there is no such thing, no credentials, or no answer.
    """
    try:
        if "/subscriptions/" in source:
            with SubscriberClient() as subscriber:
                _look_up(subscriber.get_subscription, subscription=source)
        else:
            topics = [source, *topics]
        publisher = PublisherClient()
        for topic in topics:
            _look_up(publisher.get_topic, topic=topic)
        publisher.stop()
    except GoogleAuthError as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"no credentials for Pub/Sub: {reason}") from error


def _look_up(get: Any, **path: str) -> None:
    (name,) = path.values()
    try:
        get(**path, retry=None, timeout=CHECK_TIMEOUT_SECONDS)
    except exceptions.PermissionDenied:
        return
    except exceptions.NotFound:
        raise UserError(f"{name} does not exist: create it, or check the project") from None
    except exceptions.GoogleAPICallError as error:
        raise UserError(f"{name}: Pub/Sub can't be asked: {error.message}") from error
