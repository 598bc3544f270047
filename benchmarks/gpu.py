"""How fast a model computes on this machine's GPU, in each precision.

    python -m benchmarks.gpu --output DIR [--model DIR | --encoder 6x384]

Full batches of several sizes and lengths are timed through the same call that the job makes. What
they take is held against a large matrix product, and the probabilities of the precisions against
each other. Without a GPU it measures the CPU and says so. With --quick it only shows that it works.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.precision_run import CPU, Effort, measure_precision
from benchmarks.random_model import export_random
from model.card import default_model_directory, read_card
from model.metrics import labelled_positive
from model.runtime import PRECISIONS
from schemas.errors import UserError

T = TypeVar("T")

LARGEST_DIFFERENCE = 0.02
"""Of the probability of a review; more would mean that half precision does not suit the model."""


FULL = Effort((32, 128, 256, 512), (1, 8, 64, 256, 1024), 3.0, 8192, 2_000)
QUICK = Effort((32,), (1, 8), 0.2, 512, 64)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, required=True, help="folder for gpu.json")
    parser.add_argument("--quick", action="store_true", help="little of everything, in a minute")
    models = parser.add_mutually_exclusive_group()
    models.add_argument("--model", type=Path, help="default: the bundled model")
    models.add_argument("--encoder", metavar="LAYERSxWIDTH", help="a model with random weights")
    arguments = parser.parse_args()
    # TensorFlow reports a missing GPU as an error; the table says so, too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as scratch:
        try:
            directory = arguments.model or default_model_directory()
            if arguments.encoder:
                directory = Path(scratch, arguments.encoder)
                in_process(export_random, arguments.encoder, directory)
            report = measure(directory, QUICK if arguments.quick else FULL)
        except UserError as error:
            sys.exit(str(error))
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "gpu.json").write_text(json.dumps(report, indent=2), "utf-8")
    print(table(report))
    return 1 if complaints(report) else 0


def in_process(function: Callable[..., T], *arguments: Any) -> T:
    """Calls a function in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def measure(directory: Path, effort: Effort) -> dict[str, Any]:
    """Measures a model in every precision.

    Args:
        directory: of the model.
        effort: how much is measured.

    Raises:
        UserError: there is no such model.
    """
    card = read_card(directory)
    runs = {name: in_process(measure_precision, directory, name, effort) for name in PRECISIONS}
    one, other = (np.array(run.pop("probabilities")) for run in runs.values())
    return {
        "model": {"name": card.name, "encoder": card.raw["encoder"]},
        "agreement": agreement(one, other, card.threshold),
        "precisions": runs,
    }


def agreement(one: np.ndarray, other: np.ndarray, threshold: float) -> dict[str, float]:
    """How far the probabilities of the same reviews in two precisions differ, and the labels."""
    labels = [labelled_positive(probabilities, threshold) for probabilities in (one, other)]
    return {
        "reviews": len(one),
        "largest_difference": float(np.abs(one - other).max()),
        "labels_moved": int((labels[0] != labels[1]).sum()),
    }


def table(report: dict[str, Any]) -> str:
    """The report for people: a shape each line."""
    columns = ("precision", "length", "batch", "reviews/s", "tokens/s", "TFLOP/s", "of ceiling")
    lines = [" ".join(f"{name:>10}" for name in columns)]
    for precision, run in report["precisions"].items():
        ceiling = run["ceiling_flop_per_second"]
        for row in run["timings"]:
            speed = row["flop_per_second"]
            cells = [precision, f"{row['length']}", f"{row['batch']:,}"]
            cells += [f"{row['reviews_per_second']:,.0f}", f"{row['tokens_per_second']:,.0f}"]
            cells += [f"{speed / 1e12:.3f}", f"{speed / ceiling:.1%}"]
            lines.append(" ".join(f"{cell:>10}" for cell in cells))
        lines.append(f"{run['device']}, {precision}: a matrix product does {ceiling / 1e12:.3f}")
    found = report["agreement"]
    lines.append(
        f"probabilities of {found['reviews']:,} reviews differ by at most "
        f"{found['largest_difference']:.1g} between the precisions; "
        f"{found['labels_moved']:,} labels change"
    )
    if not on_gpu(report):
        lines.append("there is no GPU: these are the CPU's figures, and auto is float32 on it")
    return "\n".join([*lines, *complaints(report)])


def on_gpu(report: dict[str, Any]) -> bool:
    """Whether a GPU was measured."""
    return any(run["device"] != CPU for run in report["precisions"].values())


def complaints(report: dict[str, Any]) -> list[str]:
    """What is wrong with the precisions; nothing if all is well."""
    difference = report["agreement"]["largest_difference"]
    if not difference <= LARGEST_DIFFERENCE:  # NaN isn't either
        return ["half precision does not suit this model: use --precision float32"]
    if on_gpu(report) and difference == 0:
        return ["both precisions gave the same: half precision had no effect"]
    return []


if __name__ == "__main__":
    sys.exit(main())
