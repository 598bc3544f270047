"""When a message's review was written, as an attribute says."""

import datetime
import re

from schemas.payload import Payload
from schemas.rejection import Reason, RecordError

CLOCK_SKEW = datetime.timedelta(days=1)
"""A review written later than this after its publication is a mistake, not a fast clock."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MILLISECONDS = re.compile(r"-?\d{1,15}", re.ASCII)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def event_time(payload: Payload, attribute: str) -> datetime.datetime | None:
    """When the review of a payload was written.

    Args:
        payload: the record.
        attribute: the attribute that says when; empty for none.

    Returns:
        An aware time in UTC, microseconds: that of the attribute; without it the time at which
        the message was published; None for files.

    Raises:
        RecordError: the attribute holds no time, or one that is yet to come.
    """
    published_at = payload.origin.published_at
    text = payload.attributes.get(attribute) if attribute else None
    if text is None:
        return published_at
    try:
        written_at = parse_time(text)
    except (ValueError, OverflowError) as error:
        raise RecordError(Reason.BAD_TIMESTAMP) from error
    if published_at is not None and written_at - published_at > CLOCK_SKEW:
        raise RecordError(Reason.BAD_TIMESTAMP)
    return written_at


def parse_time(text: str) -> datetime.datetime:
    """Reads a time as Pub/Sub's timestamp attributes have it.

    Args:
        text: RFC 3339, or milliseconds since 1970. Digits beyond microseconds are dropped.

    Raises:
        ValueError, OverflowError: it is no such time.
    """
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + datetime.timedelta(milliseconds=int(text))
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("neither RFC 3339 nor milliseconds")
    date, time, fraction, zone = match.groups()
    microseconds = (fraction or "").ljust(6, "0")[:6]
    offset = "+00:00" if zone in "Zz" else zone
    return datetime.datetime.fromisoformat(f"{date}T{time}.{microseconds}{offset}").astimezone(
        datetime.timezone.utc
    )
