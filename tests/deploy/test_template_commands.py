import json
import os
import subprocess

import pytest

from beam_jobs.command_line import parse
from beam_jobs.dataflow.flex_template import DIRECTORY
from beam_jobs.dataflow.template_launcher import command_line
from tests.deploy.gcloud import HAS_GCLOUD, commands, divided, flag, mistake

PLACES = {"PROJECT": "my-project", "REGION": "europe-west4", "BUCKET": "b", "REPOSITORY": "r"}


@pytest.fixture(scope="module")
def printed() -> list[list[str]]:
    script = str(DIRECTORY / "commands.sh")
    result = subprocess.run(
        [script], env={**os.environ, **PLACES}, capture_output=True, text=True, check=True
    )
    return commands(result.stdout)


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
    image = flag(printed[0], "substitutions").partition(",")[0].removeprefix("_IMAGE=")

    assert {flag(command, "image") for command in printed[1:3]} == {f"{image}-launcher"}


@pytest.mark.skipif(not HAS_GCLOUD, reason="needs the Google Cloud CLI, which checks its commands")
@pytest.mark.slow
def test_the_command_line_of_google_cloud_knows_every_flag(printed: list[list[str]]) -> None:
    assert [mistake(command) for command in printed] == [""] * len(printed)


@pytest.mark.skipif(not HAS_GCLOUD, reason="needs the Google Cloud CLI, which checks its commands")
@pytest.mark.slow
def test_the_check_finds_a_wrong_flag() -> None:
    assert "--no-such-flag" in mistake(["gcloud", "builds", "submit", ".", "--no-such-flag=1"])
