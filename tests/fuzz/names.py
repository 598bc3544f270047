"""Targets: what people write on the command line, and names of objects in a bucket."""

import argparse
import contextlib
import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from beam_jobs import storage_errors
from beam_jobs.dates import DateOptions, runs_of
from beam_jobs.fields import message_fields, review_fields
from beam_jobs.options import check_types
from beam_jobs.output import check_output
from beam_jobs.rows import arrow_schema, json_line
from beam_jobs.sources import match_files
from model.cloud_storage import parts
from model.remote import RemoteDirectory, RemoteFile, fetch
from schemas.errors import UserError
from schemas.field import FieldType
from schemas.payload import Payload, PayloadKind
from schemas.score import columns
from tests.fuzz.checks import ORIGIN, check_parsed, check_user_error
from tests.fuzz.choices import MEMORY, Choices, Target


def _argument(data: bytes) -> str:
    """What Python makes of an argument, which holds no NUL."""
    return data.replace(b"\0", b"").decode("utf-8", "surrogateescape")


def kept_field(data: bytes) -> None:
    """A field specification is refused in one line, or names a column that every output takes."""
    choices = Choices(data)
    streaming = choices.number(2)
    output_format = choices.one_of(["jsonl", "parquet", "avro"])
    texts = [_argument(piece) for piece in choices.rest().split(b"\n")]
    options = argparse.Namespace(
        text_field="text",
        id_field="",
        keep_fields=texts,
        keep_attributes=None,
        id_attribute="",
        timestamp_attribute="",
        output_format=output_format,
    )
    described = {"a.csv": {"text": FieldType.STRING, "stars": FieldType.INT64}}
    try:
        check_types("--keep_fields", texts)
        fields = message_fields(options) if streaming else review_fields(options, described)
    except UserError as error:
        check_user_error(error)
        return
    row_columns = columns(fields.kept_columns())
    assert len({column.name for column in row_columns}) == len(row_columns)
    for text, kept in zip(texts, fields.kept, strict=True):
        type_name = kept.column.type.value
        written = f"{kept.column.name}={kept.name}:{type_name}"
        assert text in (
            written,
            written.removesuffix(f":{type_name}"),
            f"{kept.name}:{type_name}",
            kept.name,
        )
    arrow_schema(row_columns)
    json_line({column.name: None for column in row_columns}).encode("utf-8")
    if output_format == "avro":
        values = {
            "text": "good",
            **{kept.name: b"5" for kept in fields.kept if kept.name != "text"},
        }
        check_parsed(Payload(ORIGIN, PayloadKind.FIELDS, values), fields)


TODAY = datetime.date(2026, 3, 1)


def date_template(data: bytes) -> None:
    """Templates are refused in one line, or every day has places of its own."""
    choices = Choices(data)
    date = choices.one_of(["yesterday", "today", "2024-02-29", "1900-01-01", "2099-12-31", ""])
    days = choices.one_of([1, 2, 3, 366])
    pattern, _, output = _argument(choices.rest()).partition("\n")
    values = argparse.Namespace(
        input=[pattern],
        output=output,
        date=date,
        days=days,
        input_subscription="",
        input_topic="",
    )
    try:
        DateOptions.validate(values)
        runs = runs_of(values, TODAY)
    except UserError as error:
        check_user_error(error)
        return
    assert len(runs) == days
    assert len({run.output for run in runs}) == days
    if not date:
        assert runs == [values]
        return
    for run in runs:
        day = datetime.date.fromisoformat(run.date)
        for template, filled in ((pattern, run.input[0]), (output, run.output)):
            if template.count("{") == template.count("{date}"):
                assert filled == template.replace("{date}", run.date)
            if "%" not in template and "{date:" not in template:
                assert filled.count(run.date) >= template.count("{date}")
        assert day <= TODAY or not date.endswith("day")


def object_name(data: bytes) -> None:
    """The objects of a bucket are copied into their folder, whatever their names, or not at all."""
    names = [name for name in data.decode("utf-8", "replace").split("\n") if name]
    with TemporaryDirectory(dir=MEMORY) as scratch:
        folder = Path(scratch, "outside", "folder")

        def download(wanted: object, directory: Path) -> None:
            for name in names:
                path = directory / name
                assert path.resolve().is_relative_to(folder)
                path.write_bytes(b"x")

        files = [RemoteFile(name, 1, "", "1") for name in names]
        with contextlib.suppress(OSError):
            try:
                fetch(RemoteDirectory("gs://b/m", files, download), folder)
            except UserError as error:
                check_user_error(error)
        for path in Path(scratch).rglob("*"):
            assert path.is_relative_to(folder) or folder.is_relative_to(path)


REMOTE = ("gs:", "s3:", "hdfs:", "azfs:", "hf:")
"""Nothing here answers."""


def url(data: bytes) -> None:
    """Paths and URLs that can't be used are told in one line."""
    text = _argument(data)
    with contextlib.suppress(UserError):
        bucket, name = parts(text)
        assert text.rstrip("/") in (f"gs://{bucket}/{name}", f"gs://{bucket}") or "//" in text[5:]
        assert not set(bucket) & set("/\\:@?#%")
        assert bucket not in (".", "..")
    try:
        storage_errors.check_url("--input", text, "gs://BUCKET/PATTERN")
    except UserError as error:
        check_user_error(error)
        return
    if "://" in text and any(scheme in text.lower() for scheme in REMOTE):
        assert text == text.strip()
        return
    if ".." in text:
        return
    with TemporaryDirectory(dir=MEMORY) as folder:
        local = text if "://" in text else f"{folder}/{text}"
        for look in (match_files, lambda places: check_output(places[0], [], overwrite=False)):
            try:
                look([local])
            except UserError as error:
                check_user_error(error)


TARGETS = {
    "kept_field": Target(
        kept_field,
        [
            bytes([streaming, form]) + text
            for streaming in (0, 1)
            for form in range(3)
            for text in (
                *(
                    b"stars",
                    b"stars:int64",
                    b"rating=stars:float64",
                    b"a=b=c:json",
                    b"label:string",
                ),
                *(
                    b"a\na",
                    b"=stars:bool",
                    b"x=",
                    b"",
                    b":",
                    b"\xe9:string",
                    b"a b:date",
                    b"a:b:int64",
                ),
                "größe=stars:timestamp".encode(),
            )
        ],
    ),
    "date_template": Target(
        date_template,
        [
            bytes([date, days]) + text
            for date in range(6)
            for days in range(4)
            for text in (
                *(
                    b"in/{date}\nout/{date}",
                    b"{date:%Y/%m/%d}/*\n{date:%Y%j}",
                    b"a\nb",
                    b"{date}\nb",
                ),
                *(
                    b"{date:%}\n{date:%Q}",
                    b"{date:\xff}\n{date:%Y-%m}",
                    b"{date:}{}\n{date:%-d %s}",
                ),
            )
        ],
    ),
    "object_name": Target(
        object_name,
        [
            *(
                b"saved_model.pb\nassets/vocab.txt",
                b"../x",
                b"/etc/x",
                b"a/../../x",
                b"a\na/b",
                b".",
            ),
            *(b"a//b", b"\0", b"x" * 300, b"~/x", b"..\\x", b"./x", b"\xc2\x85\r", b"a/..", b"c/."),
        ],
    ),
    "url": Target(
        url,
        [
            *(b"gs://bucket/folder", b"gs://", b"gs:/b", b"gs://b/../x", b"gs://a..b//c/"),
            *(b"s3://b/x", b"no/such/file", b"*", b"/", b"", b"[", b"http://x", b"a\nb", b"\xff"),
        ],
    ),
}
