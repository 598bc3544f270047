"""Ids that somebody might take for something else."""

import json

from tests.bad_input.kinds import SCORED, BadRecord

_TEXTS = {
    "a path to elsewhere": "../../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "a path of Windows": "C:\\windows\\system32",
    "an object in a bucket": "gs://bucket/object",
    "a URL": "https://example.com/?a=1&b=2#c",
    "a formula": "=cmd|' /C calc'!A0",
    "a template": "{id} %s%n ${id}",
    "a shell command": "$(reboot)",
    "SQL": "'; drop table reviews; --",
    "spaces around": " a ",
    "letters of many scripts": "映画 🎬 é",
    "two lines": "one\nanother",
    "a NUL": "a\0b",
    "quotes and commas": '"a","b"',
    "a direction mark": "\u202ea",
    "1,024 bytes": "i" * 1024,
    "the id of a file's record": "dump.jsonl#0",
    "a number as text": "007",
}

_NUMBERS = {"zero": b"0", "a negative number": b"-5", "a number of 30 digits": b"1" * 30}

RECORDS = [
    *(
        BadRecord(
            f"id is {name}", json.dumps({"id": value, "text": "Nice."}).encode(), SCORED, value
        )
        for name, value in _TEXTS.items()
    ),
    *(
        BadRecord(f"id is {name}", b'{"id": %s, "text": "Nice."}' % value, SCORED, value.decode())
        for name, value in _NUMBERS.items()
    ),
]
