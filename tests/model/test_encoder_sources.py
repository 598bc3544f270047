import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from model.classifier import encoder_inputs
from model.data import packaged
from model.encoder import build_encoder
from model.encoder_sources import encoder_at_hand
from model.hub_export import export_module
from model.settings import PRESETS, Adaptation
from model.train import main
from schemas.errors import UserError
from tests.model.conftest import TOY_LENGTH, Toy
from tests.model.test_train import errors_of

WHOLE = Adaptation(pooling="first", attention_dropout=0.0)
TINY = PRESETS["tiny"].shape


@pytest.fixture
def module(toy: Toy, tmp_path: Path) -> Path:
    directory = tmp_path / "module"
    export_module(build_encoder(toy.config), toy.tokenizer.vocabulary, True, directory)
    return directory


def test_a_hub_module_brings_its_own_vocabulary(module: Path, toy: Toy) -> None:
    with encoder_at_hand(str(module), WHOLE) as source:
        assert source.vocabulary.read_text() == toy.tokenizer.vocabulary.read_text()
        assert source.lower_case
        assert source.config(TOY_LENGTH) is None
        assert source.origin["method"] == "TF Hub module"
        encoder = source.build(TOY_LENGTH, trainable=True)
        assert set(encoder.output) == {"pooled_output", "sequence_output"}
        with pytest.raises(UserError, match=r"--max_length 99: the module .* can't take"):
            source.build(99, trainable=True)


def test_a_small_encoder_is_not_made_of_a_hub_module(module: Path) -> None:
    with pytest.raises(UserError, match="give --preset lab"), encoder_at_hand(str(module), TINY):
        pass


def test_the_packaged_checkpoint_is_whole_or_small() -> None:
    with encoder_at_hand("", TINY) as source:
        config = source.config(64)
        assert config
        assert (config.hidden_size, config.vocabulary_size, config.max_positions) == (
            *(128, 30_522, 64),
        )
    with encoder_at_hand("", PRESETS["base"].shape) as source:
        config = source.config(64)
        assert config
        assert (config.layers, config.hidden_size, config.pooling) == (6, 384, "mean")
        with pytest.raises(UserError, match=r"--max_length 513: .* takes at most 512 tokens"):
            source.config(513)


def test_an_exported_checkpoint_is_the_same_encoder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "exported"
    assert main(["export-encoder", "--output", str(directory), "--max_length", "64"]) == 0
    assert f"--encoder {directory}" in capsys.readouterr().out

    reviews = [review.text for review in packaged("rotten_tomatoes")][:8]
    outputs = []
    for name in ("", str(directory)):
        with encoder_at_hand(name, PRESETS["base"].shape) as source:
            outputs.append(encoded(source, reviews))
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-5)


def encoded(source: Any, texts: list[str]) -> np.ndarray:
    from model.batches import padded
    from model.tokenizer import Tokenizer

    tokenizer = Tokenizer(source.vocabulary, source.lower_case, 64, 1.0)
    ids = padded(tokenizer.tokenize(texts), np.arange(len(texts)))
    return source.build(64, trainable=False)(encoder_inputs(ids))["pooled_output"].numpy()


def test_errors_are_one_line(
    module: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, new = tmp_path / "broken", tmp_path / "new"
    broken.mkdir()
    save_file({"x": np.zeros(1, np.float32)}, broken / "model.safetensors")
    (broken / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n")
    config = {
        "vocab_size": 4,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 9,
        "hidden_act": "relu",
    }
    export = ("export-encoder", "--output", new, "--encoder")
    assert "config.json" in errors_of(capsys, *export, broken)
    (broken / "config.json").write_text(json.dumps(config))
    assert "hidden_act is 'relu', but only 'gelu'" in errors_of(capsys, *export, broken)
    (broken / "config.json").write_text(json.dumps(config | {"hidden_act": "gelu"}))
    assert "takes at most 9 tokens" in errors_of(capsys, *export, broken)
    short = (*export, broken, "--max_length", 9)
    assert "lacks embeddings.word_embeddings.weight" in errors_of(capsys, *short)
    assert "no encoder in" in errors_of(capsys, *export, tmp_path)
    assert "isn't empty" in errors_of(capsys, "export-encoder", "--output", module)
    assert "--preset lab" in errors_of(capsys, *export, module, "--preset", "tiny")
    assert "did you mean --encoder?" in errors_of(capsys, *export[:-1], "--encode", module)
    assert not new.exists()
