"""Targets: Avro and Parquet, as broken files and as sound files of anything that they can hold."""

import io
import struct
from collections.abc import Callable, Sequence
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.field import FieldType
from schemas.payload import Payload
from schemas.rejection import Reason, Rejection
from tests.beam_jobs.formats.files import avro, parquet
from tests.fuzz.checks import check_parsed, check_rejection
from tests.fuzz.choices import Choices, Target
from tests.fuzz.files import TEXTS, Item, check_described, file_of, read, unreadable_from

MARKER = b"sixteen bytes..."


def _check_items(items: Sequence[Item]) -> None:
    """Every record is a review or a rejection, and none has the place of another."""
    assert len({item.origin.position for item in items}) == len(items)
    for item in items[:20]:
        if isinstance(item, Payload):
            check_parsed(item)
        elif item.reason is not Reason.UNREADABLE_FILE:
            assert item.reason is Reason.MALFORMED_RECORD
            check_rejection(item, b"")


def _read_both_ways(content: bytes, name: str, step: int) -> list[Item]:
    """The items of a file; if it is whole, ranges of it have the same."""
    with file_of(content, name) as path:
        items = read(path)
        if not unreadable_from(items):
            assert repr(read(path, step)) == repr(items)  # NaN is not equal to itself
        check_described(path)
    _check_items(items)
    return items


def broken_parquet(data: bytes) -> None:
    """Whatever the bytes, a file of Parquet is read up to where it is damaged."""
    _read_both_ways(data, "broken.parquet", 200)


def broken_avro(data: bytes) -> None:
    """Whatever the bytes, a file of Avro is read up to where it is damaged."""
    _read_both_ways(data, "broken.avro", 200)


AVRO_TYPES: Sequence[Any] = (
    *("null", "boolean", "int", "long", "float", "double", "bytes", "string"),
    {"type": "fixed", "name": "F", "size": 3},
    {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"},
    {"type": "enum", "name": "E", "symbols": ["good", "bad"]},
    {"type": "array", "items": "string"},
    {"type": "map", "values": ["null", "double", {"type": "array", "items": "bytes"}]},
    ["null", "string"],
    ["null", "long", "Record"],
    {"type": "string", "logicalType": "uuid"},
    ["null", {"type": "string", "logicalType": "uuid"}],
    {"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 3},
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    *(
        {"type": "long", "logicalType": f"{zone}timestamp-{unit}"}
        for zone in ("", "local-")
        for unit in ("millis", "micros", "nanos")
    ),
    {"type": "string", "logicalType": ["no", "such"]},
)


def avro_block(data: bytes) -> None:
    """A block of any bytes under any schema is read up to the record that isn't one."""
    choices = Choices(data)
    names = ["text", "id", *(kind.value for kind in FieldType)]
    fields = {choices.one_of(names): choices.one_of(AVRO_TYPES) for _ in range(choices.number(4))}
    count = choices.number(256)
    try:
        content = _avro_file(fields, count, choices.rest())
    except fastavro.schema.SchemaParseException:
        return  # two fields define types of one name
    items = _read_both_ways(content, "block.avro", 100)
    places = [item.origin.position for item in items]
    offset = content.index(MARKER) + len(MARKER)
    assert places == [f"{offset}:{index}" for index in range(len(places))] or not fields
    if fields and not unreadable_from(items):
        assert len(items) == count


def _avro_file(fields: dict[str, Any], count: int, block: bytes) -> bytes:
    schema = {
        "type": "record",
        "name": "Record",
        "fields": [{"name": name, "type": type_} for name, type_ in fields.items()],
    }
    out = io.BytesIO()
    fastavro.writer(out, schema, [], sync_marker=MARKER)
    size = io.BytesIO()
    for number in (count, len(block)):
        fastavro.schemaless_writer(size, "long", number)
    return out.getvalue() + size.getvalue() + block + MARKER


def _zone(unit: str) -> Callable[[Choices], pa.DataType]:
    return lambda choices: pa.timestamp(unit, choices.one_of([None, "UTC", "+05:30", "Mars/Sea"]))


PLAIN_TYPES: Sequence[pa.DataType] = (
    *(pa.int8(), pa.int64(), pa.uint8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    *(pa.timestamp("us", zone) for zone in ("UTC", "+05:30", "Mars/Sea")),
    *(pa.timestamp("ns", "UTC"), pa.date32(), pa.date64(), pa.time32("ms"), pa.time64("ns")),
    *(pa.duration("s"), pa.duration("ns"), pa.decimal128(38, 2), pa.decimal256(76, 3)),
    *(pa.binary(16), pa.binary(1), pa.month_day_nano_interval()),
)

TEXT_TYPES = (pa.string(), pa.binary(), pa.large_string(), pa.large_binary())

ROWS = 3


def arrow_columns(data: bytes) -> None:
    """A sound Parquet file of any types and any values has a row for each of its rows."""
    choices = Choices(data)
    names = ["text", "id", *(kind.value for kind in FieldType)]
    columns = {choices.one_of(names): _column(choices) for _ in range(1 + choices.number(3))}
    out = io.BytesIO()
    try:
        pq.write_table(pa.table(columns), out)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError):
        return  # not a type of Parquet's, or a value that its writer refuses
    items = _read_both_ways(out.getvalue(), "types.parquet", 100)
    assert [item.origin.position for item in items] == ["0", "1", "2"]
    assert not any(isinstance(i, Rejection) and i.reason is Reason.UNREADABLE_FILE for i in items)


def _column(choices: Choices) -> pa.Array:
    form = choices.number(6)
    if form == 0:
        return _texts(choices)
    plain = _plain(choices)
    if form == 1:
        return pa.ListArray.from_arrays(pa.array([0, 1, 1, 3], pa.int32()), plain)
    if form == 2:
        return pa.StructArray.from_arrays([plain, _texts(choices)], ["a", "b"])
    if form == 3:  # Arrow refuses a whole dictionary of strings that has one that isn't UTF-8
        words = pa.array([choices.piece().decode("utf-8", "replace") for _ in range(ROWS)])
        return pa.DictionaryArray.from_arrays(pa.array([2, None, 0], pa.int8()), words)
    if form == 4:
        return pa.MapArray.from_arrays(pa.array([0, 1, 1, 3], pa.int32()), _texts(choices), plain)
    return plain


def _texts(choices: Choices) -> pa.Array:
    kind = choices.one_of(TEXT_TYPES)
    values = pa.array([choices.piece() for _ in range(ROWS)], _as_binary(kind))
    return pa.Array.from_buffers(kind, ROWS, values.buffers())


def _as_binary(kind: pa.DataType) -> pa.DataType:
    return pa.large_binary() if kind in TEXT_TYPES[2:] else pa.binary()


def _plain(choices: Choices) -> pa.Array:
    kind = choices.one_of(PLAIN_TYPES)
    size = kind.bit_width // 8
    values = b"".join(choices.piece().ljust(size, b"\0")[:size] for _ in range(ROWS))
    return pa.Array.from_buffers(kind, ROWS, [None, pa.py_buffer(values)])


def _extremes() -> list[bytes]:
    numbers = [struct.pack("<q", number) for number in (1, -(2**63), 253402300800)]
    return [bytes([8]) + number for number in numbers]


TARGETS = {
    "parquet": Target(
        broken_parquet,
        [
            parquet(TEXTS),
            parquet(TEXTS, use_dictionary=False, write_page_checksum=True, compression="none"),
            b"PAR1",
        ],
    ),
    "avro": Target(broken_avro, [avro(TEXTS), avro(TEXTS, codec="deflate"), b"Obj\1"]),
    "avro_block": Target(
        avro_block,
        [
            b"\2\0\7\1\7\2\10good\2a\6bad\2b",
            *(
                bytes([1, 2 + field, kind, 2]) + content
                for kind in range(len(AVRO_TYPES))
                for field in (0, 4, 6)
                for content in (b"\2a\2b", b"\2\2\2\0\2", b"\xff" * 9 + b"\1" + b"\xfe" * 9 + b"\1")
            ),
        ],
    ),
    "arrow": Target(
        arrow_columns,
        [
            bytes([0, 2 + field, form, kind]) + number * 3 + b"\1a\0\1b"
            for form, field in ((1, 0), (4, 8), (5, 4), (5, 6))
            for kind in range(len(PLAIN_TYPES))
            for number in _extremes()
        ]
        + [
            bytes([0, 2, form, kind]) + b"\4good\2\xff\xfe\0"
            for form in (0, 3)
            for kind in range(4)
        ],
    ),
}
