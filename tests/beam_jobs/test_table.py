import datetime
import json
import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.gcp import bigquery as beam_bigquery
from apache_beam.io.gcp.bigquery_tools import BigQueryWrapper
from apache_beam.io.gcp.internal.clients import bigquery
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that, equal_to
from google.auth.credentials import AnonymousCredentials

from beam_jobs.rows import bigquery_row, bigquery_schema, json_line
from beam_jobs.table import WriteTable, check_columns, reject_row
from schemas.errors import UserError
from schemas.field import Field, FieldType
from schemas.payload import Origin
from schemas.rejection import Reason, Rejection, Stage
from schemas.score import columns
from tests.beam_jobs.streams import streaming_pipeline

TABLE = "shop-reviews:nightly.scores"
COLUMNS = columns((Field("stars", FieldType.INT64), Field("tags", FieldType.JSON)))
TIME = datetime.datetime(2026, 11, 22, 10, 7, tzinfo=datetime.timezone.utc)


def row(review_id: str) -> dict[str, Any]:
    return {
        "review_id": review_id,
        "label": "positive",
        "positive_probability": 0.75,
        "token_count": 3,
        "truncated": False,
        "model": "m@0123",
        "event_time": TIME,
        "stars": 2**60,
        "tags": '["a"]',
    }


class FakeBigQuery(ThreadingHTTPServer):
    """The part of BigQuery's REST API that streaming inserts use.

    Attributes:
        tables: bodies of the requests that made tables.
        stored: rows that were taken, as they were sent, with their insert ids.
        refused: what is wrong with a review, by its id.
        passing: the same, but only when it is sent for the first time.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tables: list[dict[str, Any]] = []
        self.stored: list[dict[str, Any]] = []
        self.refused: dict[str, dict[str, str]] = {}
        self.passing: dict[str, dict[str, str]] = {}

    def insert(self, entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for index, entry in enumerate(entries):
            review_id = entry["json"]["review_id"]
            error = self.refused.get(review_id) or self.passing.pop(review_id, None)
            if error:
                yield {"index": index, "errors": [error]}
            else:
                self.stored.append(entry)


class _Handler(BaseHTTPRequestHandler):
    server: FakeBigQuery

    def do_GET(self) -> None:
        found = self.path.partition("?")[0].endswith("/datasets/nightly/tables/scores")
        if found and self.server.tables:
            self._answer(200, self.server.tables[0])
        else:
            self._answer(404, {"error": {"code": 404, "message": "Not found: Table"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.partition("?")[0].endswith("/insertAll"):
            assert body["skipInvalidRows"] is True
            errors = list(self.server.insert(body["rows"]))
            self._answer(200, {"insertErrors": errors} if errors else {})
        else:
            self.server.tables.append(body)
            self._answer(200, body)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBigQuery]:
    fake = FakeBigQuery()
    thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    url = f"http://127.0.0.1:{fake.server_port}"
    client = bigquery.BigqueryV2(url=f"{url}/bigquery/v2/", get_credentials=False)
    monkeypatch.setattr(BigQueryWrapper, "_bigquery_client", staticmethod(lambda options: client))
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", url)
    monkeypatch.setattr("google.auth.default", lambda **_: (AnonymousCredentials(), "p"))
    monkeypatch.setattr(beam_bigquery, "_KNOWN_TABLES", set())
    yield fake
    fake.shutdown()
    thread.join()
    fake.server_close()


def write(rows: list[dict[str, Any]], rejections: list[Rejection]) -> None:
    elements = test_stream.TestStream().add_elements(rows).advance_watermark_to_infinity()
    with streaming_pipeline() as pipeline:
        refused = pipeline | elements | WriteTable(TABLE, COLUMNS)
        assert_that(refused, equal_to(rejections))


def test_a_missing_table_is_made_and_filled(server: FakeBigQuery) -> None:
    write([row("r1"), row("r2")], [])

    (table,) = server.tables
    assert table["tableReference"] == {
        "projectId": "shop-reviews",
        "datasetId": "nightly",
        "tableId": "scores",
    }
    assert table["schema"] == bigquery_schema(COLUMNS)
    assert sorted(entry["json"]["review_id"] for entry in server.stored) == ["r1", "r2"]
    assert server.stored[0]["json"] == {
        **row(server.stored[0]["json"]["review_id"]),
        "event_time": "2026-11-22T10:07:00Z",
        "stars": "1152921504606846976",
    }
    assert len({entry["insertId"] for entry in server.stored}) == 2


def test_a_table_that_is_there_is_used_as_it_is(server: FakeBigQuery) -> None:
    server.tables.append({"schema": {"fields": []}})

    write([row("r1")], [])

    assert len(server.tables) == 1
    assert len(server.stored) == 1


def test_a_refused_row_comes_out_and_the_others_go_in(
    server: FakeBigQuery, caplog: pytest.LogCaptureFixture
) -> None:
    message = "Cannot convert value to integer (bad value): what somebody wrote"
    server.refused["r2"] = {"reason": "invalid", "location": "stars", "message": message}

    write(
        [row("r1"), row("r2"), row("r3")],
        [
            Rejection(
                Origin(TABLE, "r2"),
                Stage.WRITE,
                Reason.REFUSED_ROW,
                f"invalid at column stars. {Reason.REFUSED_ROW.advice}",
                json_line(bigquery_row(row("r2"))),
                "utf-8",
                len(json_line(bigquery_row(row("r2")))),
            )
        ],
    )

    assert {entry["json"]["review_id"] for entry in server.stored} == {"r1", "r3"}
    (record,) = (record for record in caplog.records if "inserting" in record.getMessage())
    assert record.levelno == logging.ERROR
    assert "what somebody wrote" not in caplog.text


def test_an_error_that_passes_is_waited_out(server: FakeBigQuery) -> None:
    server.passing["r1"] = {"reason": "backendError", "location": "", "message": "try again"}

    write([row("r1")], [])

    assert [entry["json"]["review_id"] for entry in server.stored] == ["r1"]


def test_building_a_job_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("something was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("google.auth.default", refuse)
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    _ = pipeline | beam.Create([row("r1")]) | WriteTable(TABLE, COLUMNS)

    assert pipeline.to_runner_api().components.transforms


@pytest.mark.parametrize(
    ("errors", "detail"),
    [
        (
            [{"reason": "Not Found", "message": "Not found: Table a:b.c"}],
            "Not Found: Not found: Table a:b.c.",
        ),
        (
            [{"reason": "invalid", "location": name, "message": "x"} for name in ("a", "a", "b")],
            "invalid at column a; invalid at column b.",
        ),
        ("Received row with size 9MB.", "Received row with size 9MB."),
    ],
)
def test_what_bigquery_finds_wrong_becomes_a_sentence(
    errors: list[dict[str, str]] | str, detail: str
) -> None:
    rejection = reject_row(TABLE, row("r1"), errors)

    assert rejection.detail == f"{detail} {Reason.REFUSED_ROW.advice}"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("review text", "no columns named 'review text'"),
        ("1x", "no columns named '1x'"),
        ("_partitiontime", "no columns named '_partitiontime'"),
        ("Label", "takes Label and label for one; give it another, as in kept=Label"),
    ],
)
def test_names_that_no_table_has_are_a_mistake(name: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        check_columns(columns((Field(name, FieldType.STRING),)))


def test_names_of_scores_and_plain_ones_are_fine() -> None:
    check_columns(COLUMNS)
