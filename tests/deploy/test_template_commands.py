import json
import os
import re
import subprocess

import pytest

from beam_jobs.command_line import parse
from beam_jobs.dataflow.flex_template import DIRECTORY
from beam_jobs.dataflow.launch_checks import IMAGE_MODEL
from beam_jobs.dataflow.template_launcher import command_line
from tests.deploy.gcloud import HAS_GCLOUD, commands, divided, flag, mistake
from tests.deploy.locks import ROOT

PLACES = {"PROJECT": "my-project", "REGION": "europe-west4", "BUCKET": "b", "REPOSITORY": "r"}

COMMIT = subprocess.run(
    "git rev-parse HEAD", shell=True, cwd=ROOT, capture_output=True, text=True
).stdout.strip()
"""Empty where there is no checkout."""

CLOUD_BUILD = (ROOT / "deploy" / "cloudbuild.yaml").read_text("utf-8")


def printed_for(**variables: str) -> list[list[str]]:
    result = subprocess.run(
        [str(DIRECTORY / "commands.sh")],
        cwd=ROOT,
        env={**os.environ, **PLACES, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return commands(result.stdout)


def substitutions(printed: list[list[str]]) -> dict[str, str]:
    """The variables of `cloudbuild.yaml` that the build is given."""
    parts = flag(printed[0], "substitutions").split(",")
    return dict(part.split("=", 1) for part in parts)


@pytest.fixture(scope="module")
def printed() -> list[list[str]]:
    return printed_for(TAG="1a2b3c4")


def test_they_build_the_images_both_templates_and_launch_both(printed: list[list[str]]) -> None:
    assert [" ".join(command[1:4]) for command in printed] == [
        "builds submit .",
        *["dataflow flex-template build"] * 2,
        *["dataflow flex-template run"] * 2,
    ]


@pytest.mark.parametrize(("name", "position"), [("batch", 3), ("streaming", 4)])
def test_a_launch_has_parameters_that_exist_and_go_together(
    printed: list[list[str]], name: str, position: int
) -> None:
    command = printed[position]
    given = divided(flag(command, "parameters"))
    described = json.loads((DIRECTORY / f"{name}.json").read_text("utf-8"))["parameters"]

    assert {one.partition("=")[0] for one in given} <= {one["name"] for one in described}
    assert {one["name"] for one in described if not one["isOptional"]} <= {
        one.partition("=")[0] for one in given
    }
    parse(command_line([f"--{one}" for one in given]))
    assert flag(command, "template-file-gcs-location") in printed[position - 2]


def test_the_launcher_is_built_on_the_image_of_the_workers(printed: list[list[str]]) -> None:
    image = substitutions(printed)["_IMAGE"]

    assert image == "europe-west4-docker.pkg.dev/my-project/r/review-scoring:1a2b3c4-cpu"
    assert {flag(command, "image") for command in printed[1:3]} == {f"{image}-launcher"}


def test_every_variable_of_the_build_is_given(printed: list[list[str]]) -> None:
    assert substitutions(printed).keys() == set(re.findall(r"\$\{(_\w+)\}", CLOUD_BUILD))


def test_a_model_is_baked_in_and_then_used() -> None:
    printed = printed_for(MODEL="models/my-model")

    assert substitutions(printed)["_MODEL"] == "models/my-model"
    for launch in printed[3:]:
        assert f"model={IMAGE_MODEL}" in divided(flag(launch, "parameters"))


@pytest.mark.parametrize(("variant", "asks_for_gpus"), [("cpu", False), ("gpu", True)])
def test_a_launch_asks_for_gpus_where_the_image_can_use_them(
    variant: str, asks_for_gpus: bool
) -> None:
    printed = printed_for(VARIANT=variant)

    assert substitutions(printed)["_VARIANT"] == variant
    assert ("accelerator=l4" in divided(flag(printed[3], "parameters"))) == asks_for_gpus


@pytest.mark.skipif(not COMMIT, reason="needs a checkout")
def test_images_are_named_after_the_commit() -> None:
    tag = substitutions(printed_for())["_IMAGE"].rpartition(":")[2].removesuffix("-cpu")

    assert len(tag) >= 7
    assert COMMIT.startswith(tag)


@pytest.mark.skipif(not HAS_GCLOUD, reason="needs the Google Cloud CLI, which checks its commands")
@pytest.mark.slow
def test_the_command_line_of_google_cloud_knows_every_flag(printed: list[list[str]]) -> None:
    assert [mistake(command) for command in printed] == [""] * len(printed)


@pytest.mark.skipif(not HAS_GCLOUD, reason="needs the Google Cloud CLI, which checks its commands")
@pytest.mark.slow
def test_the_check_finds_a_wrong_flag() -> None:
    assert "--no-such-flag" in mistake(["gcloud", "builds", "submit", ".", "--no-such-flag=1"])
