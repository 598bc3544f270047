"""Files of TFRecords whose framing is damaged."""

import struct
from collections.abc import Mapping

from tests.bad_input.kinds import MISSING_TEXT, SCORED, UNREADABLE, BadFile
from tests.beam_jobs.formats.files import example, frame, masked_crc

_GOOD = frame(example({"text": [b"Nice."]}))


def _announcing(length: int) -> bytes:
    """A record that is said to have another length than it has."""
    data = struct.pack("<Q", length)
    return data + masked_crc(data) + _GOOD[12:]


def _flipped(at: int) -> bytes:
    return _GOOD[:at] + bytes([_GOOD[at] ^ 1]) + _GOOD[at + 1 :]


_DAMAGED = {
    "cut within a length": _GOOD[:5],
    "cut within the checksum of a length": _GOOD[:10],
    "cut before a record": _GOOD[:12],
    "cut within a record": _GOOD[:20],
    "cut within a checksum": _GOOD[:-1],
    "with a flipped bit in a length": _flipped(0),
    "with a flipped bit in the checksum of a length": _flipped(8),
    "with a flipped bit in a record": _flipped(20),
    "with a flipped bit in a checksum": _flipped(len(_GOOD) - 1),
    "with a checksum that is not masked": _GOOD[:8] + b"\0\0\0\0" + _GOOD[12:],
    "with a record of a gigabyte, cut": _announcing(2**30),
    "with a record of exabytes": _announcing(2**63),
    "with a length too short": _announcing(5),
    "with a length of zero": _announcing(0),
    "with words after it": b"words",
    "with NULs after it": b"\0" * 64,
    "with JSONL after it": b'{"text": "Nice."}\n',
}

_AT_ONCE = {
    "that is JSONL": b'{"text": "Nice."}\n' * 3,
    "that is gzip": b"\x1f\x8b\x08\0" * 9,
    "of bare examples": example({"text": [b"Nice."]}),
    "with lengths of four bytes": struct.pack("<I", 20) + _GOOD[12:],
    "with lengths the other way round": struct.pack(">Q", 20) + _GOOD[8:],
    "with a byte order mark": b"\xef\xbb\xbf" + _GOOD,
}


def _file(what: str, content: bytes, outcomes: Mapping[str, str]) -> BadFile:
    return BadFile(f"TFRecord {what}", ".tfrecord", content, outcomes)


_WITHOUT_FEATURES = {
    "of an empty message": b"",
    "of a message of other fields": b"\x7a\x03abc",
    "of features of another type": b"\x08\x05",
}

FILES = [
    *(_file(w, _GOOD + bad, {"0": SCORED, "1": UNREADABLE}) for w, bad in _DAMAGED.items()),
    *(_file(what, content, {"0": UNREADABLE}) for what, content in _AT_ONCE.items()),
    *(_file(w, frame(data), {"0": MISSING_TEXT}) for w, data in _WITHOUT_FEATURES.items()),
    _file("of no bytes", b"", {}),
    _file("concatenated", _GOOD + _GOOD, {"0": SCORED, "1": SCORED}),
]
