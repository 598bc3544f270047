"""`evaluate-sentiment`, from the command line to the page."""

import json
import random
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from google.cloud.storage import Bucket
from sklearn import metrics as reference

from model.card import CARD
from model.cloud_storage import upload_directory
from model.data import held_out
from model.evaluate import NUMBERS, PAGE, main
from model.savedmodel import load
from tests.limits import short_files
from tests.model.conftest import Toy

SHOPS = ("books", "<b>boots</b>")
LENGTHS = (3, 32, 33, 64, 65, 600)
HOSTILE = "bad <script>alert('$title')</script> & film."


def rows() -> list[dict[str, Any]]:
    """Reviews of the toy's words, of every length, from two shops, as good as random."""
    chance = random.Random(5)
    words = ["good", "bad", "film", "the", "a", "not", "plot", "end"]
    texts = [" ".join(chance.choices(words, k=length)) for length in LENGTHS * 20]
    texts[7] = HOSTILE
    return [
        {"body": text, "stars": chance.choice([1, 2, 5]), "shop": chance.choice(SHOPS)}
        for text in texts
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, rows())), "utf-8")
    return path


COLUMNS = ["--text_field", "body", "--label_field", "stars", "--source_field", "shop"]
COLUMNS += ["--stars", "2", "5"]


def call(data: Path | str, model: Path | str, output: Path, *more: object) -> list[str]:
    places = ["--data", data, "--model", model, "--output", output]
    return [str(argument) for argument in [*places, *COLUMNS, *more]]


def evaluation(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / NUMBERS).read_text("utf-8"))
    return found


def test_the_numbers_are_those_of_the_models_own_text_signature(
    toy: Toy, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(call(data, toy.directory, tmp_path / "new" / "out", "--mistakes", 5)) == 0

    found = evaluation(tmp_path / "new" / "out")
    reviews = rows()
    labels = np.array([row["stars"] == 5 for row in reviews])
    probabilities = load(toy.directory).text_probabilities([row["body"] for row in reviews])
    chosen = probabilities >= 0.5
    overall = found["overall"]
    assert overall["reviews"] == len(reviews)
    assert overall["accuracy"] == pytest.approx(np.mean(chosen == labels))
    auc = reference.roc_auc_score(labels, probabilities)
    assert overall["roc_auc"] == pytest.approx(auc, abs=1e-3)
    assert overall["log_loss"] == pytest.approx(reference.log_loss(labels, probabilities), abs=1e-5)
    for shop in SHOPS:
        of_shop = np.array([row["shop"] == shop for row in reviews])
        expected = np.mean(chosen[of_shop] == labels[of_shop])
        assert found["by_source"][shop]["reviews"] == of_shop.sum()
        assert found["by_source"][shop]["accuracy"] == pytest.approx(expected)
    counts = {name: one["reviews"] for name, one in found["by_length"].items()}
    assert counts == {"up to 32": 40, "up to 64": 40, "up to 128": 20, "over 512": 20}
    wrong = np.flatnonzero(chosen != labels)
    order = sorted(wrong, key=lambda n: -abs(probabilities[n] - 0.5))
    certainty = [abs(probabilities[n] - 0.5) for n in order[:5]]
    shown = [abs(mistake["probability"] - 0.5) for mistake in found["mistakes"]]
    assert shown == pytest.approx(certainty, abs=2e-6)
    for mistake in found["mistakes"]:
        n = next(n for n in wrong if reviews[n]["body"] == mistake["text"])
        assert mistake["source"] == reviews[n]["shop"]
        assert mistake["label"] == labels[n] != (mistake["probability"] >= 0.5)
    assert found["model"].startswith("toy@")
    assert found["threshold"] == 0.5
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["all", "120"]
    assert f"{overall['accuracy']:.2%}" in lines[1]
    assert len(lines) == 1 + 1 + len(SHOPS) + 4 + 2


class Page(HTMLParser):
    """What tags and text a page has, and what it refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.references: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [
            value or "" for name, value in attributes if name in ("src", "href", "xlink:href")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_else_and_takes_text_for_text(
    toy: Toy, data: Path, tmp_path: Path
) -> None:
    for name in ("once", "again"):
        assert main(call(data, toy.directory, tmp_path / name, "--mistakes", 200)) == 0

    content = (tmp_path / "once" / PAGE).read_text("utf-8")
    page = Page(content)
    assert content == (tmp_path / "again" / PAGE).read_text("utf-8")
    assert page.tags.count("svg") == 1
    assert all(reference.startswith(("#", "data:")) for reference in page.references)
    assert not {"script", "b", "link", "iframe", "img"} & set(page.tags)
    assert SHOPS[1] in page.text
    for mistake in evaluation(tmp_path / "once")["mistakes"]:
        assert mistake["text"] in page.text
    for title in ("ROC", "Precision and recall", "Calibration", "Probabilities", "Confusion"):
        assert title in content


def with_threshold(model: Path, threshold: float, place: Path) -> Path:
    """A copy of a model whose card names a threshold."""
    shutil.copytree(model, place)
    card = json.loads((place / CARD).read_text("utf-8"))
    (place / CARD).write_text(json.dumps({**card, "threshold": threshold}), "utf-8")
    return place


def test_labels_are_those_of_the_models_threshold(
    toy: Toy, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")  # so that it can be read
    reviews = rows()
    labels = np.array([row["stars"] == 5 for row in reviews])
    probabilities = load(toy.directory).text_probabilities([row["body"] for row in reviews])
    threshold = round(float(np.quantile(probabilities, 0.7)), 4)
    chosen = probabilities >= threshold
    assert np.any(chosen != (probabilities >= 0.5))
    model = with_threshold(toy.directory, threshold, tmp_path / "model")

    assert main(call(data, model, tmp_path / "out", "--mistakes", 200)) == 0

    found = evaluation(tmp_path / "out")
    assert found["threshold"] == threshold
    assert found["overall"]["accuracy"] == pytest.approx(reference.accuracy_score(labels, chosen))
    assert found["overall"]["f1"] == pytest.approx(reference.f1_score(labels, chosen))
    shown = [mistake["probability"] for mistake in found["mistakes"]]
    assert len(shown) == np.sum(chosen != labels)
    left = [p / threshold if p < threshold else (1 - p) / (1 - threshold) for p in shown]
    assert left == pytest.approx(sorted(left), abs=2e-5)
    assert min(shown) < threshold <= max(shown)
    distances = [abs(p - threshold) for p in shown]
    assert distances != pytest.approx(sorted(distances, reverse=True), abs=1e-3)
    page = Page((tmp_path / "out" / PAGE).read_text("utf-8"))
    assert f"probabilities of {threshold} and above" in page.text
    counts = reference.confusion_matrix(labels, chosen).ravel().tolist()
    assert " ".join(map(str, counts)) in " ".join(page.text.split())


def test_only_what_training_holds_out(toy: Toy, data: Path, tmp_path: Path) -> None:
    assert main(call(data, toy.directory, tmp_path, "--held_out", "--mistakes", 200)) == 0

    found = evaluation(tmp_path)
    reviews = [row for row in rows() if held_out(row["body"])]
    assert 0 < found["overall"]["reviews"] == len(reviews) < 60
    assert {mistake["text"] for mistake in found["mistakes"]} <= {row["body"] for row in reviews}


def test_model_and_data_in_a_bucket(
    gcs_bucket: Bucket, toy: Toy, data: Path, tmp_path: Path
) -> None:
    url = f"gs://{gcs_bucket.name}"
    upload_directory(toy.directory, f"{url}/model")
    gcs_bucket.blob("mine.jsonl").upload_from_filename(str(data))

    assert main(call(data, toy.directory, tmp_path / "local")) == 0
    assert main(call(f"{url}/mine.jsonl", f"{url}/model", tmp_path / "remote")) == 0

    assert evaluation(tmp_path / "local") == evaluation(tmp_path / "remote")


def test_mistakes_in_the_call_are_one_line(
    toy: Toy, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked, none = tmp_path / "file", tmp_path / "none.jsonl"
    blocked.touch()
    none.touch()
    expected = {
        tuple(call(none, toy.directory, tmp_path)): "--data holds no review to measure",
        tuple(call(data, tmp_path, tmp_path)): "isn't a SavedModel: it has no saved_model.pb",
        tuple(call(data, tmp_path / "none", tmp_path)): f"no model at {tmp_path / 'none'}",
        tuple(call(data, toy.directory, blocked)): f"--output {blocked} can't be made: File exists",
        tuple(call(data, toy.directory, tmp_path, "--text_field", "x")): "line 1: no column x",
        tuple(call(data, toy.directory, tmp_path, "--mistake", 1)): "did you mean --mistakes?",
        ("--data", str(data)): "required: --output",
    }
    for arguments, message in expected.items():
        assert main(arguments) == 2
        captured = capsys.readouterr()
        (line,) = captured.err.splitlines()
        assert line.startswith("evaluate-sentiment: error: ")
        assert message in line
    assert not (tmp_path / PAGE).exists()


def test_no_room_for_token_ids_is_one_line(
    toy: Toy, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with short_files(1_000):
        assert main(call(data, toy.directory, tmp_path)) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("evaluate-sentiment: error: ")
    assert "File too large" in line


def test_plots_need_matplotlib(
    toy: Toy,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    assert main(call(data, toy.directory, tmp_path)) == 2
    assert "pip install 'review-scoring[evaluate]'" in capsys.readouterr().err
