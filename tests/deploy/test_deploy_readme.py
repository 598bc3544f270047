import re

import pytest

from beam_jobs.command_line import beam_flags
from beam_jobs.dataflow.flex_template import options
from tests.deploy.gcloud import HAS_GCLOUD, commands, mistake
from tests.deploy.locks import CPU, GPU, ROOT, pins

README = (ROOT / "deploy" / "README.md").read_text("utf-8")


def test_options_of_the_job_exist() -> None:
    """Those of other programs have hyphens within."""
    flags = set(re.findall(r"--[a-z]+(?:_[a-z]+)+\b", README))

    assert flags
    assert flags <= options().actions.keys() | beam_flags()


def test_the_numbers_of_packages_are_right() -> None:
    assert f"| packages | {len(pins(CPU))} | {len(pins(GPU))}: " in README


@pytest.mark.skipif(not HAS_GCLOUD, reason="needs the Google Cloud CLI, which checks its commands")
@pytest.mark.slow
def test_the_command_line_of_google_cloud_knows_every_flag() -> None:
    found = commands("\n".join(re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)))

    assert found
    assert [mistake(command) for command in found] == [""] * len(found)
