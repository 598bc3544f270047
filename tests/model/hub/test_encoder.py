import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from model.classifier import build_classifier, encoder_inputs
from model.encoder import build_encoder
from model.fitting import optimizer
from model.hub_encoder import HubEncoder
from model.hub_export import export_module
from model.settings import PRESETS, EncoderConfig
from tests.model.conftest import TOY_LENGTH, Toy
from tests.model.hub.modules import NAMES, save_as_published
from tests.model.test_encoder import random_ids

OUTPUTS = ("pooled_output", "sequence_output")


@pytest.fixture(scope="module")
def original(toy_config: EncoderConfig) -> tf_keras.Model:
    tf_keras.utils.set_random_seed(5)
    return build_encoder(toy_config)


@pytest.fixture(scope="module", params=["exported", "published"])
def directory(
    request: pytest.FixtureRequest,
    original: tf_keras.Model,
    toy_vocabulary: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A module of the original encoder, written by this package, or as those on TF Hub were."""
    path = tmp_path_factory.mktemp("hub") / request.param
    if request.param == "exported":
        export_module(original, toy_vocabulary, lower_case=True, directory=path)
    else:
        save_as_published(original, toy_vocabulary, path)
    return path


@pytest.fixture
def encoder(directory: Path) -> tf_keras.Model:
    return HubEncoder(directory).build(TOY_LENGTH)


@pytest.fixture(scope="module")
def inputs(toy_config: EncoderConfig) -> dict[str, tf.Tensor]:
    """Texts of many lengths, with both types of tokens."""
    ids = random_ids(toy_config, 6, TOY_LENGTH).astype(np.int32)
    ids[np.arange(TOY_LENGTH) >= np.array([[2], [3], [5], [8], [11], [12]])] = 0
    types = np.random.default_rng(1).integers(0, 2, ids.shape).astype(np.int32)
    return {**encoder_inputs(tf.constant(ids)), "input_type_ids": tf.constant(types)}


def test_has_the_interface_of_other_encoders(
    encoder: tf_keras.Model, original: tf_keras.Model
) -> None:
    assert encoder.name == original.name
    assert set(encoder.input) == set(original.input) == set(NAMES)
    assert set(encoder.output) == set(OUTPUTS)
    for ours, theirs in ((encoder.input, original.input), (encoder.output, original.output)):
        assert {name: (value.shape, value.dtype) for name, value in ours.items()} == {
            name: (value.shape, value.dtype) for name, value in theirs.items()
        }


def test_knows_its_vocabulary(directory: Path, toy_vocabulary: Path) -> None:
    module = HubEncoder(directory)
    assert module.vocabulary.is_relative_to(directory)
    assert module.vocabulary.read_bytes() == toy_vocabulary.read_bytes()
    assert module.lower_case is True
    assert module.trainable is True
    module.check_trainable()


def test_equals_the_original(
    encoder: tf_keras.Model, original: tf_keras.Model, inputs: dict[str, tf.Tensor]
) -> None:
    ours, theirs = encoder(inputs), original(inputs)
    for name in OUTPUTS:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6, rtol=1e-6)


def test_a_copy_elsewhere_is_the_same(
    directory: Path, tmp_path: Path, original: tf_keras.Model, inputs: dict[str, tf.Tensor]
) -> None:
    copy = HubEncoder(shutil.copytree(directory, tmp_path / "elsewhere"))
    assert copy.vocabulary.is_relative_to(tmp_path)
    outputs = copy.build(TOY_LENGTH)(inputs)
    np.testing.assert_allclose(
        outputs["pooled_output"], original(inputs)["pooled_output"], atol=1e-6, rtol=1e-6
    )


def gradients(encoder: tf_keras.Model, inputs: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
    with tf.GradientTape() as tape:
        outputs = encoder(inputs, training=False)
        loss = sum(tf.reduce_sum(tf.sin(outputs[name])) for name in OUTPUTS)
    found = tape.gradient(loss, encoder.trainable_variables)
    return {
        weight.name: tf.convert_to_tensor(gradient).numpy()
        for weight, gradient in zip(encoder.trainable_variables, found, strict=True)
    }


def test_gradients_equal_those_of_the_original(
    encoder: tf_keras.Model, original: tf_keras.Model, inputs: dict[str, tf.Tensor]
) -> None:
    ours, theirs = gradients(encoder, inputs), gradients(original, inputs)
    # Names matter too: the optimizer decays weights by them.
    assert set(ours) == set(theirs)
    for name, gradient in theirs.items():
        np.testing.assert_allclose(ours[name], gradient, atol=1e-4, rtol=1e-4, err_msg=name)


def train(classifier: tf_keras.Model, ids: tf.Tensor, steps: int) -> list[float]:
    """Losses of steps as `model.fitting` does them, only larger ones."""
    network = tf_keras.Model(classifier.input, classifier.output[:, tf.newaxis])
    tf_keras.utils.set_random_seed(9)
    settings = dataclasses.replace(PRESETS["tiny"].training, learning_rate=0.01)
    loss = tf_keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(optimizer(steps, settings), loss)
    labels = np.arange(len(ids)) % 2
    return [network.train_on_batch(ids, labels) for _ in range(steps)]


def weights_of(encoder: tf_keras.Model) -> dict[str, np.ndarray]:
    """Published modules count `do_lower_case` among them."""
    return {weight.name: weight.numpy().astype(np.float32) for weight in encoder.weights}


def test_training_changes_every_weight(
    encoder: tf_keras.Model, inputs: dict[str, tf.Tensor]
) -> None:
    before = weights_of(encoder)
    losses = train(build_classifier(encoder, 0.0), inputs["input_word_ids"], steps=30)
    after = weights_of(encoder)
    # Dropout makes single losses noisy.
    assert np.mean(losses[-10:]) < np.mean(losses[:5]) - 0.1
    trained = {weight.name for weight in encoder.trainable_weights}
    same = {name for name in trained if np.abs(after[name] - before[name]).max() < 1e-4}
    # To attention, adding the same to all keys makes no difference.
    assert {name for name in same if "/key/bias" not in name} == set()
    assert len(trained) == 39


def test_a_frozen_encoder_does_not_change(
    encoder: tf_keras.Model, inputs: dict[str, tf.Tensor]
) -> None:
    before, outputs = weights_of(encoder), encoder(inputs)
    classifier = build_classifier(encoder, 0.0, freeze_encoder=True)
    head = classifier.get_layer("head").get_weights()

    train(classifier, inputs["input_word_ids"], steps=5)

    assert len(classifier.trainable_variables) == 2
    assert not np.array_equal(classifier.get_layer("head").get_weights()[0], head[0])
    for name, value in weights_of(encoder).items():
        np.testing.assert_array_equal(value, before[name])
    np.testing.assert_array_equal(
        encoder(inputs, training=True)["pooled_output"], outputs["pooled_output"]
    )


def test_dropout_is_that_of_the_original(
    encoder: tf_keras.Model, original: tf_keras.Model, inputs: dict[str, tf.Tensor]
) -> None:
    same = {name: tf.repeat(value[-1:], 1000, axis=0) for name, value in inputs.items()}
    ours, theirs = (one(same, training=True)["pooled_output"] for one in (encoder, original))
    assert np.std(theirs, axis=0).min() > 0.05
    np.testing.assert_allclose(np.mean(ours, axis=0), np.mean(theirs, axis=0), atol=0.1)
    np.testing.assert_allclose(np.std(ours, axis=0), np.std(theirs, axis=0), atol=0.1)


def test_dropout_works_in_training_only(toy: Toy, encoder: tf_keras.Model) -> None:
    ids = tf.constant(random_ids(toy.config, 8, 6), tf.int32)
    classifier = build_classifier(encoder, dropout=0.0)
    assert np.array_equal(classifier(ids), classifier(ids))
    np.testing.assert_allclose(classifier(ids), classifier.predict_on_batch(ids), atol=1e-6)
    assert not np.array_equal(classifier(ids, training=True), classifier(ids, training=True))
