"""The artifact: export it, load it.

TensorFlow is imported only when a model is exported or loaded, so that reading a card is quick.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.card import ModelCard, default_model_directory, read_card, vocabulary_path, write_card
from model.fingerprint import fingerprint
from model.parallel import in_parts
from model.runtime import calls_at_once, import_tensorflow, memory_errors, prepare_thread
from model.signature_check import OUTPUT, ids_signature, text_signature
from schemas.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from model.signatures import Serving

__all__ = [
    "ModelCard",
    "ScoringModel",
    "check_output",
    "default_model_directory",
    "export",
    "fingerprint",
    "load",
    "read_card",
    "vocabulary_path",
]


def check_output(directory: Path) -> None:
    """Checks that a model can be exported to a directory, before time is spent on training.

    Raises:
        UserError: it isn't empty, isn't a directory, or can't be made.
    """
    if directory.is_dir() and any(directory.iterdir()):
        raise UserError(f"{directory} isn't empty: remove it or give another --output")
    ancestors = (directory, *directory.absolute().parents)
    nearest = next(path for path in ancestors if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise UserError(f"can't write to {nearest}: give another --output")


def export(serving: Serving, card: Mapping[str, Any], directory: Path) -> None:
    """Writes an artifact as a whole or not at all.

    Args:
        serving: the network with its signatures.
        card: the model card, as JSON will have it.
        directory: absent or empty.
    """
    import tensorflow as tf

    directory.parent.mkdir(parents=True, exist_ok=True)
    # Beside the destination, because renaming works within one file system only.
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as scratch:
        complete = Path(scratch, "model")
        tf.saved_model.save(serving, str(complete), signatures=serving.functions)
        write_card(complete, card)
        complete.replace(directory)


class ScoringModel:
    """An exported model in memory, ready to score token ids."""

    def __init__(self, network: Any, directory: Path) -> None:
        """
        Args:
            network: what `tf.saved_model.load` gave.
            directory: where it came from, for errors.

        Raises:
            UserError: the network has no usable signature for token ids.
        """
        # The signature works only as long as the object that owns the weights lives.
        self._network = network
        self._directory = directory
        self._signature = ids_signature(network, directory)

    def probabilities(self, input_word_ids: np.ndarray) -> np.ndarray:
        """Probability that each review is positive.

        Args:
            input_word_ids: int32 [n, length], padded with 0; length up to the model's `max_length`.

        Returns:
            float32 [n], 0..1, unless the model is at fault.

        Raises:
            MemoryError: so many at once are too much for the memory.
        """
        import numpy as np

        calls = calls_at_once()
        return np.concatenate(in_parts(self._call, input_word_ids, input_word_ids.size, calls))

    def _call(self, input_word_ids: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        prepare_thread()
        with memory_errors():
            outputs = self._signature(input_word_ids=tf.constant(input_word_ids, tf.int32))
            return outputs[OUTPUT].numpy()

    def text_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """The same from raw text, by the signature that online endpoints call.

        Args:
            texts: n reviews.

        Returns:
            float32 [n], 0..1.

        Raises:
            UserError: the network has no usable signature for text.
        """
        import tensorflow as tf

        prepare_thread()
        signature = text_signature(self._network, self._directory)
        outputs = signature(text=tf.constant(list(texts), tf.string))
        return outputs[OUTPUT].numpy()


def load(directory: Path | str) -> ScoringModel:
    """Loads an exported model.

    Args:
        directory: the model, on local disk.

    Raises:
        UserError: no model there, one that wasn't made by train-sentiment, or a damaged one.
    """
    read_card(directory)
    import_tensorflow()
    import tensorflow as tf

    try:
        network = tf.saved_model.load(str(directory))
    except (OSError, ValueError, RuntimeError, LookupError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"can't load model {directory}: {reason}; export it again") from None
    return ScoringModel(network, Path(directory))
