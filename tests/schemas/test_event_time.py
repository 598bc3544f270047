import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event_time import event_time, parse_time
from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Reason, RecordError

UTC = datetime.timezone.utc
PUBLISHED = datetime.datetime(2026, 11, 22, 10, 5, tzinfo=UTC)


def message(**attributes: str) -> Payload:
    return Payload(Origin("s", "1", PUBLISHED), PayloadKind.JSON, b"{}", attributes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", datetime.datetime(1970, 1, 1, tzinfo=UTC)),
        ("1446162101123", datetime.datetime(2015, 10, 29, 23, 41, 41, 123_000, tzinfo=UTC)),
        ("2015-10-29T23:41:41.123Z", datetime.datetime(2015, 10, 29, 23, 41, 41, 123_000, UTC)),
        ("2015-10-30T01:41:41+02:00", datetime.datetime(2015, 10, 29, 23, 41, 41, tzinfo=UTC)),
        (
            "2015-10-29t23:41:41.123456789z",
            datetime.datetime(2015, 10, 29, 23, 41, 41, 123_456, UTC),
        ),
    ],
)
def test_reads_the_two_forms_of_pubsub(text: str, expected: datetime.datetime) -> None:
    assert parse_time(text) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_reads_back_what_python_writes(moment: datetime.datetime) -> None:
    assert parse_time(moment.isoformat()) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-22",
        "2026-11-22T10:05:00",  # without an offset it could be any time
        "2026-13-22T10:05:00Z",
        "2026-W47-7T10:05:00Z",
        "1e12",
        "9" * 15,  # milliseconds in the year 33,658
        "9" * 5_000,
        "0001-01-01T00:00:00+14:00",  # before the first year
        "٢٠٢٦",
        "2026-11-24T10:05:00Z",  # two days after it was published
    ],
)
def test_refuses_what_is_no_time_or_yet_to_come(text: str) -> None:
    with pytest.raises(RecordError) as caught:
        event_time(message(written=text), "written")

    assert caught.value.reason is Reason.BAD_TIMESTAMP


def test_without_the_attribute_it_is_the_time_of_publication() -> None:
    assert event_time(message(other="0"), "written") == PUBLISHED
    assert event_time(message(written="0"), "") == PUBLISHED


def test_files_have_none() -> None:
    assert event_time(Payload(Origin("f", "0"), PayloadKind.JSON, b"{}"), "") is None
