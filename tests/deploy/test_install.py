"""The install steps of the image, run without an engine: those of the Dockerfile, word for word."""

import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.deploy.dockerfile import ROOT, arguments, copied
from tests.deploy.locks import GPU, IMAGE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        (platform.system(), platform.machine(), platform.python_version_tuple()[:2])
        != ("Linux", "x86_64", tuple(IMAGE["python_version"].split("."))),
        reason="the image is for Linux on x86-64 and one Python",
    ),
]

SAMPLES = ROOT / "beam_jobs" / "samples" / "reviews.jsonl"


def pip_options() -> list[str]:
    """Those of the step that installs the dependencies, but for where to and from."""
    words = next(run for run in arguments("RUN") if "--require-hashes" in run).split()
    elsewhere = ("--prefix=", "--requirement=")
    return [word for word in words[2:] if not word.startswith(elsewhere)]


def copy_sources(target: Path) -> None:
    """Copies what the build of the package sees, so that it leaves nothing in the checkout."""
    for source in copied():
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, target / source, ignore=ignored, dirs_exist_ok=True)
        else:
            (target / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, target / source)


def test_the_steps_of_the_image_give_a_package_that_scores(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    environment = {**os.environ, "PATH": f"{tmp_path / 'env' / 'bin'}:/usr/bin:/bin"}
    copy_sources(tmp_path / "source")
    lock = tmp_path / "source" / "deploy" / "requirements-cpu.lock"
    places = {
        "--prefix=/dependencies": "",
        "--prefix=/package": "",
        "/requirements.lock": str(lock),
    }

    for step in arguments("RUN"):
        for place, instead in places.items():
            step = step.replace(place, instead)
        subprocess.run(step, shell=True, check=True, cwd=tmp_path / "source", env=environment)
    score = ["score-reviews", "--input", str(SAMPLES), "--output", str(tmp_path / "scores")]
    subprocess.run(score, check=True, cwd=tmp_path, env=environment)

    assert len(arguments("RUN")) == 3
    assert (tmp_path / "scores" / "manifest.json").exists()


def test_the_lock_with_cuda_resolves() -> None:
    """Its packages fit together and are on the index; some gigabytes are not installed."""
    install = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]

    subprocess.run([*install, "--quiet", *pip_options(), "--requirement", str(GPU)], check=True)
