"""The GPUs that a job asks for: how Dataflow is told, and whether they are worth it."""

import difflib
import logging
import math
import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from beam_jobs.dataflow.accelerator_types import ACCELERATOR_TYPES, Machine
from model.flop import encoder_flop
from model.settings import EncoderConfig
from schemas.errors import UserError

DRIVER = "install-nvidia-driver:5xx"
"""TensorFlow is built for CUDA 12, which needs a driver of version 525 or later; without `:5xx`
older GPUs get an older one."""

# Two cores score 100 reviews/s with a model of 2.7 GFLOP (6 layers, 384 wide, 128 tokens), and
# 250 with the bundled one of 0.2. A worker with a GPU costs about ten with two cores, and it reads
# and writes no more than some thousand reviews/s: below 1 GFLOP it can't be worth its price.
NEEDLESS_BELOW_FLOP = 1e9

TYPICAL_TOKENS = 200
"""A review of the IMDB data set has about so many."""

_N1 = re.compile(r"n1-(?:standard|highmem|highcpu|custom)-(\d+)\b")

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accelerator:
    """What a worker is to have.

    Attributes:
        type: Dataflow's name; empty for none.
        count: number on one worker; 0 for none.
    """

    type: str
    count: int


NO_ACCELERATOR = Accelerator("", 0)


_FULL_NAMES = {kind.short_name: name for name, kind in ACCELERATOR_TYPES.items()}


def accelerator_of(options: Namespace) -> Accelerator:
    """What `--accelerator` asks for; `NO_ACCELERATOR` where it is left out.

    Raises:
        UserError: there is no such type, or no machine with so many.
    """
    text: str = options.accelerator
    if not text:
        return NO_ACCELERATOR
    name, colon, number = text.lower().partition(":")
    name = _FULL_NAMES.get(name, name)
    if name not in ACCELERATOR_TYPES:
        known = [*_FULL_NAMES, *ACCELERATOR_TYPES]
        nearest = difflib.get_close_matches(name, known, n=1)
        advice = f"did you mean {nearest[0]}?" if nearest else f"choose {', '.join(_FULL_NAMES)}"
        raise UserError(f"--accelerator {text!r}: there is no {name!r}: {advice}")
    counts = sorted({machine.accelerators for machine in ACCELERATOR_TYPES[name].machines})
    if colon and number not in map(str, counts):
        raise UserError(
            f"--accelerator {text!r}: a worker has {', '.join(map(str, counts))} of {name}"
        )
    return Accelerator(name, int(number) if colon else counts[0])


def machine_for(accelerator: Accelerator) -> Machine:
    """The cheapest machine type that has it."""
    machines = ACCELERATOR_TYPES[accelerator.type].machines
    return next(one for one in machines if one.accelerators == accelerator.count)


def vcpus_of(machine_type: str, accelerator: Accelerator) -> int:
    """Virtual CPUs of a machine type that fits an accelerator."""
    for machine in ACCELERATOR_TYPES[accelerator.type].machines:
        if machine.type == machine_type:
            return machine.vcpus
    match = _N1.match(machine_type)
    assert match
    return int(match[1])


def fits(machine_type: str, accelerator: Accelerator) -> bool:
    """Whether machines of a type can have it."""
    kind = ACCELERATOR_TYPES[accelerator.type]
    if not kind.most_vcpus:
        return (machine_type, accelerator.count) in {one[:2] for one in kind.machines}
    match = _N1.match(machine_type)
    return match is not None and int(match[1]) <= kind.most_vcpus[accelerator.count]


def has_accelerator(machine_type: str) -> bool:
    """Whether machines of a type come with GPUs, asked for or not."""
    return machine_type.startswith(("a2-", "a3-", "g2-"))


def resource_hints(options: Namespace) -> dict[str, str]:
    """The resource hints of inference; none without `--accelerator_scope inference`.

    Source: https://docs.cloud.google.com/dataflow/docs/guides/right-fitting. Dataflow gives a step
    with hints workers of its own.
    """
    accelerator = accelerator_of(options)
    if accelerator == NO_ACCELERATOR or options.accelerator_scope != "inference":
        return {}
    machine = machine_for(accelerator)
    wanted = f"type:{accelerator.type};count:{accelerator.count};machine_type:{machine.type}"
    return {"accelerator": f"{wanted};{DRIVER}", "min_ram": f"{machine.memory_gb}GB"}


def service_option(accelerator: Accelerator) -> str:
    """The Dataflow service option that gives every worker of a job an accelerator.

    Source: https://docs.cloud.google.com/dataflow/docs/gpu/use-gpus.
    """
    return f"worker_accelerator=type:{accelerator.type};count:{accelerator.count};{DRIVER}"


def review_flop(card: Mapping[str, Any]) -> float:
    """Floating point operations that a review of `TYPICAL_TOKENS` takes.

    Args:
        card: a whole model card.

    Returns:
        Their number; infinity where the card doesn't tell the sizes of the encoder.
    """
    try:
        config = EncoderConfig(**card["encoder"])
    except (KeyError, TypeError):  # of another version, or of nobody's
        return math.inf
    return encoder_flop(config, min(TYPICAL_TOKENS, card["max_length"]))


def warn_of_waste(options: Namespace, card: Mapping[str, Any]) -> None:
    """Says in a line where a user pays for GPUs in vain.

    Args:
        options: the options.
        card: the whole card of the model.
    """
    accelerator = accelerator_of(options)
    if accelerator != NO_ACCELERATOR and review_flop(card) < NEEDLESS_BELOW_FLOP:
        _LOGGER.warning(
            "--accelerator %s: model %s takes %.1f GFLOP a review, which CPUs do for less money",
            options.accelerator,
            card["name"],
            review_flop(card) / 1e9,
        )
    if accelerator.count > 1:
        _LOGGER.warning(
            "--accelerator %s: a worker computes on its first GPU only; ask for more workers",
            options.accelerator,
        )
