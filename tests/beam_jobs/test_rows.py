import datetime
import io
import json

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud.bigquery import SchemaField

from beam_jobs import rows
from beam_jobs.rows import (
    RowFormat,
    arrow_schema,
    avro_schema,
    bigquery_row,
    bigquery_schema,
    is_avro_name,
    json_line,
    rfc3339,
    write_rows,
)
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


def test_bigquery_has_every_type() -> None:
    fields = bigquery_schema(score.columns(KEPT))["fields"]

    assert [SchemaField.from_api_repr(field) for field in fields] == [
        SchemaField("review_id", "STRING", "REQUIRED"),
        SchemaField("label", "STRING", "REQUIRED"),
        SchemaField("positive_probability", "FLOAT64", "REQUIRED"),
        SchemaField("token_count", "INT64", "NULLABLE"),
        SchemaField("truncated", "BOOL", "NULLABLE"),
        SchemaField("model", "STRING", "REQUIRED"),
        SchemaField("event_time", "TIMESTAMP", "NULLABLE"),
        SchemaField("kept_string", "STRING", "NULLABLE"),
        SchemaField("kept_int64", "INT64", "NULLABLE"),
        SchemaField("kept_float64", "FLOAT64", "NULLABLE"),
        SchemaField("kept_bool", "BOOL", "NULLABLE"),
        SchemaField("kept_timestamp", "TIMESTAMP", "NULLABLE"),
        SchemaField("kept_date", "DATE", "NULLABLE"),
        SchemaField("kept_json", "JSON", "NULLABLE"),
    ]


def test_a_row_for_bigquery_is_json_without_loss() -> None:
    row = bigquery_row(ROW)

    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row == {
        **ROW,
        "kept_int64": "9223372036854775807",
        "kept_timestamp": "2026-11-22T12:30:00.123456Z",
        "kept_date": "2026-11-22",
        "kept_json": '{"a": 1}',
    }


def test_bigquery_gets_numbers_as_numbers_while_doubles_hold_them() -> None:
    values = {"a": 2**53 - 1, "b": 2**53, "c": -(2**63), "d": float("inf"), "e": 1e300, "f": True}

    assert bigquery_row(values) == {
        "a": 9007199254740991,
        "b": "9007199254740992",
        "c": "-9223372036854775808",
        "d": "inf",
        "e": 1e300,
        "f": True,
    }


def test_times_are_rfc3339() -> None:
    utc = datetime.timezone.utc

    assert rfc3339(TIME) == "2026-11-22T12:30:00.123456Z"
    assert rfc3339(datetime.datetime(1, 1, 1, tzinfo=utc)) == "0001-01-01T00:00:00Z"


def test_a_large_parquet_file_is_written_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS_PER_GROUP", 2)
    columns = score.columns(KEPT)
    file = io.BytesIO()

    write_rows(file, RowFormat("parquet", "Score", columns), iter([ROW] * 5))

    written = pq.ParquetFile(file)
    assert written.metadata.num_row_groups == 3
    assert written.schema_arrow.equals(arrow_schema(columns))
    assert written.read().to_pylist() == [ROW] * 5
