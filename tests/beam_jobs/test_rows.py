import datetime
import io
import json

import fastavro
import pyarrow as pa
import pytest

from beam_jobs.rows import arrow_schema, avro_schema, is_avro_name, json_line
from schemas import rejection, score
from schemas.field import Field, FieldType

KEPT = tuple(Field(f"kept_{kind.value}", kind) for kind in FieldType)
TIME = datetime.datetime(2026, 11, 22, 12, 30, 0, 123456, tzinfo=datetime.timezone.utc)
ROW = {
    "review_id": "r1",
    "label": "positive",
    "positive_probability": 0.75,
    "token_count": None,
    "truncated": True,
    "model": "m@0123",
    "event_time": None,
    "kept_string": "é\u2028",
    "kept_int64": 2**63 - 1,
    "kept_float64": 0.1,
    "kept_bool": False,
    "kept_timestamp": TIME,
    "kept_date": TIME.date(),
    "kept_json": '{"a": 1}',
}


def test_arrow_and_avro_hold_every_type_alike() -> None:
    columns = score.columns(KEPT)
    assert list(ROW) == [column.name for column in columns]

    table = pa.Table.from_pylist([ROW], arrow_schema(columns))
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(avro_schema("Score", columns)), [ROW])
    file.seek(0)

    assert table.to_pylist() == [ROW]
    assert list(fastavro.reader(file)) == [ROW]


@pytest.mark.parametrize("columns", [score.columns(()), rejection.COLUMNS])
def test_arrow_and_avro_agree_on_names_and_nulls(columns: tuple[Field, ...]) -> None:
    arrow, avro = arrow_schema(columns), avro_schema("Row", columns)["fields"]

    assert arrow.names == [field["name"] for field in avro]
    assert [field.nullable for field in arrow] == ["default" in field for field in avro]


def test_a_json_line_is_one_line_that_reads_back() -> None:
    line = json_line(ROW)

    assert "\n" not in line
    assert json.loads(line) == {
        **ROW,
        "kept_timestamp": "2026-11-22T12:30:00.123456Z",
        "kept_date": "2026-11-22",
    }


def test_json_has_no_infinity() -> None:
    assert json_line({"x": float("-inf")}) == '{"x": "-inf"}'


def test_avro_names() -> None:
    names = ["stars", "_x1", "1x", "review id", "größe", ""]

    assert [name for name in names if is_avro_name(name)] == ["stars", "_x1"]
