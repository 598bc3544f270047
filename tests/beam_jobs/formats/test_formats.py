from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
from apache_beam.io.filesystems import FileSystems

from beam_jobs.formats import FORMATS, FileRange, format_of
from schemas.errors import UserError
from tests.beam_jobs.formats.files import WRITERS, movie_reviews


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("gs://bucket/reviews.jsonl", "jsonl"),
        ("reviews.ndjson.zst", "jsonl"),
        ("reviews.json", "jsonl"),
        ("a.csv/reviews.TSV.GZ", "tsv"),
        ("reviews.csv.bz2", "csv"),
        ("reviews.txt", "text"),
        ("part-00000.c000.snappy.parquet", "parquet"),
        ("reviews.avro", "avro"),
        ("reviews.tfrecord", "tfrecord"),
        ("reviews.tfrecords.gz", "tfrecord"),
    ],
)
def test_the_name_tells_the_format(path: str, name: str) -> None:
    assert format_of(path).name == name
    assert format_of(path) is FORMATS[name]


def test_the_override_wins() -> None:
    assert format_of("reviews.log.gz", "text").name == "text"
    assert format_of("reviews.csv", "jsonl").name == "jsonl"


@pytest.mark.parametrize(
    ("path", "override", "complaint"),
    [
        ("reviews.log", "", r"reviews\.log: .*\.jsonl.*\.tfrecords.*\.zst.*--input_format"),
        ("csv", "", "tells no format"),
        ("reviews.gz", "", "tells no format"),
        ("reviews.csv", "xml", "--input_format xml: not one of jsonl, csv"),
        ("reviews.parquet.gz", "", r"parquet can't be read from \.gz"),
        ("reviews.bz2", "avro", r"avro can't be read from \.bz2"),
    ],
)
def test_no_format_is_one_line_of_advice(path: str, override: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        format_of(path, override)
    assert "\n" not in str(caught.value)


def test_tfrecord_without_its_package_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", find_spec)

    with pytest.raises(UserError, match="needs the package tfx-bsl"):
        format_of("reviews.tfrecord")


@pytest.mark.tfx_bsl
def test_describing_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    for name, known in FORMATS.items():
        if name != "text":
            with pytest.raises(UserError, match="can't be read"):
                known.describe(str(tmp_path / "missing"))


class BrokenStorage:
    """A file that can be read up to a byte, and then the network fails."""

    def __init__(self, path: str, working_bytes: int) -> None:
        self._file = Path(path).open("rb")  # noqa: SIM115 - closed by close
        self._working_bytes = working_bytes

    def read(self, size: int) -> bytes:
        if self._file.tell() + size > self._working_bytes:
            raise ConnectionResetError("reset by peer")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("suffix", [*WRITERS, ".jsonl.gz"])
def test_errors_of_the_storage_are_raised(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"reviews{suffix}"
    path.write_bytes(WRITERS[suffix.removesuffix(".gz")](movie_reviews(10)))

    def fail(path: str, **_: Any) -> BrokenStorage:
        return BrokenStorage(path, working_bytes=0)

    monkeypatch.setattr(FileSystems, "open", fail)

    with pytest.raises(ConnectionResetError):
        list(format_of(str(path)).read(FileRange(str(path)), ("text",)))
