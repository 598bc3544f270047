"""The word embeddings of a large encoder, as small as a small one needs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from model.checkpoint import read_word_embeddings
from model.settings import EncoderConfig
from schemas.errors import UserError

if TYPE_CHECKING:
    import numpy as np

INITIAL_DEVIATION = 0.05  # of reduced embeddings; fresh ones have 0.02


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
            "give another --encoder"
        )
    return reduce_embeddings(table[: config.vocabulary_size], config.hidden_size)


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
