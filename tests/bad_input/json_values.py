"""JSON objects that hold something other than a review."""

from collections.abc import Mapping

from tests.bad_input.kinds import (
    BAD_FIELD,
    BAD_ID,
    EMPTY_TEXT,
    MALFORMED,
    MISSING_TEXT,
    NOT_UTF8,
    SCORED,
    TEXT_NOT_STRING,
    TOO_LARGE,
    BadRecord,
    records,
)


def _objects(outcome: str, members: str, values: Mapping[str, str]) -> list[BadRecord]:
    """Objects that differ in one value, put in the place of `%s`."""
    data = {name: ("{" + members % value + "}").encode() for name, value in values.items()}
    return records(outcome, data)


def _scored(members: str, values: Mapping[str, str]) -> list[BadRecord]:
    """Objects that are scored in spite of a value; each has its name as its id."""
    data = {
        name: (f'{{"id": "{name}", ' + members % value + "}").encode()
        for name, value in values.items()
    }
    return records(SCORED, data)


_WITHOUT_TEXT = {
    "no text": '"body": "Nice."',
    "text is null": '"text": null',
    "Text in upper case": '"Text": "Nice."',
    "a space in the name of text": '"text ": "Nice."',
    "a zero-width space in the name of text": '"text\u200b": "Nice."',
    "text one level down": '"review": {"text": "Nice."}',
    "text by a path": '"review.text": "Nice."',
    "text again as null": '"text": "Nice.", "text": null',
}

_NO_TEXT = {
    "text is an integer": "5",
    "text is zero": "0",
    "text is a float": "0.5",
    "text is beyond all floats": "1e999",
    "text is true": "true",
    "text is false": "false",
    "text is an empty list": "[]",
    "text is a list of texts": '["Nice.", "Good."]',
    "text is an empty object": "{}",
    "text is an object of texts": '{"en": "Nice."}',
}

_EMPTY_TEXT = {
    "text is empty": '""',
    "text is spaces": '"   "',
    "text is line ends": r'"\r\n\n"',
    "text is tabs": r'"\t\t"',
    "text is no-break spaces": '"\u00a0\u00a0"',
    "text is ideographic spaces": '"\u3000"',
    "text is a line separator": r'"\u2028"',
    "text is a unit separator": r'"\u001f"',
}

_NO_UNICODE = {
    "a high surrogate alone": r'"Nice\ud83d"',
    "a low surrogate alone": r'"\ude00Nice"',
    "surrogates in the wrong order": r'"\ude00\ud83d"',
    "two high surrogates": r'"\ud83d\ud83d\ude00"',
}

_NO_ID = {
    "id is null": "null",
    "id is empty": '""',
    "id is spaces": '"  "',
    "id is a line end": r'"\n"',
    "id is true": "true",
    "id is a float": "1.5",
    "id is a float that is whole": "1.0",
    "id is a number with an exponent": "1e3",
    "id is a list": '["a"]',
    "id is an object": '{"$oid": "a"}',
    "id of 1,025 bytes": '"%s"' % ("i" * 1025),
    "id of 600 characters and 1,200 bytes": '"%s"' % ("é" * 600),
    "id is a number of 1,100 digits": "1" * 1100,
}

_NO_KEPT_FIELD = {
    "integer is a word": '"stars": "many"',
    "integer is empty": '"stars": ""',
    "integer is a fraction": '"stars": 4.5',
    "integer has a point": '"stars": 4.0',
    "integer is true": '"stars": true',
    "integer is a list": '"stars": [5]',
    "integer is an object": '"stars": {"value": 5}',
    "integer of 65 bits": '"stars": 9223372036854775808',
    "integer below 64 bits": '"stars": -9223372036854775809',
    "integer as text with an underscore": '"stars": "1_000"',
    "integer as text with a comma": '"stars": "1,000"',
    "integer as text of 5,000 digits": '"stars": "%s"' % ("9" * 5000),
    "float is a word": '"price": "dear"',
    "float is true": '"price": true',
    "float has a decimal comma": '"price": "9,50"',
    "float has a currency": '"price": "$9.50"',
    "float as text with an underscore": '"price": "1_0.5"',
    "float of 400 digits": '"price": %s' % ("9" * 400),
    "float is a list": '"price": []',
    "truth is 1": '"sold": 1',
    "truth is yes": '"sold": "yes"',
    "truth is empty": '"sold": ""',
    "truth is an object": '"sold": {}',
    "time is milliseconds": '"written": 1714521600000',
    "time is a word": '"written": "yesterday"',
    "time is empty": '"written": ""',
    "time in month 13": '"written": "2024-13-01T10:00:00Z"',
    "time on February 30": '"written": "2024-02-30T10:00:00Z"',
    "time at 25 o'clock": '"written": "2024-05-01T25:00:00Z"',
    "time in the year 10000": '"written": "10000-01-01T00:00:00Z"',
    "time before the year 1 in UTC": '"written": "0001-01-01T00:00:00+14:00"',
    "time after the year 9999 in UTC": '"written": "9999-12-31T23:59:59-14:00"',
    "time in American order": '"written": "05/01/2024 10:00 AM"',
    "time is an object": '"written": {"$date": 0}',
    "day is a time": '"day": "2024-05-01T10:00:00"',
    "day is February 29, 2023": '"day": "2023-02-29"',
    "day is a number": '"day": 20240501',
    "day in German order": '"day": "01.05.2024"',
    "string is a number": '"note": 5',
    "string is a list": '"note": ["a"]',
    "string is false": '"note": false',
    "string is an object": '"note": {}',
    "string holds a surrogate": r'"note": "\ud800"',
    "JSON holds a surrogate": r'"tags": ["\ud800"]',
    "JSON names by a surrogate": r'"tags": {"\udfff": 1}',
    "JSON holds what no float holds": '"tags": [1e999]',
}

_FINE = {
    "text of a million characters": '"text": "%s"' % ("Nice. " * 166_666 + "Nice"),
    "text is zero-width spaces": '"text": "\u200b\u200b"',
    "text is a byte order mark": r'"text": "\ufeff"',
    "text is a NUL": r'"text": "\u0000"',
    "text is a control character": r'"text": "\u0007"',
    "text is replacement characters": '"text": "\ufffd\ufffd"',
    "text is no character of Unicode": r'"text": "\uffff"',
    "text is of private use": r'"text": "\ue000"',
    "text of one letter with 10,000 accents": '"text": "e%s"' % ("\u0301" * 10_000),
    "text of one word of 500,000 letters": '"text": "%s"' % ("n" * 500_000),
    "text changes direction": '"text": "\u202eecin yreV"',
    "text is JSON": r'"text": "{\"text\": 5}"',
    "text is HTML": '"text": "<script>alert(1)</script><br />"',
    "text is the word null": '"text": "null"',
    "text is a formula": r'"text": "=HYPERLINK(\"http://example.com\")"',
    "text is special tokens": '"text": "[CLS] [SEP] [PAD] [MASK]"',
    "text is a surrogate pair": r'"text": "\ud83d\ude00"',
    "an unused field holds a surrogate": r'"text": "Nice.", "other": "\ud800"',
    "integer as text": '"text": "Nice.", "stars": " 5 "',
    "negative zero": '"text": "Nice.", "stars": -0, "price": -0.0',
    "infinite float": '"text": "Nice.", "price": 1e999',
    "float as the word NaN": '"text": "Nice.", "price": "NaN"',
    "all kept fields are null": '"text": "Nice.", "stars": null, "note": null, "tags": null',
    "leap second's neighbour": '"text": "Nice.", "written": "2016-12-31T23:59:59.999999Z"',
    "time without a zone": '"text": "Nice.", "written": "2024-05-01T10:00:00"',
    "time in the year 1": '"text": "Nice.", "written": "0001-01-01T00:00:00Z"',
    "JSON that is a string": '"text": "Nice.", "tags": "one"',
}

RECORDS = [
    *_objects(MISSING_TEXT, '"id": "a", %s', _WITHOUT_TEXT),
    *_objects(TEXT_NOT_STRING, '"id": "a", "text": %s', _NO_TEXT),
    *_objects(EMPTY_TEXT, '"id": "a", "text": %s', _EMPTY_TEXT),
    *_objects(NOT_UTF8, '"id": "a", "text": %s', _NO_UNICODE),
    *_objects(NOT_UTF8, '"id": %s, "text": "Nice."', {"id is a surrogate": r'"\ud800"'}),
    *_objects(BAD_ID, '%s"text": "Nice."', {"no id": "", "ID in upper case": '"ID": "a", '}),
    *_objects(BAD_ID, "%s", {"an empty object": ""}),
    *_objects(BAD_ID, '"id": %s, "text": "Nice."', _NO_ID),
    *_objects(MALFORMED, '"id": %s, "text": "N."', {"id is a number of 5,000 digits": "1" * 5000}),
    *_objects(BAD_FIELD, '"id": "a", "text": "Nice.", %s', _NO_KEPT_FIELD),
    *_objects(
        TOO_LARGE,
        '"id": "a", "text": "%s"',
        {"text of a million and one": "N" * 1_000_001},
    ),
    *_scored("%s", _FINE),
]
