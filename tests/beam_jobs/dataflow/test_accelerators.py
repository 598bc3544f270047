import argparse
import logging
from typing import Any

import pytest

from beam_jobs.dataflow.accelerator_types import ACCELERATOR_TYPES
from beam_jobs.dataflow.accelerators import (
    NO_ACCELERATOR,
    Accelerator,
    accelerator_of,
    fits,
    has_accelerator,
    machine_for,
    resource_hints,
    review_flop,
    service_option,
    warn_of_waste,
)
from beam_jobs.dataflow.options import AcceleratorOptions
from model.card import default_model_directory, read_card
from schemas.errors import UserError

# Written down from the pages of Compute Engine: the smallest machine for each number of GPUs.
MACHINES = {
    "nvidia-l4": {
        1: "g2-standard-4",
        2: "g2-standard-24",
        4: "g2-standard-48",
        8: "g2-standard-96",
    },
    "nvidia-tesla-t4": {1: "n1-standard-4", 2: "n1-standard-8", 4: "n1-standard-16"},
    "nvidia-tesla-a100": {
        1: "a2-highgpu-1g",
        2: "a2-highgpu-2g",
        4: "a2-highgpu-4g",
        8: "a2-highgpu-8g",
        16: "a2-megagpu-16g",
    },
    "nvidia-a100-80gb": {
        1: "a2-ultragpu-1g",
        2: "a2-ultragpu-2g",
        4: "a2-ultragpu-4g",
        8: "a2-ultragpu-8g",
    },
    "nvidia-h100-80gb": {
        1: "a3-highgpu-1g",
        2: "a3-highgpu-2g",
        4: "a3-highgpu-4g",
        8: "a3-highgpu-8g",
    },
}

BERT_BASE = {
    "vocabulary_size": 30_522,
    "hidden_size": 768,
    "layers": 12,
    "heads": 12,
    "intermediate_size": 3072,
    "max_positions": 512,
}
MINI_LM = BERT_BASE | {"hidden_size": 384, "layers": 6, "intermediate_size": 1536}
TINY = BERT_BASE | {"hidden_size": 128, "layers": 2, "intermediate_size": 512}


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    AcceleratorOptions._add_argparse_args(parser)
    values = parser.parse_args(arguments)
    AcceleratorOptions.validate(values)
    return values


@pytest.mark.parametrize(
    ("text", "accelerator"),
    [
        ("l4", Accelerator("nvidia-l4", 1)),
        ("nvidia-l4", Accelerator("nvidia-l4", 1)),
        ("t4:2", Accelerator("nvidia-tesla-t4", 2)),
        ("nvidia-tesla-t4:4", Accelerator("nvidia-tesla-t4", 4)),
        ("a100", Accelerator("nvidia-tesla-a100", 1)),
        ("a100-80gb:8", Accelerator("nvidia-a100-80gb", 8)),
        ("H100", Accelerator("nvidia-h100-80gb", 1)),
    ],
)
def test_accelerators_have_short_and_long_names(text: str, accelerator: Accelerator) -> None:
    assert accelerator_of(options("--accelerator", text)) == accelerator


def test_none_is_asked_for_by_default() -> None:
    values = options()

    assert accelerator_of(values) == NO_ACCELERATOR
    assert resource_hints(values) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--accelerator", "nvidia-l40"], "--accelerator 'nvidia-l40': there is no 'nvidia-l40': "
         "did you mean nvidia-l4?"),
        (["--accelerator", "h10"], "there is no 'h10': did you mean h100?"),
        (["--accelerator", "tpu"], "there is no 'tpu': choose l4, t4, a100, "),
        (["--accelerator", "l4:3"], "'l4:3': a worker has 1, 2, 4, 8 of nvidia-l4"),
        (["--accelerator", "l4:0"], "a worker has 1, 2, 4, 8 of nvidia-l4"),
        (["--accelerator", "l4:"], "a worker has 1, 2, 4, 8 of nvidia-l4"),
        (["--accelerator", "l4:two"], "a worker has 1, 2, 4, 8 of nvidia-l4"),
        (["--accelerator_scope", "job"], "--accelerator_scope job goes with --accelerator: add it"),
        (["--accelerator", "l4", "--accelerator_scope", "step"], "choose one of inference, job"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_a_line(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as told:
        options(*arguments)

    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_each_number_of_gpus_has_its_machine() -> None:
    found = {
        name: {
            count: machine_for(Accelerator(name, count)).type
            for count in {machine.accelerators for machine in kind.machines}
        }
        for name, kind in ACCELERATOR_TYPES.items()
    }

    assert found == MACHINES


@pytest.mark.parametrize("name", MACHINES)
def test_the_chosen_machine_fits(name: str) -> None:
    for count, machine in MACHINES[name].items():
        assert fits(machine, Accelerator(name, count))
        assert has_accelerator(machine) != machine.startswith("n1-")


@pytest.mark.parametrize(
    ("machine", "accelerator", "fitting"),
    [
        ("g2-standard-32", Accelerator("nvidia-l4", 1), True),
        ("g2-standard-24", Accelerator("nvidia-l4", 1), False),  # it has two
        ("g2-standard-24", Accelerator("nvidia-l4", 2), True),
        ("n1-standard-8", Accelerator("nvidia-l4", 1), False),
        ("e2-standard-8", Accelerator("nvidia-tesla-t4", 1), False),
        ("n1-highmem-32", Accelerator("nvidia-tesla-t4", 1), True),
        ("n1-standard-64", Accelerator("nvidia-tesla-t4", 1), False),
        ("n1-custom-12-40960", Accelerator("nvidia-tesla-t4", 1), True),
        ("a2-highgpu-1g", Accelerator("nvidia-a100-80gb", 1), False),
        ("a2-ultragpu-1g", Accelerator("nvidia-a100-80gb", 1), True),
    ],
)
def test_machines_hold_what_they_hold(
    machine: str, accelerator: Accelerator, fitting: bool
) -> None:
    assert fits(machine, accelerator) == fitting


def test_inference_is_told_what_it_needs() -> None:
    assert resource_hints(options("--accelerator", "l4")) == {
        "accelerator": "type:nvidia-l4;count:1;machine_type:g2-standard-4;"
        "install-nvidia-driver:5xx",
        "min_ram": "16GB",
    }
    assert resource_hints(options("--accelerator", "a100:2")) == {
        "accelerator": "type:nvidia-tesla-a100;count:2;machine_type:a2-highgpu-2g;"
        "install-nvidia-driver:5xx",
        "min_ram": "170GB",
    }


def test_the_whole_job_is_told_by_a_service_option() -> None:
    values = options("--accelerator", "t4:2", "--accelerator_scope", "job")

    assert resource_hints(values) == {}
    assert service_option(accelerator_of(values)) == (
        "worker_accelerator=type:nvidia-tesla-t4;count:2;install-nvidia-driver:5xx"
    )


def test_the_work_of_a_review_is_counted() -> None:
    # 12 layers, each with 4 matrices of 768 x 768 and 2 of 768 x 3072: 7,077,888 weights, two
    # operations each; and two products of 200 x 200 x 768, two operations each. Times 200 tokens.
    by_hand = 200 * 12 * (2 * 7_077_888 + 4 * 200 * 768)

    assert review_flop({"encoder": BERT_BASE, "max_length": 512}) == by_hand
    assert review_flop({"encoder": BERT_BASE, "max_length": 100}) < by_hand / 2


def card(encoder: dict[str, Any]) -> dict[str, Any]:
    return {"name": "model", "encoder": encoder, "max_length": 256}


@pytest.mark.parametrize(
    ("encoder", "accelerator", "words"),
    [
        (BERT_BASE, "l4", []),
        (BERT_BASE, "l4:2", ["--accelerator l4:2: a worker computes on its first GPU only"]),
        # The model of 2.7 GFLOP at 128 tokens that two cores score 100 reviews/s with.
        (MINI_LM, "t4", []),
        (TINY, "l4",
         ["--accelerator l4: model model takes 0.2 GFLOP a review, which CPUs do for less money"]),
        (TINY, "", []),
        ({"handle": "https://tfhub.dev/x"}, "l4", []),  # nobody knows
    ],
)  # fmt: skip
def test_who_pays_in_vain_is_told(
    encoder: dict[str, Any],
    accelerator: str,
    words: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of_waste(options("--accelerator", accelerator), card(encoder))

    assert [record.getMessage().partition(";")[0] for record in caplog.records] == words


def test_the_bundled_model_needs_no_gpu(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of_waste(options("--accelerator", "l4"), read_card(default_model_directory()).raw)

    assert "CPUs do for less money" in caplog.text
