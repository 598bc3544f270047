"""Models with random weights: as fast as trained ones of their size."""

import dataclasses
import re
from pathlib import Path

from model.card import default_model_directory, vocabulary_path
from model.runtime import import_tensorflow
from model.savedmodel import export
from model.settings import EncoderConfig
from model.tokenizer import Tokenizer
from schemas.errors import UserError

MAX_LENGTH = 512
HEAD_SIZE = 64


def encoder_of(size: str) -> EncoderConfig:
    """An encoder in BERT's proportions: heads of 64, feed-forward four times as wide.

    Args:
        size: layers and width, as in `6x384`.

    Raises:
        UserError: that is no size, or the heads don't divide the width.
    """
    match = re.fullmatch(r"(\d+)x(\d+)", size)
    layers, width = (int(match[1]), int(match[2])) if match else (0, 0)
    if not layers or not width or width % HEAD_SIZE:
        raise UserError(
            f"--encoder {size!r} is no size: give LAYERSxWIDTH, as in 6x384, with a width that is "
            f"a multiple of {HEAD_SIZE}"
        )
    return EncoderConfig(
        vocabulary_size=30_522,
        hidden_size=width,
        layers=layers,
        heads=width // HEAD_SIZE,
        intermediate_size=4 * width,
        max_positions=MAX_LENGTH,
        pooling="mean",
    )


def export_random(size: str, directory: Path) -> None:
    """Exports a model with random weights and the vocabulary of the bundled one.

    Args:
        size: as for `encoder_of`.
        directory: absent or empty.
    """
    import_tensorflow()
    from model.classifier import build_classifier, compact, probabilities_of
    from model.encoder import build_encoder
    from model.signatures import Serving

    config = encoder_of(size)
    vocabulary = vocabulary_path(default_model_directory())
    tokenizer = Tokenizer(vocabulary, lower_case=True, max_length=MAX_LENGTH, head_share=0.25)
    classifier = build_classifier(build_encoder(config), dropout=0.0)
    card = {
        "name": f"random-{size}",
        "labels": ["negative", "positive"],
        "max_length": MAX_LENGTH,
        "truncation": {"head_share": 0.25},
        "lower_case": True,
        "encoder": dataclasses.asdict(config.compact()),
        "parameters": classifier.count_params(),
    }
    network = probabilities_of(compact(classifier, config))
    export(Serving(network, tokenizer), card, directory)
