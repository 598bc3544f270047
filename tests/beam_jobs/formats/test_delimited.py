import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.formats import FileRange, base
from beam_jobs.formats.delimited import CSV, TSV
from schemas.errors import UserError
from schemas.field import FieldType
from schemas.payload import Payload
from schemas.rejection import Reason, Rejection, Stage
from tests.beam_jobs.formats.files import outcomes, parsed, read


def csv_file(folder: Path, content: bytes) -> Path:
    path = folder / "reviews.csv"
    path.write_bytes(content)
    return path


# Python 3.10 can't write NUL; that it is read has a test of its own.
WRITABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(WRITABLE, WRITABLE), max_size=6))
def test_what_csv_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("id", "text"), *rows])
    path = csv_file(tmp_path_factory.getbasetemp(), out.getvalue().encode())

    assert [tuple(item.data.values()) for item in read(path)] == rows


def test_marks_blank_lines_and_crlf(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b'\xef\xbb\xbfid,text\r\n\r\n1,good\r\n\r\n2,"bad\r\n"\r\n')

    assert outcomes(read(path)) == [("0", "good"), ("1", "bad\r\n")]
    assert CSV.describe(str(path)) == {"id": FieldType.STRING, "text": FieldType.STRING}


def test_tabs_separate_tsv(tmp_path: Path) -> None:
    path = tmp_path / "reviews.tsv"
    path.write_bytes(b'id\ttext\n1\t"a\ttab, and a ""quote"""\n2\tplain 5" disc\n')

    assert outcomes(read(path)) == [("0", 'a\ttab, and a "quote"'), ("1", 'plain 5" disc')]
    assert list(TSV.describe(str(path))) == ["id", "text"]


@pytest.mark.parametrize("row", [b"1", b"1,a,b", b'1,"two\nlines",x'])
def test_a_row_of_another_width_is_rejected(row: bytes, tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"id,text\n0,before\n" + row + b"\n2,after\n")

    before, rejection, after = read(path)

    assert isinstance(rejection, Rejection)
    assert (rejection.stage, rejection.reason) == (Stage.PARSE, Reason.MALFORMED_RECORD)
    assert rejection.origin.position == "1"
    assert rejection.payload.encode() == row
    assert outcomes([before, after]) == [("0", "before"), ("2", "after")]


def test_text_after_a_closing_quote_costs_one_row(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b'id,text\n1,"so "good" it is"\n2,fine\n')

    assert outcomes(read(path)) == [("0", "malformed_record"), ("1", "fine")]


def test_an_unclosed_quote_is_no_review(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b'id,text\n1,good\n2,"bad\n3,worse\n')

    assert outcomes(read(path)) == [("0", "good"), ("1", "malformed_record")]


def test_bytes_that_are_not_utf8_cost_a_row_only_where_they_matter(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"id,text\n\xff,good\n1,b\xe9te\n2,fine\n")

    assert outcomes(read(path)) == [("0", "good"), ("1", "not_utf8"), ("2", "fine")]
    rejection = parsed(read(path))[1]
    assert isinstance(rejection, Rejection)
    assert rejection.payload_encoding == "base64"


def test_nul_is_a_character(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b'id,text\n1,"a\0b\nc"\n2,\0\n3,plain\n')

    assert outcomes(read(path)) == [("0", "a\0b\nc"), ("1", "\0"), ("2", "plain")]


def test_a_field_may_be_longer_than_the_library_thinks(tmp_path: Path) -> None:
    path = csv_file(tmp_path, b"id,text\n1," + b"x" * 200_000 + b"\n")

    assert [len(item.data["text"]) for item in read(path)] == [200_000]


@pytest.mark.parametrize(
    "record",
    [b"1," + b"x" * 70_000, b'1,"' + b'one ""two""\n' * 7_000 + b'"', b'1,"' + b"x" * 5000 + b'"'],
)
def test_an_over_long_record_is_rejected_and_reading_goes_on(
    record: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "RECORD_LIMIT_BYTES", 5000)
    path = csv_file(tmp_path, b"id,text\n0,before\n" + record + b"\r\n2,after\n")

    items = read(path)

    assert outcomes(items) == [("0", "before"), ("1", "too_large"), ("2", "after")]
    assert items[1].payload_bytes == len(record)
    assert record.startswith(items[1].payload.encode())


def test_an_unclosed_quote_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "RECORD_LIMIT_BYTES", 256 * 1024)
    swallowed = b'1,"' + b"some words of a review\n" * 400_000
    path = csv_file(tmp_path, b"id,text\n0,before\n" + swallowed)
    tracemalloc.start()
    try:
        items = list(CSV.read(FileRange(str(path)), ()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert outcomes(items) == [("0", "before"), ("1", "too_large")]
    assert isinstance(items[1], Rejection)
    assert items[1].payload_bytes == len(swallowed.rstrip())
    assert peak < 5e6


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n", b"id,text\n"])
def test_a_file_without_records_has_no_reviews(content: bytes, tmp_path: Path) -> None:
    assert read(csv_file(tmp_path, content)) == []


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (b"id,text,id", "Columns 1 and 3 of its header have the same name."),
        (b"id,,text", "Column 2 of its header has no name."),
        (b'id,"text', "Its header is no CSV."),
    ],
)
def test_a_header_must_tell_columns_apart(header: bytes, complaint: str, tmp_path: Path) -> None:
    path = csv_file(tmp_path, header + b"\n1,2,3\n")

    with pytest.raises(UserError, match=complaint):
        CSV.describe(str(path))
    (rejection,) = read(path)
    assert isinstance(rejection, Rejection)
    assert not isinstance(rejection, Payload)
    assert rejection.reason is Reason.UNREADABLE_FILE
    assert rejection.detail.startswith(complaint)
