from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from model.classifier import encoder_inputs
from model.encoder import build_encoder
from model.hub_encoder import HubEncoder
from model.hub_export import export_module
from model.settings import EncoderConfig
from tests.model.test_encoder import random_ids


@pytest.mark.slow
def test_small_bert(toy_vocabulary: Path, tmp_path: Path) -> None:
    """The sizes of small_bert/bert_en_uncased_L-4_H-512_A-8, with fresh weights."""
    words = [*toy_vocabulary.read_text("utf-8").split("\n")[:-1], *map(str, range(18, 30_522))]
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(words) + "\n", "utf-8")
    config = EncoderConfig(30_522, 512, 4, 8, 2048, 512)
    original = build_encoder(config)
    export_module(original, vocabulary, lower_case=True, directory=tmp_path / "module")

    encoder = HubEncoder(tmp_path / "module").build(512)

    assert encoder.count_params() == pytest.approx(28.8e6, rel=0.01)  # as published
    inputs = encoder_inputs(tf.constant(random_ids(config, 2, 512), tf.int32))
    ours, theirs = encoder(inputs), original(inputs)
    assert ours["sequence_output"].shape == [2, 512, 512]
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-5)
