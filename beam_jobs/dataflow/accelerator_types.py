"""The GPUs that Dataflow offers, and the machines that hold them.

Names and numbers are those of https://docs.cloud.google.com/compute/docs/gpus and
https://docs.cloud.google.com/dataflow/docs/gpu/gpu-support.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Machine(NamedTuple):
    """A machine type with GPUs.

    Attributes:
        type: its name.
        accelerators: number of its GPUs.
        vcpus: number of its virtual CPUs.
        memory_gb: its memory.
    """

    type: str
    accelerators: int
    vcpus: int
    memory_gb: int


class AcceleratorType(NamedTuple):
    """A kind of GPU.

    Attributes:
        short_name: how people call it.
        memory_gib: memory of one.
        machines: machine types that have it, the cheapest for a number of GPUs first.
        most_vcpus: by number of GPUs, the most virtual CPUs of an N1 machine that it can be
            attached to; empty where it comes with machine types of its own.
    """

    short_name: str
    memory_gib: int
    machines: tuple[Machine, ...]
    most_vcpus: Mapping[int, int] = {}


def _n1(most_vcpus: Mapping[int, int]) -> tuple[Machine, ...]:
    """Four virtual CPUs for each GPU, as the smallest machine with an L4 has."""
    return tuple(
        Machine(f"n1-standard-{4 * count}", count, 4 * count, 15 * count) for count in most_vcpus
    )


def _series(name: str, counts: tuple[int, ...], vcpus: int, memory_gb: int) -> tuple[Machine, ...]:
    """Machines that differ in the number of GPUs; vCPUs and memory are those for each."""
    return tuple(
        Machine(f"{name}-{count}g", count, vcpus * count, memory_gb * count) for count in counts
    )


_G2 = (
    *(Machine(f"g2-standard-{vcpus}", 1, vcpus, 4 * vcpus) for vcpus in (4, 8, 12, 16, 32)),
    *(Machine(f"g2-standard-{24 * n}", 2 * n, 24 * n, 96 * n) for n in (1, 2, 4)),
)
_T4 = {1: 48, 2: 48, 4: 96}

ACCELERATOR_TYPES: Mapping[str, AcceleratorType] = {
    "nvidia-l4": AcceleratorType("l4", 24, _G2),
    "nvidia-tesla-t4": AcceleratorType("t4", 16, _n1(_T4), _T4),
    "nvidia-tesla-a100": AcceleratorType(
        "a100",
        40,
        (*_series("a2-highgpu", (1, 2, 4, 8), 12, 85), Machine("a2-megagpu-16g", 16, 96, 1360)),
    ),
    "nvidia-a100-80gb": AcceleratorType(
        "a100-80gb", 80, _series("a2-ultragpu", (1, 2, 4, 8), 12, 170)
    ),
    "nvidia-h100-80gb": AcceleratorType("h100", 80, _series("a3-highgpu", (1, 2, 4, 8), 26, 234)),
}
"""By Dataflow's name."""
