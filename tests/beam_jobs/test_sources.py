import logging
from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from beam_jobs import sources
from beam_jobs.formats.base import END_OF_FILE
from beam_jobs.sources import NoInputError, ReadFiles, file_ranges, match_files
from schemas.errors import UserError
from schemas.payload import Payload
from schemas.rejection import Rejection
from tests.beam_jobs.formats.files import COMPRESSORS, WRITERS, movie_reviews, outcomes


@pytest.fixture
def reviews() -> list[str]:
    return [" ".join(review.split()) for review in movie_reviews()]


def pipeline() -> beam.Pipeline:
    return beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))


def write(path: Path, texts: list[str], compression: str = "") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(COMPRESSORS[compression](WRITERS[path.suffix](texts)))
    return path.rename(f"{path}{compression}")


@pytest.mark.tfx_bsl
def test_files_of_all_formats_are_read_once(
    tmp_path: Path, reviews: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RANGE_BYTES", 3000)
    for suffix in WRITERS:
        write(tmp_path / f"reviews{suffix}", reviews)
    write(tmp_path / "packed.jsonl", reviews, ".gz")
    patterns = [f"{tmp_path}/*", f"{tmp_path}/reviews.*", f"{tmp_path}/reviews.csv"]

    def check(items: Iterable[Payload | Rejection]) -> None:
        items = list(items)
        pairs = zip(items, outcomes(items), strict=True)
        read = sorted((item.origin.source, text) for item, (_, text) in pairs)
        paths = [str(path) for path in tmp_path.iterdir()]
        assert read == sorted((path, review) for path in paths for review in reviews)
        assert len({item.origin for item in items}) == len(items)

    with pipeline() as p:
        assert_that((p | ReadFiles(patterns, ("text",)))["records"], check)


def test_damage_leaves_other_files_alone(tmp_path: Path, reviews: list[str]) -> None:
    write(tmp_path / "good.jsonl", reviews)
    write(tmp_path / "bad.csv", reviews, ".gz")
    whole = (tmp_path / "bad.csv.gz").read_bytes()
    (tmp_path / "bad.csv.gz").write_bytes(whole[:-8])
    (tmp_path / "worse.parquet").write_bytes(b"no Parquet")

    def check(items: Iterable[Payload | Rejection]) -> None:
        items = list(items)
        rejected = [item for item in items if isinstance(item, Rejection)]
        assert sorted(item.origin.source for item in rejected) == [
            str(tmp_path / "bad.csv.gz"),
            str(tmp_path / "worse.parquet"),
        ]
        good = [item for item in items if item.origin.source.endswith("good.jsonl")]
        assert len(good) == len(reviews)

    with pipeline() as p:
        assert_that((p | ReadFiles([f"{tmp_path}/*"], ("text",)))["records"], check)


def test_one_format_may_be_named_for_all_files(tmp_path: Path) -> None:
    (tmp_path / "reviews.log").write_bytes(b"good\nbad\n")

    def check(items: Iterable[Payload | Rejection]) -> None:
        assert sorted(outcomes(items)) == [("0", "good"), ("5", "bad")]

    with pipeline() as p:
        assert_that((p | ReadFiles([f"{tmp_path}/*"], ("text",), "text"))["records"], check)


def test_labels_are_stable() -> None:
    p = pipeline()
    p | ReadFiles(["reviews.csv"], ("text",))

    labels = set()

    class Collect(beam.pipeline.PipelineVisitor):
        def enter_composite_transform(self, node: beam.pipeline.AppliedPTransform) -> None:
            labels.add(node.full_label)

        def visit_transform(self, node: beam.pipeline.AppliedPTransform) -> None:
            labels.add(node.full_label)

    p.visit(Collect())
    steps = ("Patterns", "MatchFiles", "Divide", "Reshuffle", "ReadRanges")
    assert {f"ReadFiles/{step}" for step in steps} <= labels


def test_ranges_cover_files_that_can_be_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RANGE_BYTES", 10)
    for name in ("a.txt", "b.csv", "c.txt.gz", "d.parquet"):
        (tmp_path / name).write_bytes(b"x" * 25)
    (tmp_path / "e.avro").touch()

    ranges = file_ranges(match_files([f"{tmp_path}/*"]), "")

    assert [(Path(path).name, start, stop) for path, start, stop in ranges] == [
        ("a.txt", 0, 10),
        ("a.txt", 10, 20),
        ("a.txt", 20, END_OF_FILE),
        ("b.csv", 0, END_OF_FILE),
        ("c.txt.gz", 0, END_OF_FILE),
        ("d.parquet", 0, 10),
        ("d.parquet", 10, 20),
        ("d.parquet", 20, END_OF_FILE),
        ("e.avro", 0, END_OF_FILE),
    ]


def test_files_are_sorted_and_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.csv", "a.csv", "deep/c.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    assert list(match_files(["*.csv", "b.csv", "./a.csv"])) == ["./a.csv", "b.csv"]
    assert list(match_files(["deep/*", "**/c.csv"])) == ["deep/c.csv"]
    assert list(match_files([f"{tmp_path}/**"])) == [
        f"{tmp_path}/{name}" for name in ("a.csv", "b.csv", "deep/c.csv")
    ]


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("nothing/*.csv", "no file matches"),
        ("missing.csv", "no file matches"),
        ("folder", r"is a directory; name its files, as in folder/\*\.jsonl"),
        ("folder/", r"is a directory; name its files, as in folder/\*\.jsonl"),
        ("empty", "is a directory"),
        ("fold*", "is a directory"),
        ("nowhere://bucket/a.csv", "can't be looked up: Unable to get filesystem"),
    ],
)
def test_patterns_that_match_no_file_are_user_errors(
    pattern: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.csv").touch()
    (tmp_path / "b.csv").touch()

    with pytest.raises(UserError, match=complaint) as caught:
        match_files(["b.csv", pattern])
    assert str(caught.value).startswith(f"--input {pattern}: ")
    assert "\n" not in str(caught.value)


def test_no_input_is_not_half_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()

    with pytest.raises(NoInputError):
        match_files([f"{tmp_path}/*.x", f"{tmp_path}/*.y"])
    with pytest.raises(UserError) as caught:
        match_files([f"{tmp_path}/*.csv", f"{tmp_path}/*.y"])
    assert not isinstance(caught.value, NoInputError)


def test_an_empty_pattern_is_a_user_error() -> None:
    with pytest.raises(UserError, match="--input is empty"):
        match_files([""])


def test_a_file_that_vanished_fails_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    with pytest.raises(Exception, match="no file matches"), pipeline() as p:
        p | ReadFiles([f"{tmp_path}/gone.csv"], ("text",))
