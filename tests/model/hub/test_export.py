import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from model.batches import padded
from model.classifier import build_classifier, encoder_inputs, probabilities_of
from model.encoder import build_encoder
from model.evaluation import predict
from model.hub_encoder import HubEncoder
from model.hub_export import export_module
from model.savedmodel import export
from model.settings import EncoderConfig
from model.signatures import Serving
from tests.model.conftest import TOY_LENGTH, Toy, toy_card
from tests.model.hub.modules import NAMES
from tests.model.hub.test_encoder import train
from tests.model.test_encoder import random_ids

TEXTS = ["good film", "bad acting, the end!", "not the plot", "", "the " * 50]

PROGRAM = """
import json, sys
import numpy as np, tensorflow as tf
from model.batches import padded
from model.evaluation import predict
from model.runtime import import_tensorflow
from model.savedmodel import load
from model.tokenizer import Tokenizer

directory, texts = sys.argv[1], sys.argv[2:]
model = load(directory)
tokens = Tokenizer.from_artifact(directory).tokenize(texts)
example = lambda text: tf.train.Example(features=tf.train.Features(feature={
    "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))}))
serialized = tf.constant([example(text).SerializeToString() for text in texts])
outputs = tf.saved_model.load(directory).signatures["examples"](examples=serialized)
print(json.dumps([
    predict(model.probabilities, tokens).tolist(),
    model.text_probabilities(texts).tolist(),
    outputs["positive_probability"].numpy().tolist(),
]))
"""


@pytest.fixture
def original(toy_config: EncoderConfig) -> tf_keras.Model:
    tf_keras.utils.set_random_seed(7)
    return build_encoder(toy_config)


@pytest.fixture
def directory(original: tf_keras.Model, toy_vocabulary: Path, tmp_path: Path) -> Path:
    export_module(original, toy_vocabulary, lower_case=False, directory=tmp_path / "a" / "module")
    return tmp_path / "a" / "module"


def in_another_process(*arguments: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-c", *arguments]
    return subprocess.run(
        command, check=True, env=environment, stdout=subprocess.PIPE, text=True
    ).stdout


def test_is_a_module_to_anybody(
    directory: Path, original: tf_keras.Model, toy_config: EncoderConfig, toy_vocabulary: Path
) -> None:
    module = tf.saved_model.load(str(directory))
    inputs = encoder_inputs(tf.constant(random_ids(toy_config, 3, 5), tf.int32))

    outputs, expected = module(inputs), original(inputs)

    assert set(inputs) == set(NAMES)
    assert set(outputs) == {"default", "pooled_output", "sequence_output"}
    np.testing.assert_array_equal(outputs["default"], outputs["pooled_output"])
    for name in expected:
        np.testing.assert_allclose(outputs[name], expected[name], atol=2e-6)
    assert Path(module.vocab_file.asset_path.numpy().decode()).read_bytes() == (
        toy_vocabulary.read_bytes()
    )
    assert module.do_lower_case.numpy() == np.False_
    assert len(module.variables) == len(module.trainable_variables) == len(original.weights)


def test_lower_case_is_kept(directory: Path) -> None:
    assert HubEncoder(directory).lower_case is False


def test_a_module_can_be_exported_again(
    directory: Path, tmp_path: Path, original: tf_keras.Model, toy_config: EncoderConfig
) -> None:
    first = HubEncoder(directory)
    export_module(first.build(TOY_LENGTH), first.vocabulary, False, tmp_path / "second")
    second = HubEncoder(tmp_path / "second")
    inputs = encoder_inputs(tf.constant(random_ids(toy_config, 3, 5), tf.int32))
    ours, theirs = second.build(TOY_LENGTH)(inputs), original(inputs)
    np.testing.assert_allclose(ours["sequence_output"], theirs["sequence_output"], atol=2e-6)
    assert second.trainable


def test_a_frozen_encoder_can_be_trained_once_exported(
    original: tf_keras.Model, toy_vocabulary: Path, tmp_path: Path
) -> None:
    original.trainable = False
    export_module(original, toy_vocabulary, True, tmp_path / "module")
    encoder = HubEncoder(tmp_path / "module").build(TOY_LENGTH)
    assert len(encoder.trainable_variables) == len(original.weights)


def test_leaves_nothing_behind_when_it_fails(
    original: tf_keras.Model, toy_vocabulary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.replace

    def fail(self: Path, target: Path) -> None:
        assert (self / "saved_model.pb").is_file()
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        export_module(original, toy_vocabulary, True, tmp_path / "module")
    monkeypatch.setattr(Path, "replace", whole)
    assert list(tmp_path.iterdir()) == []


def test_leaves_what_is_there(
    original: tf_keras.Model, toy_vocabulary: Path, tmp_path: Path
) -> None:
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "mine").write_text("")
    with pytest.raises(OSError, match="not empty"):
        export_module(original, toy_vocabulary, True, tmp_path / "module")
    assert [path.name for path in tmp_path.rglob("*")] == ["module", "mine"]


@pytest.mark.slow
def test_a_classifier_on_it_serves_in_another_process(
    directory: Path, toy: Toy, tmp_path: Path
) -> None:
    module = HubEncoder(directory)
    classifier = build_classifier(module.build(TOY_LENGTH), dropout=0.1)
    tokens = toy.tokenizer.tokenize(TEXTS)
    ids = padded(tokens, np.arange(len(TEXTS)))
    train(classifier, ids, steps=5)
    network = probabilities_of(classifier)
    export(Serving(network, toy.tokenizer), toy_card(toy.config), tmp_path / "artifact")
    expected = predict(network.predict_on_batch, tokens)

    found = json.loads(in_another_process(PROGRAM, str(tmp_path / "artifact"), *TEXTS))

    assert np.ptp(expected) > 1e-2
    assert len(found) == 3
    for probabilities in found:
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
