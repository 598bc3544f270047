import runpy
from pathlib import Path
from typing import Any

import pytest
import setuptools

from tests.deploy.locks import CONSTRAINTS, CPU, GPU, ROOT, pins, requirements


@pytest.mark.parametrize("lock", [CPU, GPU])
def test_the_image_has_the_versions_that_are_tested(lock: Path) -> None:
    tested = pins(CONSTRAINTS)
    locked = pins(lock)
    cuda = {name for name in locked if name.startswith("nvidia-")}

    assert {name: tested.get(name) for name in locked.keys() - cuda} == {
        name: version for name, version in locked.items() if name not in cuda
    }


@pytest.mark.parametrize("lock", [CPU, GPU])
def test_every_version_has_a_hash(lock: Path) -> None:
    text = lock.read_text("utf-8").splitlines()
    lines = [line for line in text if not line.startswith("#")]

    for line, next_line in zip(lines, [*lines[1:], ""], strict=True):
        if "--hash" not in line:
            assert "==" in line
            assert "--hash=sha256:" in next_line, line


def test_the_lock_meets_the_requirements_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", given.update)
    runpy.run_path(str(ROOT / "setup.py"))
    locked = pins(CPU)

    for requirement in requirements(given["install_requires"]):
        assert requirement.specifier.contains(locked[requirement.name]), requirement


def test_a_gpu_adds_the_cuda_libraries_and_nothing_else() -> None:
    cpu, gpu = pins(CPU), pins(GPU)
    added = gpu.keys() - cpu.keys()

    assert {name: gpu[name] for name in cpu} == cpu
    assert {"nvidia-cudnn-cu12", "nvidia-cublas-cu12"} <= added
    assert all(name.startswith("nvidia-") for name in added)
