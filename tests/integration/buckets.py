"""Dumps of reviews in a bucket, and what the job makes of them."""

import csv
import gzip
import io
import json
from itertools import chain
from pathlib import Path
from typing import Any, cast

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud.storage import Bucket

from beam_jobs.demo import SAMPLES
from beam_jobs.score_reviews import main

REVIEWS = [json.loads(line) for line in SAMPLES.read_text("utf-8").splitlines()]
"""With the fields `review_id`, `text` and more."""


def write_dumps(folder: Path) -> None:
    """Reviews in many formats, each review in one of the files, under several folders."""
    parts = [REVIEWS[start::5] for start in range(5)]
    names = ["a/1.jsonl", "a/2.csv.gz", "a/b/3.parquet", "a/b/c/4.avro", "d/5.jsonl.gz"]
    for part, name in zip(parts, names, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{key: str(row[key]) for key in ("review_id", "text")} for row in part]
        if path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        elif path.suffix == ".avro":
            fields = [{"name": key, "type": "string"} for key in rows[0]]
            schema = {"type": "record", "name": "Review", "fields": fields}
            with path.open("wb") as file:
                fastavro.writer(file, schema, rows)
        else:
            write_text(path, rows)


def write_text(path: Path, rows: list[dict[str, str]]) -> None:
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", encoding="utf-8") as file:
        if ".csv" in path.suffixes:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def upload(folder: Path, bucket: Bucket, prefix: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            bucket.blob(f"{prefix}/{path.relative_to(folder)}").upload_from_filename(str(path))


def names(bucket: Bucket, prefix: str) -> list[str]:
    return [blob.name for blob in bucket.list_blobs(prefix=prefix)]


def rows_in(bucket: Bucket, prefix: str) -> list[dict[str, Any]]:
    """The score rows that the manifest names, by review; what it doesn't name must not be there."""
    manifest = json.loads(bucket.blob(f"{prefix}/manifest.json").download_as_bytes())
    files = [path.removeprefix(f"gs://{bucket.name}/") for path in manifest["files"]["scores"]]
    rejected = [path.removeprefix(f"gs://{bucket.name}/") for path in manifest["files"]["rejected"]]
    assert names(bucket, f"{prefix}/") == sorted([f"{prefix}/manifest.json", *files, *rejected])
    contents = [bucket.blob(name).download_as_bytes() for name in files]
    return sorted(chain.from_iterable(map(rows_of, files, contents)), key=by_id)


def rows_of(name: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of a file in any output format."""
    if name.endswith(".parquet"):
        return list(pq.read_table(pa.BufferReader(content)).to_pylist())
    if name.endswith(".avro"):
        return cast(list[dict[str, Any]], list(fastavro.reader(io.BytesIO(content))))
    lines = gzip.decompress(content) if name.endswith(".gz") else content
    return [json.loads(line) for line in lines.splitlines()]


def local_rows(prefix: Path) -> list[dict[str, Any]]:
    """The score rows of a run on this machine, by review."""
    paths = [path for path in (prefix / "scores").iterdir() if path.is_file()]
    rows = (rows_of(path.name, path.read_bytes()) for path in paths)
    return sorted(chain.from_iterable(rows), key=by_id)


def named_rows(prefix: Path, kind: str = "scores") -> list[dict[str, Any]]:
    """The rows of a run on this machine that its manifest names, in one order."""
    manifest = json.loads((prefix / "manifest.json").read_text("utf-8"))
    rows = (rows_of(path, Path(path).read_bytes()) for path in manifest["files"][kind])
    return sorted(chain.from_iterable(rows), key=str)


def by_id(row: dict[str, Any]) -> str:
    return str(row["review_id"])


def score(inputs: str, output: str, *more: str) -> int:
    """Runs the job in this process; returns its exit code."""
    arguments = ["--input", inputs, "--output", output, "--id_field", "review_id", "--quiet"]
    return main([*arguments, *more])
