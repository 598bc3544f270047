"""Files of labelled reviews, good and bad."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
import zstandard

from model.data import data_at_hand
from model.labelled_reviews import Columns, LabelledReview, Stars
from schemas.errors import UserError

COLUMNS = Columns()
ROWS: list[dict[str, Any]] = [
    {"text": 'Good,\n"really" — naïve.', "label": 1, "rating": 4.5, "shop": "b"},
    {"text": "Bad.", "label": 0, "rating": 2.0, "shop": "a"},
    {"text": "So-so.", "label": 1, "rating": 3.0, "shop": "b"},
    {"text": "\u2028Fine. ", "label": 1, "rating": 5.0, "shop": ""},
]


def read(path: Path | str, columns: Columns = COLUMNS) -> list[LabelledReview]:
    with data_at_hand(str(path), columns) as found:
        return list(found)


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def write_delimited(path: Path, delimiter: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)


def example(row: dict[str, Any]) -> bytes:
    features = {
        "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[row["text"].encode()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[row["label"]])),
        "rating": tf.train.Feature(float_list=tf.train.FloatList(value=[row["rating"]])),
        "shop": tf.train.Feature(bytes_list=tf.train.BytesList(value=[row["shop"].encode()])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write_rows(path: Path) -> Path:
    """Writes `ROWS` in the format and compression that a name tells."""
    plain = path.with_name(path.name.removesuffix(".gz").removesuffix(".zst"))
    if plain.suffix == ".jsonl":
        write(plain, "\n\n".join(json.dumps(row) for row in ROWS))
    elif plain.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), plain)
    elif plain.suffix == ".tfrecord":
        with tf.io.TFRecordWriter(str(plain)) as file:
            for row in ROWS:
                file.write(example(row))
    else:
        write_delimited(plain, "\t" if plain.suffix == ".tsv" else ",")
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif path.suffix == ".zst":
        path.write_bytes(zstandard.compress(plain.read_bytes()))
    return path


@pytest.mark.parametrize(
    "name",
    [
        *("a.csv", "a.CSV", "a.tsv", "a.jsonl", "a.parquet", "a.tfrecord"),
        *("a.csv.gz", "a.jsonl.zst", "a.tfrecord.gz"),
    ],
)
def test_every_format_holds_the_same_reviews(name: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / name)

    assert read(path) == [(row["text"], row["label"], name) for row in ROWS]
    starred = Columns(label="rating", source="shop", stars=Stars(2, 4))
    assert read(path, starred) == [
        (ROWS[0]["text"], 1, "b"),
        ("Bad.", 0, "a"),
        (ROWS[3]["text"], 1, ""),
    ]


def test_the_folders_of_the_archive(tmp_path: Path) -> None:
    reviews = {"neg/0_2.txt": "Bad.", "neg/1_1.txt": "Worse, naïve.", "pos/0_9.txt": "Good.<br />"}
    for name, text in {**reviews, "unsup/0_0.txt": "Whatever."}.items():
        path = tmp_path / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    assert read(tmp_path / "train") == [
        ("Bad.", 0, "train"),
        ("Worse, naïve.", 0, "train"),
        ("Good.<br />", 1, "train"),
    ]
    with pytest.raises(UserError, match="has no folder neg: name one like aclImdb/train"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        *((0, 0), (1, 1), (1.0, 1), (True, 1), (False, 0), ("0", 0)),
        *((" 1 ", 1), ("Positive", 1), ("negative", 0)),
    ],
)
def test_labels_are_written_in_many_ways(value: object, label: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"text": "Good.", "label": value}))

    assert read(path) == [("Good.", label, "a.jsonl")]


@pytest.mark.parametrize("value", ["2", 0.5, None, [1], "", "1.5"])
def test_other_labels_are_refused(value: object, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"text": "Good.", "label": value}))

    with pytest.raises(UserError, match=r"line 1: label .* for ratings give --stars"):
        read(path)


@pytest.mark.parametrize("value", ["much", None, "nan", [1], "", float("inf")])
def test_ratings_are_numbers(value: object, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"text": "Good.", "label": value}))

    with pytest.raises(UserError, match=r"line 1: rating .* is no number"):
        read(path, Columns(stars=Stars(2, 4)))


def test_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", "\ufefftext,label\nGood.,1\n")
    assert read(path) == [("Good.", 1, "mine.csv")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,stars\nGood.,5\n", "row 1: no column label; .* --label_field"),
        ("a.csv", b"review,label\nGood.,1\n", "row 1: no column text; .* --text_field"),
        ("a.csv", b"text,label\nGood.,1\n  ,0\n", "row 2: empty text"),
        ("a.csv", b"text,label\nGood.,1\nBad.,2\n", "row 2: label '2' is none of"),
        ("a.csv", b"text,label\nGood.\n", "row 1: label '' is none of"),
        ("a.csv", b"text,label\nna\xefve,1\n", "can't read .* after its beginning: .*utf-8"),
        ("a.csv", b'text,label\nGood,1\n"open,1\n', "can't read .* after row 1: unexpected end"),
        ("a.jsonl", b'{"text": "Good.", "label": 1}\n{"text"', "line 2: isn't a JSON object"),
        ("a.jsonl", b"\n[]\n", "line 2: isn't a JSON object"),
        ("a.jsonl", b'{"text": 7, "label": 1}', "line 1: the text is no text; .* --text_field"),
        ("a.jsonl", b'{"text": null, "label": 1}', "line 1: empty text"),
        ("a.jsonl", b'{"text": "a\\ud800", "label": 1}', "line 1: the text is no valid Unicode"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "Good."}', mtime=0)[:-9], "can't read"),
        ("a.parquet", b"PAR1 and no more", "can't read .* after its beginning"),
        ("a.tfrecord", b"no TFRecord, but long enough", "can't read .* after its beginning"),
        ("a.txt", b"Good.", r"a.txt: its name must end in one of .csv, .* .tfrecord: rename it"),
        ("reviews", b"Good.", "its name must end in one of"),
    ],
)
def test_data_that_teaches_nothing_is_one_line(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UserError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"can't read .*none.csv: No such file"):
        read(tmp_path / "none.csv")
