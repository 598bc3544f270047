import dataclasses
from typing import Literal

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from model.classifier import build_classifier, compact, encoder_inputs, probabilities_of
from model.encoder import EncoderConfig, build_encoder
from tests.model.conftest import Toy


def random_ids(config: EncoderConfig, batch: int, length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(4, config.vocabulary_size, [batch, length])


def test_speaks_the_interface_of_tf_hub(toy_config: EncoderConfig) -> None:
    encoder = build_encoder(toy_config)
    assert set(encoder.input) == {"input_word_ids", "input_mask", "input_type_ids"}
    outputs = encoder(encoder_inputs(tf.constant(random_ids(toy_config, 3, 5), tf.int32)))
    assert outputs["pooled_output"].shape == [3, 8]
    assert outputs["sequence_output"].shape == [3, 5, 8]
    assert {output.dtype for output in outputs.values()} == {tf.float32}


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_padding_changes_nothing(
    toy_config: EncoderConfig, pooling: Literal["first", "mean"]
) -> None:
    config = dataclasses.replace(toy_config, pooling=pooling)
    encoder = build_encoder(config)
    ids = random_ids(config, 4, 6)
    padded = np.pad(ids, [(0, 0), (0, 5)])
    short = encoder(encoder_inputs(tf.constant(ids, tf.int32)))
    long = encoder(encoder_inputs(tf.constant(padded, tf.int32)))
    np.testing.assert_allclose(short["pooled_output"], long["pooled_output"], atol=1e-6)
    np.testing.assert_allclose(short["sequence_output"], long["sequence_output"][:, :6], atol=1e-5)


def test_order_and_token_types_matter(toy_config: EncoderConfig) -> None:
    encoder = build_encoder(toy_config)
    inputs = encoder_inputs(tf.constant(random_ids(toy_config, 1, 6), tf.int32))
    pooled = encoder(inputs)["pooled_output"].numpy()
    reverse = {**inputs, "input_word_ids": inputs["input_word_ids"][:, ::-1]}
    other_type = {**inputs, "input_type_ids": tf.ones_like(inputs["input_type_ids"])}
    for changed in (reverse, other_type):
        assert np.abs(encoder(changed)["pooled_output"].numpy() - pooled).max() > 1e-3


def test_number_of_weights() -> None:
    config = EncoderConfig(30_522, 128, 2, 2, 512, 512)
    # As published for BERT-Tiny: https://github.com/google-research/bert
    assert build_encoder(config).count_params() == pytest.approx(4.4e6, rel=0.01)


def test_gradients_reach_every_weight(toy: Toy) -> None:
    ids = tf.constant(random_ids(toy.config, 4, 6), tf.int32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(toy.classifier(ids, training=True))
    gradients = tape.gradient(loss, toy.classifier.trainable_variables)
    assert all(gradient is not None for gradient in gradients)


def test_dropout_works_in_training_only(toy: Toy) -> None:
    ids = tf.constant(random_ids(toy.config, 8, 6), tf.int32)
    assert np.array_equal(toy.classifier(ids), toy.classifier(ids))
    assert not np.array_equal(
        toy.classifier(ids, training=True), toy.classifier(ids, training=True)
    )


def test_compact_copy_agrees(toy: Toy) -> None:
    small = compact(toy.classifier, toy.config)
    ids = tf.constant(random_ids(toy.config, 8, 6), tf.int32)
    np.testing.assert_allclose(small(ids), toy.classifier(ids), atol=5e-3)
    matrices = [weight for weight in small.weights if "head" not in weight.name]
    assert {weight.dtype for weight in matrices if weight.shape.rank == 2} == {tf.float16}


def test_gives_one_probability_per_review(toy: Toy) -> None:
    ids = random_ids(toy.config, 5, 3)
    logits = toy.classifier(ids).numpy()
    for temperature in (1.0, 2.5):
        probabilities = probabilities_of(toy.classifier, temperature)(ids).numpy()
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities, expit(logits / temperature), atol=1e-6)


def test_a_frozen_encoder_works_as_in_scoring(toy_config: EncoderConfig) -> None:
    classifier = build_classifier(build_encoder(toy_config), dropout=0.0, freeze_encoder=True)
    ids = random_ids(toy_config, 5, 3)
    np.testing.assert_array_equal(classifier(ids, training=True), classifier(ids))
    assert [weight.name for weight in classifier.trainable_weights] == [
        "head/kernel:0",
        "head/bias:0",
    ]
