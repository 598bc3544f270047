import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.card import CARD, VOCABULARY, default_model_directory, read_card, threshold_of
from model.fingerprint import fingerprint
from schemas.errors import UserError
from tests.model.conftest import TOY_LENGTH, Toy


@pytest.fixture
def artifact(toy: Toy, tmp_path: Path) -> Path:
    return shutil.copytree(toy.directory, tmp_path / "artifact")


def test_says_what_scoring_needs(toy: Toy) -> None:
    card = read_card(toy.directory)
    assert (card.name, card.labels) == ("toy", ("negative", "positive"))
    assert (card.max_length, card.head_share, card.lower_case) == (TOY_LENGTH, 0.25, True)
    assert card.raw["encoder"]["hidden_size"] == 8


def test_the_threshold_is_what_the_card_says(artifact: Path, tmp_path: Path) -> None:
    card = json.loads((artifact / CARD).read_text())
    (artifact / CARD).write_text(json.dumps({**card, "threshold": 0.3}))

    assert read_card(artifact).threshold == threshold_of(artifact) == 0.3
    assert threshold_of(tmp_path) == 0.5  # a model of others, as far as can be seen


def test_cards_of_earlier_releases_mean_a_half() -> None:
    bundled = default_model_directory()

    assert "threshold" not in read_card(bundled).raw
    assert read_card(bundled).threshold == threshold_of(bundled) == 0.5


def test_bundled_card_tells_where_the_model_comes_from() -> None:
    card = read_card(default_model_directory())
    assert card.name == "tiny-imdb"
    assert card.max_length == 256
    assert card.raw["encoder"]["storage"] == "float16"
    assert card.raw["parameters"] == pytest.approx(4.35e6, rel=0.01)
    assert card.raw["data"]["training_reviews"] == 20_000
    assert card.raw["data"]["validation_reviews"] == card.raw["metrics"]["reviews"] == 5_000
    assert len(card.raw["data"]["sha256"]) == 64
    assert len(card.raw["training"]["loss_per_epoch"]) == card.raw["training"]["epochs"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no model at"),
        ("saved_model.pb", "isn't a SavedModel"),
        (CARD, "only models made by train-sentiment"),
        (VOCABULARY, r"incomplete: no assets/vocab\.txt"),
        ("variables/variables.index", r"incomplete: no variables/variables\.index"),
        ("variables/variables.data-00000-of-00001", r"incomplete: no variables/variables\.data"),
    ],
)
def test_missing_parts(artifact: Path, name: str, message: str) -> None:
    path = artifact / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UserError, match=message):
        read_card(artifact)


def without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda card: [card.pop(name) for name in names]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("labels"), "no 'labels'"),
        (without("truncation"), "no 'truncation'"),
        (lambda card: card.update(max_length="256"), "max_length can't be '256'"),
        (lambda card: card.update(max_length=2), "max_length can't be 2"),
        (lambda card: card.update(labels=["positive"]), "labels can't be"),
        (lambda card: card.update(truncation={"head_share": 1.5}), r"head_share can't be 1\.5"),
        (lambda card: card.update(lower_case=1), "lower_case can't be 1"),
        (lambda card: card.update(name=""), "name can't be ''"),
        (lambda card: card.update(threshold=0), "threshold can't be 0;"),
        (lambda card: card.update(threshold=1.0), r"threshold can't be 1\.0"),
        (lambda card: card.update(threshold=-0.5), r"threshold can't be -0\.5"),
        (lambda card: card.update(threshold=math.nan), "threshold can't be nan"),
        (lambda card: card.update(threshold=None), "threshold can't be None"),
        (lambda card: card.update(threshold=True), "threshold can't be True"),
        (lambda card: card.update(threshold="0.5"), "threshold can't be '0.5'"),
    ],
)
def test_broken_cards(
    artifact: Path, damage: Callable[[dict[str, Any]], object], message: str
) -> None:
    card = json.loads((artifact / CARD).read_text())
    damage(card)
    (artifact / CARD).write_text(json.dumps(card))
    with pytest.raises(UserError, match=message) as caught:
        read_card(artifact)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_cards_that_are_no_cards(artifact: Path, content: bytes) -> None:
    (artifact / CARD).write_bytes(content)
    with pytest.raises(UserError, match="broken model card"):
        read_card(artifact)


def test_fingerprint_depends_on_contents_alone(artifact: Path, tmp_path: Path) -> None:
    before = fingerprint(artifact)
    assert len(before) == 64
    assert fingerprint(shutil.copytree(artifact, tmp_path / "copy")) == before
    with (artifact / VOCABULARY).open("a") as file:
        file.write("one more\n")
    assert fingerprint(artifact) != before


def test_fingerprint_depends_on_names(artifact: Path) -> None:
    before = fingerprint(artifact)
    (artifact / VOCABULARY).rename(artifact / "assets/words.txt")
    assert fingerprint(artifact) != before


def test_reading_a_card_needs_no_tensorflow() -> None:
    program = (
        "import sys, model.savedmodel, model.train\n"
        "model.savedmodel.read_card(model.savedmodel.default_model_directory())\n"
        "assert 'tensorflow' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
