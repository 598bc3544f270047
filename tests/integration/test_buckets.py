"""The job through its command line on dumps, models and outputs in Cloud Storage."""

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.transforms.window import TimestampedValue
from google.cloud.storage import Bucket

from beam_jobs import sources
from beam_jobs.formats import FileRange
from beam_jobs.windowed_files import WriteWindowedFiles
from beam_jobs.windows import Windowing
from model.card import default_model_directory
from schemas.field import Field, FieldType
from schemas.payload import Origin
from tests.beam_jobs.running import local_pipeline
from tests.gcs.faults import BUSY, OK, busy
from tests.gcs.server import CloudStorage
from tests.integration.buckets import names, rows_in, rows_of, score, upload

pytestmark = pytest.mark.slow

DUMP_BYTES = 50_000_000


@pytest.mark.parametrize("output_format", ["parquet", "jsonl"])
def test_rows_in_a_bucket_are_those_of_a_local_run(
    gcs_bucket: Bucket, bucket_dumps: str, dump_rows: list[dict[str, Any]], output_format: str
) -> None:
    output = f"gs://{gcs_bucket.name}/deep/out"

    assert score(bucket_dumps, output, "--output_format", output_format) == 0

    assert rows_in(gcs_bucket, "deep/out") == dump_rows
    manifest = json.loads(gcs_bucket.blob("deep/out/manifest.json").download_as_bytes())
    assert manifest["status"] == "complete"
    assert manifest["inputs"]["patterns"] == [bucket_dumps]


def test_a_star_stays_within_its_folder(
    gcs_bucket: Bucket, bucket_dumps: str, tmp_path: Path
) -> None:
    root = bucket_dumps.removesuffix("/**")

    assert set(sources.match_files([f"{root}/a/*"])) == {f"{root}/a/1.jsonl", f"{root}/a/2.csv.gz"}
    assert set(sources.match_files([f"{root}/*/*.jsonl"])) == {f"{root}/a/1.jsonl"}
    assert len(sources.match_files([f"{root}/**.avro", f"{root}/d/**", bucket_dumps])) == 5


@pytest.mark.parametrize("range_bytes", [sources.RANGE_BYTES, 8 << 20])
def test_a_large_object_is_read_in_ranges(
    gcs: CloudStorage,
    gcs_bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    range_bytes: int,
) -> None:
    # Wide records: it is the reading that takes its time here, not the scoring.
    line = '{{"review_id": "{:04}", "text": "Good number {}.", "padding": "{}"}}\n'
    count = 500
    padding = "x" * (DUMP_BYTES // count)
    dump = "".join(line.format(number, number, padding) for number in range(count))
    gcs_bucket.blob("dump.jsonl").upload_from_string(dump)
    monkeypatch.setattr(sources, "RANGE_BYTES", range_bytes)

    assert score(f"gs://{gcs_bucket.name}/dump.jsonl", f"gs://{gcs_bucket.name}/out") == 0

    assert [row["review_id"] for row in rows_in(gcs_bucket, "out")] == [
        f"{number:04}" for number in range(count)
    ]
    reads = [call for call in gcs.proxy.calls if call.media and call.name == "dump.jsonl"]
    assert len(reads) >= -(-len(dump) // min(range_bytes, 16 << 20))


def test_a_small_object_is_asked_for_once(gcs: CloudStorage, gcs_bucket: Bucket) -> None:
    gcs_bucket.blob("a.jsonl").upload_from_string('{"text": "Good."}\n')
    path = f"gs://{gcs_bucket.name}/a.jsonl"

    records = list(sources.read_range(FileRange(path), ["text"], ""))

    assert [record.origin for record in records] == [Origin(path, "0")]
    assert [call.media for call in gcs.proxy.calls] == [False, True]


def test_the_model_comes_from_a_bucket(
    gcs: CloudStorage, gcs_bucket: Bucket, bucket_dumps: str, dump_rows: list[dict[str, Any]]
) -> None:
    upload(default_model_directory(), gcs_bucket, "models/v1")
    url = f"gs://{gcs_bucket.name}"

    assert score(bucket_dumps, f"{url}/out", "--model", f"{url}/models/v1/") == 0

    assert rows_in(gcs_bucket, "out") == dump_rows


def test_a_busy_storage_changes_no_row(
    gcs: CloudStorage, gcs_bucket: Bucket, bucket_dumps: str, dump_rows: list[dict[str, Any]]
) -> None:
    failed = []
    fault = busy(0.2, seed=6)

    def count(call: Any) -> int:
        status = fault(call)
        failed.extend([call] * (status != OK))
        return status

    gcs.proxy.faults.append(count)

    assert score(bucket_dumps, f"gs://{gcs_bucket.name}/out") == 0

    assert len(failed) > 10
    assert rows_in(gcs_bucket, "out") == dump_rows


def row_at(second: int) -> TimestampedValue:
    return TimestampedValue({"review_id": str(second)}, second)


def test_rows_of_a_stream_reach_a_bucket_by_window(gcs: CloudStorage, gcs_bucket: Bucket) -> None:
    write = WriteWindowedFiles(
        directory=f"gs://{gcs_bucket.name}/scores",
        format="parquet",
        record="Score",
        columns=[Field("review_id", FieldType.STRING)],
        windowing=Windowing(window_seconds=60, allowed_lateness_seconds=0),
        files_per_window=1,
        run="r",
    )
    once = iter([BUSY])
    gcs.proxy.faults.append(lambda call: next(once, OK) if "/copyTo/" in call.path else OK)

    with local_pipeline() as pipeline:
        _ = pipeline | beam.Create([0, 59, 61]) | beam.Map(row_at) | write

    written = {
        name: [row["review_id"] for row in rows_of(name, gcs_bucket.blob(name).download_as_bytes())]
        for name in names(gcs_bucket, "scores/")
    }
    folder = "scores/dt=1970-01-01/hour=00"
    assert {name: sorted(ids) for name, ids in written.items()} == {
        f"{folder}/19700101T000000Z-r-0-00000-of-00001.parquet": ["0", "59"],
        f"{folder}/19700101T000100Z-r-0-00000-of-00001.parquet": ["61"],
    }
