"""The benchmark of GPUs, in the form that runs anywhere."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu import agreement, complaints
from benchmarks.random_model import encoder_of
from schemas.errors import UserError


@pytest.mark.slow
def test_it_runs_without_a_gpu_and_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "--quick", "--output", str(tmp_path)]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    report = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
    assert set(report["precisions"]) == {"auto", "float32"}
    for run in report["precisions"].values():
        shapes = [(row["batch"], row["length"]) for row in run["timings"]]
        assert shapes == [(1, 32), (8, 32)]
        for row in run["timings"]:
            assert row["tokens_per_second"] == pytest.approx(32 * row["reviews_per_second"])
            assert 0 < row["flop_per_second"] < 2 * run["ceiling_flop_per_second"]
    if report["precisions"]["auto"]["device"] == "CPU":
        assert "there is no GPU" in done.stdout
        assert report["agreement"] == {"reviews": 64, "largest_difference": 0, "labels_moved": 0}
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("threshold", "moved"), [(0.5, 1), (0.105, 1), (0.3, 0)])
def test_labels_that_move_are_counted(threshold: float, moved: int) -> None:
    found = agreement(np.array([0.1, 0.499, 0.7]), np.array([0.11, 0.5, 0.7]), threshold)

    assert found == {
        "reviews": 3,
        "largest_difference": pytest.approx(0.01),
        "labels_moved": moved,
    }


@pytest.mark.parametrize(
    ("device", "difference", "wrong"),
    [
        ("CPU", 0.0, False),
        ("NVIDIA L4", 0.0, True),
        ("NVIDIA L4", 0.001, False),
        ("NVIDIA L4", 0.5, True),
        ("NVIDIA L4", float("nan"), True),
    ],
)
def test_half_precision_must_have_an_effect_but_not_a_large_one(
    device: str, difference: float, wrong: bool
) -> None:
    report = {
        "precisions": {"auto": {"device": device}},
        "agreement": {"largest_difference": difference},
    }

    assert bool(complaints(report)) == wrong


def test_an_encoder_has_the_proportions_of_bert() -> None:
    encoder = encoder_of("12x768")

    assert (encoder.layers, encoder.heads, encoder.intermediate_size) == (12, 12, 3072)


@pytest.mark.parametrize("size", ["6", "6x100", "0x64", "x", "6x384x2"])
def test_other_sizes_are_refused(size: str) -> None:
    with pytest.raises(UserError, match="give LAYERSxWIDTH"):
        encoder_of(size)
