"""The lock files of the image, and the versions that the project is tested with."""

from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
CPU = ROOT / "deploy" / "requirements-cpu.lock"
GPU = ROOT / "deploy" / "requirements-gpu.lock"
CONSTRAINTS = ROOT / "constraints.txt"

IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.14",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""What a requirement's marker sees in the image."""


def requirements(lines: list[str]) -> list[Requirement]:
    """Those that hold in the image."""
    read = [Requirement(line.rstrip(" \\")) for line in lines]
    return [one for one in read if one.marker is None or one.marker.evaluate(IMAGE)]


def pins(path: Path) -> dict[str, str]:
    """The version of each package that a file pins."""
    lines = [line for line in path.read_text("utf-8").splitlines() if "==" in line]
    return {
        one.name: str(one.specifier).removeprefix("==")
        for one in requirements([line for line in lines if not line.startswith("#")])
    }
