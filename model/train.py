"""Command line `train-sentiment`: trains a sentiment classifier and exports it.

    python -m model.train --output my_model
    python -m model.train describe my_model

Load, fit, evaluate, export. TensorFlow is imported once the command line is known to be good.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.card import read_card
from model.checkpoint import VOCABULARY, WEIGHTS, initial_embeddings
from model.data import DataSet, PartCounts, Reviews, all_at_hand, count_parts
from model.fingerprint import fingerprint, model_identity
from model.inputs import directory_at_hand
from model.options import Options, parse
from model.output import check_output, write_model
from model.runtime import import_tensorflow
from schemas.errors import UserError

if TYPE_CHECKING:
    from model.metrics import Metrics


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
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if arguments[:1] == ["describe"]:
            print(description(arguments[1:]))
        else:
            train(parse(arguments))
    except (UserError, OSError) as error:
        print(f"train-sentiment: error: {error}", file=sys.stderr)
        return 2
    return 0


def description(arguments: Sequence[str]) -> str:
    """What `train-sentiment describe MODEL` prints: a model's identity, SHA-256 and card, as JSON.

    Raises:
        UserError: it isn't one model, or one that `train-sentiment` made and that is whole.
    """
    if len(arguments) != 1:
        raise UserError("describe takes one model: train-sentiment describe DIR")
    with directory_at_hand(arguments[0], ()) as model:
        card, sha256 = read_card(model), fingerprint(model)
    identity = model_identity(card.name, sha256)
    content = {"identity": identity, "sha256": sha256, "card": card.raw}
    return json.dumps(content, indent=2, ensure_ascii=False)


def train(options: Options) -> None:
    """Trains, evaluates and exports one model.

    Raises:
        UserError: the data, the checkpoint or the output directory can't be used.
    """
    check_output(options.output)
    with all_at_hand(options.data, options.columns) as data:
        counts = count_parts(data)
        with directory_at_hand(options.checkpoint, (VOCABULARY, WEIGHTS)) as checkpoint:
            metrics, sha256 = train_from(checkpoint, data, counts, options)
    print(
        f"accuracy {metrics.accuracy:.4f} on the {metrics.reviews} reviews held out; "
        f"model in {options.output}\nto pin it: --model_sha256 {sha256}"
    )


def summary(counts: PartCounts) -> str:
    """How many reviews there are, and how many of them are positive."""
    described = (
        f"{sum(part):,} reviews to {use}, {part[1] / sum(part):.1%} of them positive"
        for part, use in zip(counts, ("learn from", "hold out"), strict=True)
    )
    return "; ".join(described)


def train_from(
    checkpoint: Path, data: Sequence[DataSet], counts: PartCounts, options: Options
) -> tuple[Metrics, str]:
    """Trains a model whose vocabulary and word embeddings begin as those of a checkpoint.

    Args:
        checkpoint: on local disk.
        data: what it learns from.
        counts: of the data's parts.
        options: how.

    Returns:
        How good it is on the validation part, and its fingerprint.

    Raises:
        UserError: the checkpoint or the output directory can't be used.
    """
    import_tensorflow()
    from model.classifier import compact, new_classifier
    from model.description import describe
    from model.evaluation import predict
    from model.fitting import fit, fix_seeds
    from model.metrics import measure
    from model.signatures import Serving
    from model.tokenized import tokenize_reviews
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
    training, validation = (
        tokenize_reviews(Reviews(data, only_held_out=side), tokenizer) for side in (False, True)
    )
    print(summary(counts), file=sys.stderr, flush=True)
    losses = fit(classifier, training, tokenizer.unknown, options.training)
    finished = compact(classifier, config)
    probabilities = predict(finished.predict_on_batch, validation.tokens)
    metrics = measure(probabilities, validation.labels, options.threshold)
    parameters = finished.count_params()
    card = describe(
        options, checkpoint, config.compact(), parameters, data, counts, losses, metrics
    )
    return metrics, write_model(Serving(finished, tokenizer), card, options.output)


if __name__ == "__main__":
    sys.exit(main())
