"""Command line `train-sentiment`: trains a sentiment classifier and exports it.

    python -m model.train --output my_model

Load, fit, evaluate, export. TensorFlow is imported once the command line is known to be good.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.checkpoint import VOCABULARY, WEIGHTS, initial_embeddings
from model.data import DataSet, Split, read_data, split
from model.inputs import directory_at_hand
from model.options import Options, parse
from model.output import check_output, write_model
from model.runtime import import_tensorflow
from schemas.errors import UserError

if TYPE_CHECKING:
    from model.evaluate import Metrics


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments; those of the process when None.

    Returns:
        The exit code: 0, or 2 when the user has to mend something.
    """
    # Where there is no GPU, TensorFlow's libraries report that as an error. What really goes wrong
    # comes as an exception too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        train(parse(argv))
    except UserError as error:
        print(f"train-sentiment: error: {error}", file=sys.stderr)
        return 2
    return 0


def train(options: Options) -> None:
    """Trains, evaluates and exports one model.

    Raises:
        UserError: the data, the checkpoint or the output directory can't be used.
    """
    check_output(options.output)
    data = read_data(options.data)
    parts = split(data)
    with directory_at_hand(options.checkpoint, (VOCABULARY, WEIGHTS)) as checkpoint:
        metrics, sha256 = train_from(checkpoint, data, parts, options)
    print(
        f"accuracy {metrics.accuracy:.4f} on the {metrics.reviews} reviews held out; "
        f"model in {options.output}\nto pin it: --model_sha256 {sha256}"
    )


def train_from(
    checkpoint: Path, data: DataSet, parts: Split, options: Options
) -> tuple[Metrics, str]:
    """Trains a model whose vocabulary and word embeddings begin as those of a checkpoint.

    Returns:
        How good it is on the validation part, and its fingerprint.

    Raises:
        UserError: the checkpoint or the output directory can't be used.
    """
    import_tensorflow()
    from model.classifier import compact, new_classifier
    from model.description import describe
    from model.evaluate import evaluate
    from model.fitting import fit, fix_seeds
    from model.signatures import Serving
    from model.tokenizer import Tokenizer

    fix_seeds(options.training.seed)
    tokenizer = Tokenizer(
        checkpoint / VOCABULARY,
        lower_case=True,
        max_length=options.training.max_length,
        head_share=options.training.head_share,
    )
    config = replace(
        options.encoder,
        vocabulary_size=tokenizer.vocabulary_size,
        max_positions=tokenizer.max_length,
    )
    embeddings = initial_embeddings(checkpoint, config)
    classifier = new_classifier(config, embeddings, options.training.head_dropout)
    losses = fit(classifier, parts.training, tokenizer, options.training)
    finished = compact(classifier, config)
    metrics = evaluate(finished.predict_on_batch, parts.validation, tokenizer)
    parameters = finished.count_params()
    card = describe(options, checkpoint, config.compact(), parameters, data, parts, losses, metrics)
    return metrics, write_model(Serving(finished, tokenizer), card, options.output)


if __name__ == "__main__":
    sys.exit(main())
