"""Command line `train-sentiment`: trains a sentiment classifier and exports it.

    python -m model.train --output my_model
    python -m model.train describe my_model
    python -m model.train export-encoder --output my_encoder

Load, fit, evaluate, export. TensorFlow is imported once the command line is known to be good.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from model.backup_dir import claim
from model.card import read_card
from model.export_encoder import NAME as EXPORT_ENCODER
from model.export_encoder import export_encoder
from model.fingerprint import fingerprint, model_identity
from model.inputs import directory_at_hand
from model.materials import Materials, materials_at_hand
from model.options import Options, parse
from model.output import check_output
from model.runtime import THREADS_OF_AN_OPERATION, import_tensorflow, told_in_a_line
from schemas.errors import UserError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments; those of the process when None.

    Returns:
        The exit code: 0; 2 when the user has to mend something; 130 when stopped with Ctrl-C.
    """
    # Where there is no GPU, TensorFlow's libraries report that as an error. What really goes wrong
    # comes as an exception too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault(THREADS_OF_AN_OPERATION, "0")  # one step is computed at a time
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if arguments[:1] == ["describe"]:
            print(description(arguments[1:]))
        elif arguments[:1] == [EXPORT_ENCODER]:
            print(export_encoder(arguments[1:]))
        else:
            train(parse(arguments))
    except (UserError, OSError) as error:
        print(f"train-sentiment: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntrain-sentiment: stopped; the same command goes on from there", file=sys.stderr)
        return 130
    return 0


def description(arguments: Sequence[str]) -> str:
    """What `train-sentiment describe MODEL` prints: a model's identity, SHA-256 and card, as JSON.

    Raises:
        UserError: it isn't one model, or one that `train-sentiment` made and that is whole.
    """
    if len(arguments) != 1:
        raise UserError("describe takes one model: train-sentiment describe DIR")
    with directory_at_hand(arguments[0]) as model:
        card, sha256 = read_card(model), fingerprint(model)
    identity = model_identity(card.name, sha256)
    content = {"identity": identity, "sha256": sha256, "card": card.raw}
    return json.dumps(content, indent=2, ensure_ascii=False)


def train(options: Options) -> None:
    """Trains, evaluates and exports one model.

    Raises:
        UserError: the data, the encoder, the teacher or the output directory can't be used.
    """
    check_output(options.output)
    with materials_at_hand(options) as materials:
        claim(Path(options.backup_dir), materials.key(options))
        print(summary(materials), file=sys.stderr, flush=True)
        with ctrl_c_afterwards():
            import_tensorflow()
            from model.training import train_from

        with told_in_a_line():
            trained = train_from(materials, options)
    shutil.rmtree(options.backup_dir)
    print(
        f"accuracy {trained.metrics.accuracy:.4f} on the {trained.metrics.reviews} reviews held "
        f"out; model in {options.output}\nto pin it: --model_sha256 {trained.sha256}"
    )


@contextmanager
def ctrl_c_afterwards() -> Iterator[None]:
    """Lets Ctrl-C wait for an import: what it raises can get lost in the code that runs there."""
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def summary(materials: Materials) -> str:
    """How many reviews there are, and how many of them are positive."""
    described = [
        f"{sum(part):,} reviews to {use}, {part[1] / sum(part):.1%} of them positive"
        for part, use in zip(materials.counts, ("learn from", "tune on", "hold out"), strict=True)
    ]
    if materials.unlabelled:
        described.append(f"{materials.unlabelled_count:,} for the teacher to label")
    return "; ".join(described)


if __name__ == "__main__":
    sys.exit(main())
