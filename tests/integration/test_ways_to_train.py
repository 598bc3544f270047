"""Other ways to train than the default one, through the command lines, to rows of scores."""

from pathlib import Path

import pytest

from beam_jobs.demo import SAMPLES
from beam_jobs.score_reviews import main
from model.card import default_model_directory, read_card
from model.data import packaged
from tests.integration.buckets import named_rows
from tests.model.test_train import run, write_csv

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reviews = list(packaged("imdb"))[::50]
    return write_csv(tmp_path_factory.mktemp("data") / "mine.csv", reviews)


def scored(model: Path, prefix: Path) -> list[float]:
    """Probabilities of the samples, sorted."""
    arguments = ["--input", str(SAMPLES), "--id_field", "review_id", "--quiet"]
    assert main([*arguments, "--model", str(model), "--output", str(prefix)]) == 0
    return sorted(row["positive_probability"] for row in named_rows(prefix))


def test_a_hub_module_is_exported_then_trained_on_frozen(data: Path, tmp_path: Path) -> None:
    module, model = tmp_path / "module", tmp_path / "model"
    exported = run("export-encoder", "--preset", "tiny", "--output", module, "--max_length", 64)
    assert exported.returncode == 0, exported.stderr

    trained = run(
        *("--preset", "lab", "--encoder", module, "--freeze_encoder", "--data", data),
        *("--output", model, "--max_length", 64, "--epochs", 1, "--calibration", "none"),
    )

    assert trained.returncode == 0, trained.stderr
    card = read_card(model)
    assert card.raw["encoder_origin"]["method"] == "TF Hub module"
    assert card.raw["training"]["freeze_encoder"] is True
    assert card.raw["temperature"] == 1.0
    assert card.max_length == 64
    probabilities = scored(model, tmp_path / "out")
    assert probabilities[-1] - probabilities[0] > 1e-3


def test_a_small_model_learns_from_a_teacher_too(data: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text("review\nA dull film.\n", "utf-8")
    model = tmp_path / "model"
    options = ("--data", data, "--output", model, "--max_length", 32, "--epochs", 1)
    teacher = default_model_directory()

    wrong = run(*options, "--teacher", teacher, "--unlabelled", bare)
    trained = run(*options, "--teacher", teacher, "--unlabelled", data, "--softness", 3)

    assert wrong.returncode == 2
    assert "no column text; name the right one with --text_field" in wrong.stderr
    assert trained.returncode == 0, trained.stderr
    assert "; 369 for the teacher to label" in trained.stderr
    card = read_card(model).raw
    assert card["teacher"].startswith("tiny-imdb@")
    assert card["data"]["unlabelled_sources"][0]["name"] == "mine.csv"
    assert card["training"]["softness"] == 3
    assert len(scored(model, tmp_path / "out")) == 20


def test_a_teacher_is_needed_for_reviews_without_labels(data: Path, tmp_path: Path) -> None:
    result = run("--data", data, "--output", tmp_path / "model", "--unlabelled", data)
    assert result.returncode == 2
    assert result.stderr == (
        "train-sentiment: error: --unlabelled needs a --teacher to label these reviews\n"
    )
