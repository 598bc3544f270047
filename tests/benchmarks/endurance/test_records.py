"""What is given to the job, and what has become of it."""

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.endurance.ledger import Losses, read_ledger
from benchmarks.endurance.reviews import is_bad, phrases, record, write_dump
from benchmarks.endurance.streaming import Load
from schemas.payload import Origin, Payload, PayloadKind
from schemas.review import Review, ReviewFields, parse_review

WORDS = ["a warm film", "dull from start to end", "worth seeing"]


def test_reviews_are_made_of_the_phrases_of_real_ones(tmp_path: Path) -> None:
    shipped = tmp_path / "reviews.csv"
    shipped.write_text(
        "text,label,source\n"
        '"effective , but a bit too slow . wow !",1,rotten_tomatoes\n'
        "a long one of the other kind,0,imdb\n"
        "one two three four five six seven eight nine ten eleven twelve more,0,rotten_tomatoes\n"
        '"it\'s fun ( and jean-claud is in it ) .",1,rotten_tomatoes\n',
        "utf-8",
    )

    found = phrases(shipped)

    assert found == ["but a bit too slow", "wow !", "it's fun", "and jean-claud is in it"]


def test_the_bad_records_are_those_that_the_job_rejects() -> None:
    lines = [record(number, WORDS) for number in range(1_000)]

    fields = ReviewFields(text="text", id="id", kept=())
    for number, line in enumerate(lines):
        payload = Payload(Origin("dump", str(number)), PayloadKind.JSON, line.encode("utf-8"))
        parsed = parse_review(payload, fields)
        assert isinstance(parsed, Review) != is_bad(number)
        assert json.loads(line)["id"] == str(number)
    assert sum(map(is_bad, range(1_000))) == 10
    assert len({line.partition("text")[2] for line in lines}) > len(WORDS)


@pytest.mark.parametrize("count", [0, 5, 1_003])
def test_a_dump_holds_every_record_once(tmp_path: Path, count: int) -> None:
    write_dump(tmp_path, count, WORDS)

    lines = []
    for path in sorted(tmp_path.iterdir()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines += data.decode("utf-8").splitlines()
    assert lines == [record(number, WORDS) for number in range(count)]
    assert len(list(tmp_path.glob("*.gz"))) == 2


def write_rows(output: Path, scored: list[int], rejected: list[int]) -> None:
    for folder, rows in (
        ("scores", [{"review_id": str(number)} for number in scored]),
        ("rejected", [{"payload": json.dumps({"id": str(number)})} for number in rejected]),
    ):
        path = output / folder / "dt=2026-11-22" / "part.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.mark.parametrize(
    ("scored", "rejected", "expected"),
    [
        ([*range(99), *range(100, 150)], [99], Losses(0, 0, 0, 0)),
        ([*range(98), *range(100, 150)], [99], Losses(1, 0, 0, 0)),
        ([*range(99), *range(100, 150)], [], Losses(1, 0, 0, 0)),
        ([*range(99), *range(100, 150), 3, 3, 4], [99], Losses(0, 2, 0, 0)),
        ([*range(150)], [], Losses(0, 0, 1, 0)),
        ([*range(1, 99), *range(100, 150)], [0, 99], Losses(0, 0, 1, 0)),
        ([*range(99), *range(100, 151)], [99], Losses(0, 0, 0, 1)),
    ],
)
def test_the_files_tell_what_was_lost(
    tmp_path: Path, scored: list[int], rejected: list[int], expected: Losses
) -> None:
    write_rows(tmp_path, scored, rejected)

    assert read_ledger(tmp_path, 150).losses() == expected


def test_unfinished_files_do_not_count(tmp_path: Path) -> None:
    write_rows(tmp_path, [0, 1], [])
    path = tmp_path / "scores" / "dt=2026-11-22" / "part.jsonl"
    path.rename(path.with_name("_part.jsonl.0123.unfinished"))

    assert read_ledger(tmp_path, 2).losses().lost == 2


def test_messages_published_twice_are_counted() -> None:
    assert Load(24_000, 20.0, 60).published == 24_480
