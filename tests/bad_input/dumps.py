"""Dumps that hold all bad records of a format, each between good ones."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_input import encodings, ids, json_syntax, json_values, rows, text_lines, typed_rows
from tests.bad_input.kinds import NO_RECORD, SCORED, BadRecord
from tests.beam_jobs.formats.files import example, frame


class Dump(NamedTuple):
    """A file of good and bad records.

    Attributes:
        file: its name.
        content: its bytes.
        records: each record that is read, by its position.
    """

    file: str
    content: bytes
    records: Mapping[str, BadRecord]


_JSON_FIELDS: Mapping[str, Any] = {"stars": 5, "price": 9.5, "sold": True, "tags": []}


def good(number: int) -> dict[str, Any]:
    """The fields of a review with nothing wrong; TSV and CSV hold them as text."""
    return rows.row(f"good-{number}")


def between_good_ones(kinds: Sequence[BadRecord]) -> list[BadRecord]:
    """Good records with one of these between any two."""
    found = [BadRecord("good", good(0), SCORED, "good-0")]
    for number, kind in enumerate(kinds, start=1):
        found += [kind, BadRecord("good", good(number), SCORED, f"good-{number}")]
    return found


def by_index(kinds: Sequence[BadRecord]) -> dict[str, BadRecord]:
    read = (kind for kind in kinds if kind.outcome != NO_RECORD)
    return {str(index): kind for index, kind in enumerate(read)}


def lines(file: str, kinds: Sequence[BadRecord], line: Callable[[Any], bytes]) -> Dump:
    """Records by the offsets of their lines."""
    content, found = bytearray(), {}
    for kind in between_good_ones(kinds):
        if kind.outcome != NO_RECORD:
            found[str(len(content))] = kind
        content += (kind.data if isinstance(kind.data, bytes) else line(kind.data)) + b"\n"
    return Dump(file, bytes(content), found)


def jsonl(kinds: Sequence[BadRecord]) -> Dump:
    return lines(
        "dump.jsonl", kinds, lambda values: json.dumps({**values, **_JSON_FIELDS}).encode()
    )


def text_dump() -> Dump:
    dump = lines("dump.txt", text_lines.RECORDS, lambda values: values["text"].encode())
    without_ids = {at: kind._replace(review_id="") for at, kind in dump.records.items()}
    return dump._replace(records=without_ids)


def delimited(file: str, kinds: Sequence[BadRecord], delimiter: str) -> Dump:
    found = between_good_ones(kinds)
    content = [delimiter.join(rows.FIELDS).encode(), *(_line(kind, delimiter) for kind in found)]
    return Dump(file, b"\r\n".join(content) + b"\r\n", by_index(found))


def _line(kind: BadRecord, delimiter: str) -> bytes:
    if isinstance(kind.data, bytes):
        return kind.data
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(kind.data.values())
    return out.getvalue().encode("utf-8", "surrogateescape")


_ANY = ["null", "string", "bytes", "long", "double", "boolean"]
_ANY_OR_MANY = [*_ANY, {"type": "array", "items": "string"}, {"type": "map", "values": "string"}]
AVRO_SCHEMA = {
    "type": "record",
    "name": "Review",
    "fields": [{"name": name, "type": _ANY_OR_MANY, "default": None} for name in rows.FIELDS],
}


def avro(kinds: Sequence[BadRecord]) -> Dump:
    """One block holds all records."""
    found = between_good_ones(kinds)
    out = io.BytesIO()
    fastavro.writer(out, AVRO_SCHEMA, [kind.data for kind in found], sync_interval=2**30)
    (block,) = fastavro.block_reader(io.BytesIO(out.getvalue()))
    positions = (f"{block.offset}:{index}" for index in range(len(found)))
    return Dump("dump.avro", out.getvalue(), dict(zip(positions, found, strict=True)))


def parquet(kinds: Sequence[BadRecord]) -> Dump:
    """All columns hold bytes that are said to be strings, rightly or not."""
    found = between_good_ones(kinds)
    columns = {}
    for name in rows.FIELDS:
        values = [_encoded(kind.data.get(name)) for kind in found if isinstance(kind.data, Mapping)]
        columns[name] = pa.array(values, pa.binary()).view(pa.string())
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return Dump("dump.parquet", out.getvalue(), by_index(found))


def tfrecord(kinds: Sequence[BadRecord]) -> Dump:
    found = between_good_ones(kinds)
    content = b"".join(frame(_example(kind.data)) for kind in found)
    return Dump("dump.tfrecord", content, by_index(found))


def _example(data: bytes | Mapping[str, Any]) -> bytes:
    if isinstance(data, bytes):
        return data
    values = {name: value if isinstance(value, list) else [value] for name, value in data.items()}
    return example({name: [_encoded(one) for one in many] for name, many in values.items()})


def _encoded(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def dumps_of_fields() -> list[Dump]:
    """All dumps but that of plain text, which has no ids."""
    return [
        jsonl([*json_syntax.RECORDS, *json_values.RECORDS, *ids.RECORDS, *encodings.JSON]),
        delimited("dump.csv", rows.CSV, ","),
        delimited("dump.tsv", rows.TSV, "\t"),
        avro(typed_rows.AVRO),
        parquet(typed_rows.PARQUET),
        tfrecord(typed_rows.TFRECORD),
    ]


def good_dumps() -> list[Dump]:
    """Dumps of one good record each. Their names come first: they tell which fields there are."""
    dumps = [
        jsonl([]),
        delimited("dump.csv", [], ","),
        delimited("dump.tsv", [], "\t"),
        avro([]),
        parquet([]),
        tfrecord([]),
    ]
    return [dump._replace(file=f"0 {dump.file}") for dump in dumps]
