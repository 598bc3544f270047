import gzip
import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import fastavro
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that, equal_to

from beam_jobs.rows import arrow_schema
from beam_jobs.sinks import SUFFIXES, WriteRejections, WriteScores
from schemas.field import Field, FieldType
from schemas.payload import Origin
from schemas.rejection import Reason, RecordError, Stage, reject_data
from schemas.score import Score, columns, score_row
from tests.beam_jobs.running import local_pipeline

KEPT = (Field("stars", FieldType.INT64),)
SCORES = [
    Score(f"r{i}", "positive" if i % 3 else "negative", i / 100, i, False, "m@0123", None, (i,))
    for i in range(100)
]


def read(directory: Path, output_format: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in directory.glob(f"part-*-of-*{SUFFIXES[output_format]}"):
        if output_format == "parquet":
            rows += pq.read_table(path).to_pylist()
        elif output_format == "avro":
            with path.open("rb") as file:
                rows.extend(fastavro.reader(file))  # type: ignore[arg-type]
        else:
            data = path.read_bytes()
            text = gzip.decompress(data) if output_format == "jsonl.gz" else data
            rows += map(json.loads, text.decode().splitlines())
    return rows


@pytest.mark.parametrize("output_format", SUFFIXES)
def test_every_format_holds_the_same_rows(tmp_path: Path, output_format: str) -> None:
    with local_pipeline() as pipeline:
        written = (
            pipeline
            | beam.Create(SCORES)
            | WriteScores(str(tmp_path / "scores"), output_format, KEPT)
        )
        assert_that(written["counts"], equal_to([("negative", 34), ("positive", 66)]))

    rows = sorted(read(tmp_path / "scores", output_format), key=lambda row: int(row["stars"]))
    assert rows == [score_row(score, KEPT) for score in SCORES]
    assert not list(tmp_path.rglob("*temp*"))


def test_a_run_without_scores_still_has_its_columns(tmp_path: Path) -> None:
    with local_pipeline() as pipeline:
        _ = pipeline | beam.Create([]) | WriteScores(str(tmp_path), "parquet", KEPT)

    (path,) = tmp_path.glob("*.parquet")
    assert pq.read_schema(path).equals(arrow_schema(columns(KEPT)))


def test_rejections_are_counted_by_reason(tmp_path: Path) -> None:
    rejections = [
        reject_data(Origin("a", str(i)), Stage.PARSE, RecordError(reason), b"\xff")
        for i, reason in enumerate([Reason.NOT_UTF8, Reason.EMPTY_TEXT, Reason.NOT_UTF8])
    ]
    with local_pipeline() as pipeline:
        written = pipeline | beam.Create(rejections) | WriteRejections(str(tmp_path), "avro")
        assert_that(written["counts"], equal_to([("empty_text", 1), ("not_utf8", 2)]))

    rows = read(tmp_path, "avro")
    assert {(row["source"], row["position"]) for row in rows} == {
        ("a", "0"),
        ("a", "1"),
        ("a", "2"),
    }
    assert {(row["payload"], row["payload_encoding"]) for row in rows} == {("/w==", "base64")}
