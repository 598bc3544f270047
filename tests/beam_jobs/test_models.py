import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from beam_jobs import models
from beam_jobs.models import KEPT_MODELS, LoadedModel, Models, ModelVersion
from model.batches import padded
from model.savedmodel import ScoringModel
from schemas.errors import UserError
from tests.beam_jobs.bucket import BucketFileSystem
from tests.beam_jobs.word_models import copy_model, export_words, sigmoid, version_of

Exported = Callable[[float], Path]


def probability(known: Models, version: ModelVersion, text: str) -> float:
    tokens = known.tokenizer(version).tokenize([text])
    return float(known.network(version).probabilities(padded(tokens, np.array([0])))[0])


def test_tokenizer_and_network_are_those_of_the_version(tmp_path: Path, exported: Exported) -> None:
    first = version_of(exported(1.0))
    second = export_words(tmp_path / "second", {"plot": 0.25, "bad": -3.0, "good": 2.0})
    known = Models()

    found = [probability(known, version, "good plot") for version in (first, second, first)]

    assert found == pytest.approx([sigmoid(1.0), sigmoid(2.25), sigmoid(1.0)], abs=1e-6)


def test_threads_that_ask_at_once_share_one_load(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, loads = models.load, []

    def load(path: Path) -> ScoringModel:
        loads.append(path)
        return real(path)

    monkeypatch.setattr(models, "load", load)
    known, version, threads = Models(), version_of(exported(1.0)), 8
    together = threading.Barrier(threads)

    def ask(_: int) -> ScoringModel:
        together.wait()
        return known.network(version)

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(ask, range(threads)))

    assert loads == [exported(1.0)]
    assert {id(network) for network in found} == {id(found[0])}


def test_only_the_models_used_last_are_kept(tmp_path: Path, exported: Exported) -> None:
    numbers = range(KEPT_MODELS + 1)
    versions = [copy_model(exported(float(n)), tmp_path / str(n)) for n in numbers]
    known = Models()
    for version in versions[:-1]:
        known.network(version)
    used_again = known.network(versions[0])
    known.network(versions[-1])
    for version in versions:
        shutil.rmtree(version.directory)

    assert known.network(versions[0]) is used_again
    with pytest.raises(UserError, match="no model at"):
        known.network(versions[1])


def test_what_was_loaded_elsewhere_needs_no_files(tmp_path: Path, exported: Exported) -> None:
    version = copy_model(exported(1.5), tmp_path / "model")
    elsewhere, known = Models(), Models()
    known.keep(LoadedModel(version, elsewhere.tokenizer(version), elsewhere.network(version)))
    shutil.rmtree(version.directory)

    assert probability(known, version, "good") == pytest.approx(sigmoid(1.5), abs=1e-6)


@pytest.mark.parametrize("part", ["tokenizer", "network"])
def test_another_model_in_its_place_never_scores_under_its_name(
    tmp_path: Path, exported: Exported, part: str
) -> None:
    version = copy_model(exported(1.0), tmp_path / "model")
    card = tmp_path / "model/assets.extra/model_card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "max_length": 6}))

    with pytest.raises(UserError, match=f"is another one: .* instead of {version.sha256}; put"):
        getattr(Models(), part)(version)


def test_a_model_in_a_bucket_scores(bucket: Path, exported: Exported) -> None:
    version = copy_model(exported(1.5), bucket / "models/1")
    version = version._replace(directory="bucket://models/1")

    assert probability(Models(), version, "good") == pytest.approx(sigmoid(1.5), abs=1e-6)


def test_a_bucket_out_of_reach_is_asked_again(
    bucket: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = copy_model(exported(1.5), bucket / "models/1")
    version = version._replace(directory="bucket://models/1")
    known = Models()
    with monkeypatch.context() as out_of_reach:
        out_of_reach.setattr(BucketFileSystem, "down", True)
        with pytest.raises(OSError, match=r"can't copy model bucket://models/1: .*503"):
            known.network(version)

    assert known.network(version)
