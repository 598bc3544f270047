import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from model.classifier import probabilities_of
from model.evaluation import predict
from model.savedmodel import check_output, export, load
from model.signatures import Serving
from schemas.errors import UserError
from tests.model.conftest import Toy


def test_works_wherever_it_is_copied(toy: Toy, tmp_path: Path) -> None:
    copied = shutil.copytree(toy.directory, tmp_path / "elsewhere" / "model")
    text = tf.constant(["the plot, the acting: not good"])
    here, there = (
        tf.saved_model.load(str(path)).signatures["serving_default"](text=text)
        for path in (toy.directory, copied)
    )
    assert here["positive_probability"].numpy() == there["positive_probability"].numpy()


def test_exported_toy_equals_its_classifier(toy: Toy) -> None:
    tokens = toy.tokenizer.tokenize(["good film", "bad acting, the end!", "not the plot"])
    exported = predict(load(toy.directory).probabilities, tokens)
    direct = expit(predict(toy.classifier.predict_on_batch, tokens))
    np.testing.assert_allclose(exported, direct, atol=2e-3)  # matrices are stored in float16
    assert exported.dtype == np.float32
    assert np.ptp(exported) > 1e-3


def test_export_leaves_nothing_behind_when_it_fails(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("model.savedmodel.write_card", fail)
    with pytest.raises(OSError, match="disk full"):
        export(Serving(probabilities_of(toy.classifier), toy.tokenizer), {}, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_output_must_be_free(tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "model")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="isn't empty"):
        check_output(tmp_path)
    with pytest.raises(UserError, match="can't write"):
        check_output(tmp_path / "file" / "model")


def replace_network(directory: Path, signature: Callable[[tf.Tensor], object] | None) -> None:
    module = tf.Module()
    signatures = {} if signature is None else {"token_ids": signature}
    tf.saved_model.save(module, str(directory), signatures=signatures)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string, "input_word_ids")])
def takes_strings(input_word_ids: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"positive_probability": tf.strings.length(input_word_ids)}


@tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, "input_word_ids")])
def gives_something_else(input_word_ids: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"score": input_word_ids}


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (None, "has no signature token_ids"),
        (takes_strings, "must turn input_word_ids"),
        (gives_something_else, "must turn input_word_ids"),
    ],
)
def test_load_checks_the_signature(
    toy: Toy, tmp_path: Path, signature: Callable[[tf.Tensor], object] | None, message: str
) -> None:
    directory = shutil.copytree(toy.directory, tmp_path / "model")
    replace_network(directory, signature)
    with pytest.raises(UserError, match=message):
        load(directory)


def test_load_of_a_damaged_network(toy: Toy, tmp_path: Path) -> None:
    directory = shutil.copytree(toy.directory, tmp_path / "model")
    (directory / "saved_model.pb").write_bytes(b"not a protocol buffer")
    with pytest.raises(UserError, match="can't load model"):
        load(directory)
