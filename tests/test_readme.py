"""The README says what is so."""

import argparse
import re
from pathlib import Path

from beam_jobs.command_line import GROUPS, beam_flags
from model import evaluate, export_encoder
from model import options as train_options
from schemas.rejection import Reason

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_every_reason_stands_in_the_readme() -> None:
    for reason in Reason:
        assert f"| `{reason.value}` | {reason.advice} |" in README


def test_options_in_the_readme_exist() -> None:
    parser = argparse.ArgumentParser()
    for group in GROUPS:
        group._add_argparse_args(parser)
    ours = {flag for action in parser._actions for flag in action.option_strings}
    commands = (*train_options.ARGUMENTS, *evaluate.ARGUMENTS, *export_encoder.ARGUMENTS)
    of_models = {f"--{name}" for name in commands}
    others = {"--every", "--no-deps", "--quick"}

    known = ours | beam_flags() | of_models | others
    assert set(re.findall(r"--[a-z][\w-]*", README)) <= known


def test_the_first_command_and_its_output_come_first() -> None:
    top = README.splitlines()[:30]

    assert "make demo" in top
    assert any(line.startswith("scored") for line in top)
