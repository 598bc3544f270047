"""Messages as a long day brings them: good, damaged, published twice, late, too late."""

import datetime
import json
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from google.cloud import pubsub_v1

WINDOW = datetime.timedelta(seconds=5)
OPTIONS = [
    *("--id_attribute", "id", "--timestamp_attribute", "written"),
    *("--keep_attributes", "stars:int64", "--deduplicate", "10m"),
    *("--window", "5s", "--allowed_lateness", "12h"),
]
"""How the job is to read the messages."""

SCORED, DUPLICATE = "scored", "duplicate"

AT_ONCE = datetime.timedelta()
LATE = (2 * WINDOW, datetime.timedelta(hours=1), datetime.timedelta(hours=11))
TOO_LATE = datetime.timedelta(hours=13)

DEPTH = 10_000
HUGE = b'{"text": "' + 900_000 * b"long words" + b'"}'
GOOD = b'{"text": "Nice."}'


class Draft(NamedTuple):
    """A message that still lacks id and time.

    Attributes:
        outcome: what is to become of it: `SCORED`, or the reason of its rejection.
        data: what it holds.
        changed: attributes that differ from what they would be.
        age: how long after it was written the review is published.
        text: the review, where it is to be scored.
    """

    outcome: str
    data: bytes
    changed: Mapping[str, str] = {}
    age: datetime.timedelta = AT_ONCE
    text: str = ""


POISON = (
    Draft("not_utf8", b'{"text": "caf\xe9"}'),
    Draft("not_utf8", b'{"text": "\\ud800"}'),
    Draft("malformed_record", b'{"text": "Nice'),
    Draft("malformed_record", b'["Nice."]'),
    Draft("malformed_record", b'{"text": "Nice.", "n": NaN}'),
    Draft("malformed_record", b'{"text": ' + DEPTH * b"[" + DEPTH * b"]" + b"}"),
    Draft("malformed_record", DEPTH * b'{"text": ' + b"1" + DEPTH * b"}"),
    Draft("malformed_record", b""),
    Draft("missing_text", b'{"body": "Nice."}'),
    Draft("missing_text", b'{"text": null}'),
    Draft("text_not_string", b'{"text": 5}'),
    Draft("text_not_string", b'{"text": {"en": "Nice."}}'),
    Draft("empty_text", b'{"text": ""}'),
    Draft("empty_text", b'{"text": " \\n\\u00a0"}'),
    Draft("bad_id", GOOD, {"id": " "}),
    Draft("bad_id", GOOD, {"id": ""}),
    Draft("bad_timestamp", GOOD, {"written": "yesterday"}),
    Draft("bad_timestamp", GOOD, {"written": "9999999999999"}),
    Draft("bad_field", GOOD, {"stars": "many"}),
    Draft("too_large", HUGE),
)


class Publication(NamedTuple):
    """A message to be published.

    Attributes:
        outcome: what is to become of it: `SCORED`, `DUPLICATE`, or the reason of its rejection.
        data: what it holds.
        attributes: id, stars, and when the review was written.
        text: the review, where it is to be scored.
        written: when the review was written, in UTC.
    """

    outcome: str
    data: bytes
    attributes: Mapping[str, str]
    text: str
    written: datetime.datetime


def mixed(
    texts: Sequence[str], late: int, too_late: int, poison: int, duplicates: int, per_second: float
) -> list[Publication]:
    """Every text once, mixed with what must not be scored.

    Args:
        texts: the reviews.
        late: how many of them are late.
        too_late: number of messages that are too late.
        poison: number of damaged messages.
        duplicates: number of messages that are published again.
        per_second: at what rate they are to be published from now on: each review is written when
            it is published, unless it is late.
    """
    chance = random.Random(5)
    drafts = [
        Draft(SCORED, json.dumps({"text": text}).encode("utf-8"), {}, age, text)
        for text, age in zip(texts, ages(len(texts), late), strict=True)
    ]
    drafts += [POISON[i % len(POISON)] for i in range(poison)]
    drafts += too_late * [Draft("too_late", GOOD, {}, TOO_LATE)]
    chance.shuffle(drafts)
    start = datetime.datetime.now(datetime.timezone.utc)
    step = datetime.timedelta(seconds=1 / per_second)
    messages = [publication(i, draft, start + i * step) for i, draft in enumerate(drafts)]
    for again in chance.sample([one for one in messages if one.outcome == SCORED], duplicates):
        later = chance.randint(messages.index(again) + 1, len(messages))
        messages.insert(later, again._replace(outcome=DUPLICATE))
    return messages


def ages(number: int, late: int) -> list[datetime.timedelta]:
    """How long after it was written each of a number of reviews is published."""
    return [LATE[i % len(LATE)] for i in range(late)] + (number - late) * [AT_ONCE]


def publication(number: int, draft: Draft, published_at: datetime.datetime) -> Publication:
    """A message with an id; every other one has its time in milliseconds."""
    milliseconds = int((published_at - draft.age).timestamp() * 1_000)
    written = datetime.datetime.fromtimestamp(milliseconds / 1_000, datetime.timezone.utc)
    text = str(milliseconds) if number % 2 else written.isoformat()
    values = {"id": f"r{number}", "stars": str(number % 5 + 1), "written": text}
    return Publication(draft.outcome, draft.data, {**values, **draft.changed}, draft.text, written)


def publish(
    topic: str, messages: Iterable[Publication], per_second: float
) -> dict[str, Publication]:
    """Publishes messages at a steady rate; gives them by their message ids."""
    publisher = pubsub_v1.PublisherClient()
    started = time.monotonic()
    taken: list[tuple[Future[str], Publication]] = []
    for number, message in enumerate(messages):
        time.sleep(max(0.0, started + number / per_second - time.monotonic()))
        future = publisher.publish(topic, message.data, **message.attributes)
        taken.append((future, message))
    return {future.result(): message for future, message in taken}
