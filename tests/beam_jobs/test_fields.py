from argparse import Namespace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.fields import described_fields, message_fields, review_fields
from schemas.errors import UserError
from schemas.field import Field, FieldType
from schemas.review import KeptField

DESCRIBED = {
    "a.csv": {"text": FieldType.STRING, "stars": FieldType.STRING, "when": FieldType.STRING},
    "b.parquet": {"text": FieldType.STRING, "stars": FieldType.INT64, "when": FieldType.STRING},
}


def options(**changes: object) -> Namespace:
    return Namespace(
        **{
            "text_field": "text",
            "id_field": "",
            "keep_fields": None,
            "output_format": "jsonl",
            "id_attribute": "",
            "timestamp_attribute": "",
            "keep_attributes": None,
            **changes,
        }
    )


def kept(text: str, described: dict[str, dict[str, FieldType]] = DESCRIBED) -> KeptField:
    (field,) = review_fields(options(keep_fields=[text]), described).kept
    return field


def test_the_file_tells_the_type_of_a_kept_field() -> None:
    assert kept("when") == KeptField("when", Field("when", FieldType.STRING))


def test_the_user_may_name_column_and_type() -> None:
    assert kept("rating=stars:float64") == KeptField("stars", Field("rating", FieldType.FLOAT64))


def test_a_named_type_allows_a_field_that_only_later_records_have() -> None:
    assert kept("rare:json") == KeptField("rare", Field("rare", FieldType.JSON))


def test_whole_and_broken_numbers_have_one_type() -> None:
    described = {"a": {"text": FieldType.STRING, "n": FieldType.INT64}}
    described["b"] = {"text": FieldType.STRING, "n": FieldType.FLOAT64}

    assert kept("n", described).column.type is FieldType.FLOAT64


def test_files_that_disagree_need_a_word_from_the_user() -> None:
    with pytest.raises(UserError, match=r"its type is int64 and string in a.csv, b.parquet"):
        kept("stars")


def test_input_without_fields_has_nothing_to_check() -> None:
    fields = review_fields(options(text_field="body", id_field="key"), {})

    assert fields.names() == ("body", "key")


def test_avro_takes_no_name_with_a_blank() -> None:
    described = {"a.csv": {"text": FieldType.STRING, "how many": FieldType.STRING}}

    with pytest.raises(UserError, match="Avro takes names of letters"):
        review_fields(options(keep_fields=["how many"], output_format="avro"), described)
    assert review_fields(options(keep_fields=["how many"]), described).kept


def test_looks_at_the_first_file_with_fields_of_each_format(tmp_path: Path) -> None:
    contents = {
        "a.jsonl": "",
        "b.jsonl": '{"text": "x", "n": 1}\n',
        "c.jsonl": '{"other": 1}\n',
        "d.csv": "text,stars\nx,5\n",
        "e.txt": "x\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content, "utf-8")

    described = described_fields([str(tmp_path / name) for name in contents], "")

    assert {Path(path).name: list(fields) for path, fields in described.items()} == {
        "b.jsonl": ["text", "n"],
        "d.csv": ["text", "stars"],
    }


def test_a_damaged_file_costs_no_other_its_scores(tmp_path: Path) -> None:
    damaged, good = tmp_path / "a.parquet", tmp_path / "b.parquet"
    damaged.write_bytes(b"no parquet")
    pq.write_table(pa.table({"text": ["x"]}), good)

    assert list(described_fields([str(damaged), str(good)], "")) == [str(good)]
    with pytest.raises(UserError, match=r"a.parquet can't be used as parquet"):
        described_fields([str(damaged)], "")


def test_fields_and_attributes_of_messages() -> None:
    fields = message_fields(
        options(
            keep_fields=["rating=stars:int64"],
            keep_attributes=["shop", "sent:timestamp"],
            id_attribute="id",
            timestamp_attribute="written",
        )
    )

    assert (fields.id_attribute, fields.timestamp_attribute) == ("id", "written")
    assert fields.kept_columns() == (
        Field("rating", FieldType.INT64),
        Field("shop", FieldType.STRING),
        Field("sent", FieldType.TIMESTAMP),
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keep_fields": ["stars"]}, "--keep_fields stars: messages don't tell the type"),
        ({"keep_attributes": ["label"]}, "already have a column of that name"),
        ({"keep_fields": ["a:int64"], "keep_attributes": ["a"]}, "already have a column"),
        ({"keep_attributes": ["a-b"], "output_format": "avro"}, "Avro takes names of letters"),
    ],
)
def test_messages_need_types_and_columns_of_their_own(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        message_fields(options(**changes))
