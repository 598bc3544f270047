import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from google.cloud.storage import Bucket
from google.cloud.storage.retry import DEFAULT_RETRY
from safetensors.numpy import save_file

from model.checkpoint import WORD_EMBEDDINGS
from model.classifier import compact, probabilities_of
from model.cloud_storage import list_directory
from model.data import data_at_hand
from model.inputs import directory_at_hand
from model.labelled_reviews import Columns, LabelledReview
from model.output import check_output, write_model
from model.remote import fetch
from model.savedmodel import load
from model.signatures import Serving
from model.train import main
from schemas.errors import UserError
from tests.gcs.faults import busy, forbidden, read_only
from tests.gcs.server import CloudStorage
from tests.model.conftest import Toy, toy_card
from tests.model.test_train import errors_of, write_csv


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def write_toy(toy: Toy, output: str) -> None:
    network = probabilities_of(compact(toy.classifier, toy.config))
    write_model(Serving(network, toy.tokenizer), toy_card(toy.config), output)


def test_an_exported_model_comes_back(
    gcs_bucket: Bucket, toy: Toy, tmp_path: Path, scratch: Path
) -> None:
    url = f"gs://{gcs_bucket.name}/models/v1"
    check_output(url)
    write_toy(toy, url)
    assert list(scratch.iterdir()) == []

    fetch(list_directory(url), tmp_path / "copy")

    ids = toy.tokenizer.tokenize(["good film"]).values[np.newaxis]
    expected = load(toy.directory).probabilities(ids)
    np.testing.assert_array_equal(load(tmp_path / "copy").probabilities(ids), expected)
    with pytest.raises(UserError, match="/models/v1 isn't empty: remove it or give another"):
        check_output(url)


@pytest.mark.slow
def test_a_model_that_cannot_be_uploaded_is_kept(
    gcs: CloudStorage, gcs_bucket: Bucket, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"gs://{gcs_bucket.name}/models/v1"
    monkeypatch.setattr(DEFAULT_RETRY, "_timeout", 0.5)  # seconds, instead of two minutes
    for fault in (read_only(gcs_bucket.name), busy(1.0)):
        gcs.proxy.faults[:] = [fault]
        with pytest.raises(UserError, match="copy it with `gcloud storage rsync") as raised:
            write_toy(toy, url)

        (kept,) = re.findall(r"is kept in (\S+):", str(raised.value))
        assert f"--recursive {kept} {url}`" in str(raised.value)
        assert "\n" not in str(raised.value)
        load(kept)


def test_an_output_that_will_not_do_costs_no_training(
    gcs: CloudStorage,
    gcs_bucket: Bucket,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DEFAULT_RETRY, "_timeout", 0.5)
    monkeypatch.setattr("model.train.materials_at_hand", None)
    url = f"gs://{gcs_bucket.name}/v1"
    assert "is not there: 404" in errors_of(capsys, "--output", "gs://absent/v1")
    gcs.proxy.faults[:] = [read_only(gcs_bucket.name)]
    assert "no access" in errors_of(capsys, "--output", url)
    gcs.proxy.faults[:] = [busy(1.0)]
    assert "can't reach" in errors_of(capsys, "--output", url)


def test_inputs_in_a_bucket(
    gcs: CloudStorage, gcs_bucket: Bucket, tmp_path: Path, scratch: Path
) -> None:
    reviews = [LabelledReview(f"review {i}", i % 2) for i in range(99)]
    local = str(write_csv(tmp_path / "mine.csv", reviews))
    gcs_bucket.blob("data/mine.csv").upload_from_filename(local)

    url = f"gs://{gcs_bucket.name}/data/mine.csv"

    with data_at_hand(url, Columns()) as data, data_at_hand(local, Columns()) as same:
        assert list(data) == list(same)
        assert data == replace(same, source=url, path=data.path)
    assert list(scratch.iterdir()) == []


def test_inputs_that_will_not_do_are_named_by_their_url(
    gcs: CloudStorage,
    gcs_bucket: Bucket,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, new = f"gs://{gcs_bucket.name}", tmp_path / "new"
    gcs_bucket.blob("bad.csv").upload_from_string("text,label\nGood.,1\n,0\n")
    gcs_bucket.blob("one.csv").upload_from_string("text,label\nGood.,1\n")
    two = write_csv(tmp_path / "two.csv", [LabelledReview(f"it {i}", i % 2) for i in range(99)])
    gcs_bucket.blob("bert/vocab.txt").upload_from_string("[PAD]\n")
    gcs_bucket.blob("other/config.json").upload_from_string("{}")
    expected = {
        ("--data", f"{url}/bad.csv"): f"error: {url}/bad.csv, row 2: empty text",
        ("--data", f"{url}/one.csv"): f"error: {url}/one.csv: the ",
        ("--data", f"{url}/none.csv"): f"error: {url}/none.csv is not there: 404",
        ("--data", two, "--encoder", f"{url}/other"): f"error: no encoder in {url}/other: ",
        ("--data", two, "--encoder", f"{url}/none"): f"error: nothing at {url}/none: ",
    }
    for arguments, message in expected.items():
        assert message in errors_of(capsys, "--output", new, *arguments)
    gcs.proxy.faults[:] = [forbidden(gcs_bucket.name)]
    assert "no access to" in errors_of(capsys, "--output", new, "--data", f"{url}/bad.csv")
    monkeypatch.setattr(DEFAULT_RETRY, "_timeout", 0.5)
    gcs.proxy.faults[:] = [busy(1.0)]
    assert "can't reach" in errors_of(capsys, "--output", new, "--data", f"{url}/bad.csv")


def test_a_checkpoint_in_a_bucket(gcs_bucket: Bucket, tmp_path: Path) -> None:
    for name in ("vocab.txt", "model.safetensors", "pytorch_model.bin"):
        gcs_bucket.blob(f"bert/{name}").upload_from_string(name)

    with directory_at_hand(f"gs://{gcs_bucket.name}/bert/", ("vocab.txt", "none")) as directory:
        assert [path.read_text() for path in directory.iterdir()] == ["vocab.txt"]
    assert not directory.exists()


@pytest.mark.slow
def test_training_from_a_bucket_to_a_bucket(
    gcs_bucket: Bucket, imdb: list[LabelledReview], tmp_path: Path, toy_vocabulary: Path
) -> None:
    url = f"gs://{gcs_bucket.name}"
    data = write_csv(tmp_path / "mine.csv", imdb[::50])
    gcs_bucket.blob("mine.csv").upload_from_filename(str(data))
    table = np.random.default_rng(0).normal(size=[18, 128]).astype(np.float32)
    save_file({WORD_EMBEDDINGS: table}, tmp_path / "model.safetensors")
    for path in (tmp_path / "model.safetensors", toy_vocabulary):
        gcs_bucket.blob(f"bert/{path.name}").upload_from_filename(str(path))

    places = ["--data", f"{url}/mine.csv", "--encoder", f"{url}/bert"]
    code = main([*places, "--output", f"{url}/models/v1", "--epochs", "1", "--max_length", "16"])

    assert code == 0
    fetch(list_directory(f"{url}/models/v1"), tmp_path / "copy")
    load(tmp_path / "copy")
    card = (tmp_path / "copy/assets.extra/model_card.json").read_text()
    assert '"name": "tiny-mine.csv"' in card
    assert gcs_bucket.name not in card
