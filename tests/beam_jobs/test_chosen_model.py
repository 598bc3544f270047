from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud.storage import Bucket
from google.cloud.storage.retry import DEFAULT_RETRY

from beam_jobs.command_line import parse
from beam_jobs.job import chosen_model
from beam_jobs.tfx_engine import TfxHandler
from model.card import default_model_directory
from model.cloud_storage import upload_directory
from model.fingerprint import fingerprint, model_identity
from schemas.errors import UserError
from tests.beam_jobs.word_models import export_words, sigmoid, version_of
from tests.gcs.faults import busy, forbidden
from tests.gcs.server import CloudStorage

Exported = Callable[[float], Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def options(model: str, engine: str = "saved_model") -> Namespace:
    needed = ["--input", "reviews.jsonl", "--output", "scores"]
    return parse([*needed, "--model", model, "--engine", engine])


def test_the_bundled_model_is_named_alike_on_every_machine() -> None:
    model = chosen_model(options(""))

    assert model.directory == "package://model/pretrained"
    assert model.identity == model_identity("tiny-imdb", fingerprint(default_model_directory()))
    assert model.threshold == model.version.threshold == 0.5


def test_a_model_in_a_bucket_is_the_same_as_on_disk(gcs_bucket: Bucket, exported: Exported) -> None:
    url = f"gs://{gcs_bucket.name}/models/1"
    upload_directory(exported(1.0), url)

    model = chosen_model(options(url))

    assert (model.directory, model.identity) == (url, version_of(exported(1.0)).identity)


@pytest.mark.parametrize(
    "engine", ["saved_model", pytest.param("tfx_bsl", marks=pytest.mark.tfx_bsl)]
)
def test_the_threshold_is_found_in_the_card_and_a_broken_one_is_a_mistake(
    tmp_path: Path, engine: str
) -> None:
    for threshold in (0.7, 1.5):
        export_words(tmp_path / str(threshold), {"good": 1.0}, threshold=threshold)

    assert chosen_model(options(str(tmp_path / "0.7"), engine)).version.threshold == 0.7
    with pytest.raises(UserError, match=r"^broken model card .*: threshold can't be 1\.5; "):
        chosen_model(options(str(tmp_path / "1.5"), engine))


@pytest.mark.tfx_bsl
def test_tfx_bsl_runs_a_model_in_a_bucket(gcs_bucket: Bucket, exported: Exported) -> None:
    from model.tfx import serialize_example

    url = f"gs://{gcs_bucket.name}/models/words"
    upload_directory(exported(1.5), url)

    model = chosen_model(options(url, "tfx_bsl"))

    assert model.identity == version_of(exported(1.5)).identity
    assert model.tfx_signature is not None
    handler = TfxHandler(model.version, model.tfx_signature, model.precision)
    (found,) = handler.run_inference([serialize_example("good", "text")], handler.load_model())
    assert found == pytest.approx(sigmoid(1.5), abs=1e-6)


def test_a_model_that_cannot_be_had_is_a_mistake_of_the_call(
    gcs: CloudStorage, gcs_bucket: Bucket, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"gs://{gcs_bucket.name}/models/1"
    upload_directory(exported(1.0), url)
    gcs_bucket.blob("models/1/assets/vocab.txt").delete()
    with pytest.raises(UserError, match=f"^model {url} is incomplete: no assets/vocab.txt"):
        chosen_model(options(url))
    with pytest.raises(UserError, match=f"^nothing at {url}0: check the URL"):
        chosen_model(options(f"{url}0"))
    gcs.proxy.faults[:] = [forbidden(gcs_bucket.name)]
    with pytest.raises(UserError, match=f"^no access to {url}: 403"):
        chosen_model(options(url))
    monkeypatch.setattr(DEFAULT_RETRY, "_timeout", 0.5)  # seconds, instead of two minutes
    gcs.proxy.faults[:] = [busy(1.0)]
    with pytest.raises(UserError, match=f"^--model {url} can't be read: can't reach {url} for now"):
        chosen_model(options(url))
