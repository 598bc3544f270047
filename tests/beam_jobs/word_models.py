"""Models whose probabilities can be worked out by hand: each word has a weight."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from beam_jobs.models import ModelVersion
from model.card import CARD
from model.fingerprint import fingerprint, model_identity
from model.savedmodel import export
from model.signatures import Serving
from model.tokenizer import Tokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


class WordModel(tf.Module):
    """Adds up the weights of the words; the sigmoid of the sum is the probability of positive."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        table = [0.0] * len(SPECIAL) + list(weights.values())
        self.table = tf.Variable(table, dtype=tf.float32)

    def __call__(self, ids: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.sigmoid(tf.reduce_sum(tf.gather(self.table, ids), axis=1))


def export_words(
    directory: Path,
    weights: Mapping[str, float],
    max_length: int = 8,
    lower_case: bool = True,
    kind: type[WordModel] = WordModel,
    threshold: float | None = None,
) -> ModelVersion:
    """Exports a model that knows these words, and of a long text reads the beginning only.

    Args:
        directory: absent or empty.
        weights: of each word; other words weigh nothing.
        max_length: most tokens of a text, [CLS] and [SEP] included.
        lower_case: whether case is ignored.
        kind: what becomes of the weights.
        threshold: what its card says; None for nothing, as those of earlier releases.
    """
    card: dict[str, object] = {
        "name": "words",
        "labels": ["negative", "positive"],
        "max_length": max_length,
        "truncation": {"head_share": 1.0},
        "lower_case": lower_case,
    }
    if threshold is not None:
        card["threshold"] = threshold
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder, "vocab.txt")
        vocabulary.write_text("\n".join([*SPECIAL, *weights]) + "\n", encoding="utf-8")
        tokenizer = Tokenizer(vocabulary, lower_case, max_length, head_share=1.0)
        export(Serving(kind(weights), tokenizer), card, directory)
    return version_of(directory)


def version_of(directory: Path) -> ModelVersion:
    sha256 = fingerprint(directory)
    threshold = json.loads((directory / CARD).read_text("utf-8")).get("threshold", 0.5)
    return ModelVersion(str(directory), model_identity("words", sha256), sha256, threshold)


def sigmoid(weight: float) -> float:
    return 1 / (1 + math.exp(-weight))


def copy_model(source: Path, destination: Path, at_seconds: float = 1e9) -> ModelVersion:
    """Puts a copy of a model in the place of whatever is there, as if written at a time."""
    shutil.rmtree(destination, ignore_errors=True)
    shutil.copytree(source, destination)
    os.utime(destination / "saved_model.pb", (at_seconds, at_seconds))
    return version_of(destination)
