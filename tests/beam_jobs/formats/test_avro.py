import datetime
import io
import uuid
from pathlib import Path
from typing import Any

import fastavro
import pytest

from beam_jobs.formats.avro import AVRO
from schemas.errors import UserError
from schemas.rejection import Reason, Rejection
from tests.beam_jobs.formats import files
from tests.beam_jobs.formats.files import movie_reviews, outcomes, read, texts_by_position

UTC = datetime.timezone.utc
ENUM = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}

FIELDS: dict[str, tuple[Any, str, Any]] = {
    "int": ("int", "int64", 7),
    "float": (["null", "float"], "float64", 0.5),
    "number": (["null", "int", "double"], "float64", 0.5),
    "bool": ("boolean", "bool", True),
    "bytes": ("bytes", "string", b"a"),
    "fixed": ({"type": "fixed", "name": "Two", "size": 2}, "string", b"ab"),
    "enum": (ENUM, "string", "A"),
    "again": (["null", "Kind"], "string", "B"),
    "uuid": ({"type": "string", "logicalType": "uuid"}, "string", str(uuid.UUID(int=5))),
    "no_uuid": (["null", {"type": "string", "logicalType": "uuid"}], "string", None),
    "time": (
        {"type": "long", "logicalType": "timestamp-millis"},
        "timestamp",
        datetime.datetime(2024, 5, 1, tzinfo=UTC),
    ),
    "date": ({"type": "int", "logicalType": "date"}, "date", datetime.date(2024, 5, 1)),
    "list": ({"type": "array", "items": "int"}, "json", [1, 2]),
    "map": ({"type": "map", "values": "int"}, "json", {"a": 1}),
    "mixed": (["string", "int"], "json", "a"),
    "null": ("null", "string", None),
}


def write(folder: Path, content: bytes) -> Path:
    path = folder / "reviews.avro"
    path.write_bytes(content)
    return path


def test_types_and_values(tmp_path: Path) -> None:
    fields = [{"name": name, "type": kind} for name, (kind, _, _) in FIELDS.items()]
    schema = {"type": "record", "name": "R", "namespace": "n", "fields": fields}
    values = {name: value for name, (_, _, value) in FIELDS.items()}
    out = io.BytesIO()
    fastavro.writer(out, schema, [values])
    path = write(tmp_path, out.getvalue())

    found = {name: kind.value for name, kind in AVRO.describe(str(path)).items()}
    (payload,) = read(path)

    assert found == {name: kind for name, (_, kind, _) in FIELDS.items()}
    assert payload.data == values


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_every_codec_is_read(codec: str, tmp_path: Path) -> None:
    reviews = movie_reviews(10)

    items = read(write(tmp_path, files.avro(reviews, codec=codec)), step=2000)

    assert list(texts_by_position(items).values()) == reviews


def test_a_codec_that_is_missing_is_told_at_launch(tmp_path: Path) -> None:
    content = files.avro(["good"], codec="deflate").replace(b"deflate", b"unheard")
    path = write(tmp_path, content)

    with pytest.raises(UserError, match=r"codec \(unheard\) is not installed"):
        AVRO.describe(str(path))
    assert [outcome for _, outcome in outcomes(read(path))] == ["unreadable_file"]


def blocks(content: bytes) -> list[Any]:
    return list(fastavro.block_reader(io.BytesIO(content)))


@pytest.mark.parametrize("step", [0, 1000])
@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_positions_name_blocks(step: int, codec: str, tmp_path: Path) -> None:
    content = files.avro(movie_reviews(), codec=codec)
    expected = [f"{b.offset}:{index}" for b in blocks(content) for index in range(b.num_records)]

    items = read(write(tmp_path, content), step=step)

    assert [item.origin.position for item in items] == expected


@pytest.mark.parametrize("damage", ["flip", "size", "marker", "cut", "one byte"])
def test_a_broken_block_ends_the_reading(damage: str, tmp_path: Path) -> None:
    content = bytearray(files.avro(movie_reviews(), codec="deflate"))
    third = blocks(bytes(content))[2]
    before = outcomes(read(write(tmp_path, bytes(content[: third.offset]))))
    if damage == "flip":
        content[third.offset + 20 : third.offset + 60] = b"\xff" * 40
    elif damage == "size":
        content[third.offset + 1 : third.offset + 11] = b"\xfe" * 9 + b"\x01"
    elif damage == "marker":
        content[third.offset + third.size - 1] ^= 1
    else:
        del content[third.offset + (100 if damage == "cut" else 1) :]

    items = read(write(tmp_path, bytes(content)))

    assert outcomes(items) == [*before, (f"{third.offset}:0", "unreadable_file")]


def test_damage_in_one_range_leaves_the_others_alone(tmp_path: Path) -> None:
    content = bytearray(files.avro(movie_reviews(), codec="deflate"))
    whole = outcomes(read(write(tmp_path, bytes(content))))
    third = blocks(bytes(content))[2]
    content[third.offset + 20 : third.offset + 60] = b"\xff" * 40

    found = outcomes(read(write(tmp_path, bytes(content)), step=1000))

    lost = f"{third.offset}:"
    assert [one for one in found if one[1] != "unreadable_file"] == [
        one for one in whole if not one[0].startswith(lost)
    ]
    assert (lost + "0", "unreadable_file") in found
    assert len([one for one in found if one[1] == "unreadable_file"]) == 1


def test_records_before_a_broken_one_are_read(tmp_path: Path) -> None:
    content = files.avro(["good", "worse", "bad"], codec="null")
    start = blocks(content)[0].offset
    content = content.replace(b"\x0aworse", b"\x7eworse")  # a length of 63 instead of 5

    assert outcomes(read(write(tmp_path, content))) == [
        (f"{start}:0", "good"),
        (f"{start}:1", "unreadable_file"),
    ]


def test_records_that_a_block_does_not_count_are_not_lost_in_silence(tmp_path: Path) -> None:
    content = files.avro(["good", "lost"], codec="null")
    start = blocks(content)[0].offset
    content = content[:start] + b"\x02" + content[start + 1 :]  # one record instead of two

    assert outcomes(read(write(tmp_path, content))) == [
        (f"{start}:0", "good"),
        (f"{start}:1", "unreadable_file"),
    ]


def test_text_that_is_not_utf8_costs_one_record(tmp_path: Path) -> None:
    content = files.avro(["good", "b-te", "bad"], codec="null").replace(b"b-te", b"b\xe9te")

    assert [outcome for _, outcome in outcomes(read(write(tmp_path, content)))] == [
        "good",
        "not_utf8",
        "bad",
    ]


@pytest.mark.parametrize("content", [b"", b"junk", files.avro(["a"] * 99)[:60]])
def test_a_file_that_is_no_avro_is_reported_once(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, content)

    for step in (0, 10):
        assert outcomes(read(path, step=step)) == [("0", "unreadable_file")]
    with pytest.raises(UserError, match="It is not Avro"):
        AVRO.describe(str(path))


def test_only_records_are_reviews(tmp_path: Path) -> None:
    out = io.BytesIO()
    fastavro.writer(out, "string", ["good"])
    path = write(tmp_path, out.getvalue())

    (rejection,) = read(path, step=50)

    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.UNREADABLE_FILE
    with pytest.raises(UserError, match="schema is not of a record"):
        AVRO.describe(str(path))


def test_a_file_without_records_has_no_reviews(tmp_path: Path) -> None:
    path = write(tmp_path, files.avro([]))

    assert read(path) == []
    assert read(path, step=20) == []
