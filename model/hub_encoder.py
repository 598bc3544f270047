"""Encoders from TF Hub: BERT modules that bring their own vocabulary.

What is asked of a module is what the BERT modules published on TF Hub offer, and what
`export_module` writes: https://www.tensorflow.org/hub/common_saved_model_apis/text
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras
from tf_keras import layers

from model.classifier import encoder_inputs
from model.hub_export import export_module
from model.hub_handle import NETWORK, import_tensorflow_hub, resolve
from model.tokenizer import read_vocabulary
from schemas.errors import UserError

__all__ = ["HubEncoder", "export_module", "resolve"]

INPUTS = ("input_word_ids", "input_mask", "input_type_ids")
OUTPUT_RANKS = {"pooled_output": 2, "sequence_output": 3}

TF1_FORMAT = "tfhub_module.pb"
FIRST_LENGTH = 512
"""Most BERT modules have so many positions. Far longer texts could be too much for the memory."""

ANOTHER = "give a TF2 BERT module, or make one with `train-sentiment export-encoder`"
AGAIN = "remove that directory, then download or export the module again"

CALL_ERRORS = (ValueError, TypeError, LookupError, RuntimeError, tf.errors.OpError)
"""What a call raises where a module is another one than the caller thinks."""


class HubEncoder:
    """A BERT module in memory.

    Attributes:
        directory: where it lies.
        vocabulary: file with one word piece per line; the line number is the token id.
        lower_case: whether its texts are lower-cased and stripped of accents.
        trainable: whether its weights can be trained.
    """

    def __init__(self, directory: Path) -> None:
        """Loads a module and tries it.

        Args:
            directory: of the module; see `resolve`.

        Raises:
            UserError: no module of TF2 there, one that isn't BERT, lacks its vocabulary or doesn't
                match it, or a damaged one.
        """
        self.directory = directory
        self._layer = _load(directory)
        self._encoder = _encoder(self._layer, directory)
        self.vocabulary, self.lower_case = _told(self._layer.resolved_object, directory)
        self._check_vocabulary()
        self.trainable = self._can_train()

    def check_trainable(self) -> None:
        """Checks that its weights can be trained.

        Raises:
            UserError: they can't.
        """
        if not self.trainable:
            raise UserError(
                f"the module {self.directory} can't be trained: use --freeze_encoder, or {ANOTHER}"
            )

    def build(self, max_length: int) -> tf_keras.Model:
        """The module with the interface of `model.encoder.build_encoder`.

        It is trained unless its `trainable` is set to False before the model around it is compiled;
        dropout inside is then off in training, too.

        Args:
            max_length: most tokens of a text.

        Returns:
            A model called `encoder`; the same one each time.

        Raises:
            UserError: the module doesn't take so many tokens.
        """
        length = min(max_length, FIRST_LENGTH)
        while self._takes(length):
            if length == max_length:
                return self._encoder
            length = min(2 * length, max_length)
        raise UserError(
            f"--max_length {max_length}: the module {self.directory} can't take {length} tokens; "
            "most BERT modules take 512"
        )

    def _check_vocabulary(self) -> None:
        size = len(read_vocabulary(self.vocabulary))
        tables = [
            weight.shape[0]
            for weight in self._layer.weights
            if "word" in weight.name and weight.shape.rank == 2
        ]
        # Calls with tokens that the table lacks fail on CPUs; on GPUs they give zeros.
        if any(rows < size for rows in tables) or not self._takes(2, token=size - 1):
            raise UserError(
                f"the vocabulary of the module {self.directory} has {size} word pieces, for which "
                f"its word embeddings don't suffice; {AGAIN}"
            )

    def _can_train(self) -> bool:
        self._layer.trainable = True
        can = bool(self._layer.trainable_weights) and self._takes(2, training=True)
        self._layer.trainable = can
        return can

    def _takes(self, length: int, token: int = 1, training: bool = False) -> bool:
        """Whether a text of so many tokens can be encoded."""
        try:
            self._encoder(encoder_inputs(tf.fill([1, length], token)), training=training)
        except CALL_ERRORS:
            return False
        return True


def _load(directory: Path) -> Any:
    """The module as a layer, frozen."""
    if (directory / TF1_FORMAT).exists():
        raise UserError(f"{directory} is in the format of TF1 Hub; {ANOTHER}")
    if not (directory / NETWORK).is_file():
        raise UserError(f"{directory} is no TF Hub module: it has no {NETWORK}; {ANOTHER}")
    hub = import_tensorflow_hub()
    try:
        module = hub.load(str(directory))
        layer = hub.KerasLayer(module, name="module") if callable(module) else None
    except Exception as error:  # what a damaged file leads to is anything
        reason = " ".join(str(error).splitlines()[:1])
        raise UserError(f"can't load the module {directory}: {reason}; {AGAIN}") from error
    if layer is None:
        raise UserError(_not_bert(directory))
    return layer


def _encoder(layer: Any, directory: Path) -> tf_keras.Model:
    inputs = {name: layers.Input([None], dtype=tf.int32, name=name) for name in INPUTS}
    try:
        outputs = layer(inputs)
        chosen = {name: outputs[name] for name in OUTPUT_RANKS}
        ranks = {name: output.shape.rank for name, output in chosen.items()}
        types = {output.dtype for output in chosen.values()}
    except (*CALL_ERRORS, AttributeError) as error:
        raise UserError(_not_bert(directory)) from error
    if ranks != OUTPUT_RANKS or types != {tf.float32}:
        raise UserError(_not_bert(directory))
    return tf_keras.Model(inputs, chosen, name="encoder")


def _not_bert(directory: Path) -> str:
    return (
        f"the module {directory} isn't BERT: it must turn {', '.join(INPUTS)}, int32 [n, length], "
        f"into {' and '.join(OUTPUT_RANKS)}, float32; {ANOTHER}"
    )


def _told(module: Any, directory: Path) -> tuple[Path, bool]:
    """Its vocabulary, and whether texts are lower-cased."""
    try:
        vocabulary = Path(module.vocab_file.asset_path.numpy().decode())
        lower_case = bool(module.do_lower_case)
    except (*CALL_ERRORS, AttributeError) as error:
        raise UserError(
            f"the module {directory} doesn't tell how texts become tokens: it needs vocab_file, a "
            f"file, and do_lower_case, true or false; {ANOTHER}"
        ) from error
    if not vocabulary.is_file():
        raise UserError(f"the module {directory} has lost its vocabulary {vocabulary}; {AGAIN}")
    return vocabulary, lower_case
