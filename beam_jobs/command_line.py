"""The command line: our options checked, Beam's own passed through.

Beam takes seconds to import, so this module doesn't, until `pipeline_options` is called: help and
a wrong flag answer at once.
"""

import argparse
import difflib
import functools
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from beam_jobs.dataflow.options import AcceleratorOptions
from beam_jobs.dates import DateOptions
from beam_jobs.dry_run.options import DryRunOptions
from beam_jobs.options import InputOptions, ModelOptions, OutputOptions, ReportOptions
from beam_jobs.streaming_options import MessageOptions, StreamModelOptions, StreamOutputOptions
from schemas.errors import UserError

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

GROUPS = (
    InputOptions,
    OutputOptions,
    DateOptions,
    ModelOptions,
    ReportOptions,
    AcceleratorOptions,
    MessageOptions,
    StreamOutputOptions,
    StreamModelOptions,
    DryRunOptions,
)
"""The options of the job, in the order of its help."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads and checks our options; Beam's are only checked for their names.

    Raises:
        UserError: a flag that neither we nor Beam have, or a value that can't be.
        SystemExit: help was asked for, and printed.
    """
    parser = _Parser(
        prog="score-reviews",
        allow_abbrev=False,
        description="Score reviews with a BERT model: read files or Pub/Sub messages, tokenize, "
        "run inference, write scores and rejections.",
        epilog="Every Beam pipeline option passes through, for example --runner DataflowRunner. "
        "Exit codes: 0 scored; 1 failed, or too many rejections; 2 a mistake in the call.",
    )
    for group in GROUPS:
        group._add_argparse_args(parser)
    values, rest = parser.parse_known_args(arguments)
    _check_rest(rest, [flag for action in parser._actions for flag in action.option_strings])
    for group in GROUPS:
        group.validate(values)
    return values


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (score-reviews --help lists the options)")


def _check_rest(rest: Sequence[str], own_flags: Sequence[str]) -> None:
    """Refuses what is neither Beam's flag nor the value of one."""
    value_may_follow = False
    for argument in rest:
        flag, equals, _ = argument.partition("=")
        if not flag.startswith("--"):
            if not value_may_follow:
                raise UserError(
                    f"{argument!r} belongs to no option: files are named with --input PATTERN..."
                )
        elif flag not in beam_flags():
            nearest = difflib.get_close_matches(flag, [*own_flags, *beam_flags()], n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else "see score-reviews --help"
            raise UserError(f"unknown option {flag}: {hint}")
        else:
            value_may_follow = not equals


@functools.cache
def beam_flags() -> frozenset[str]:
    """The flags of Beam's pipeline options, read from their source: importing it takes seconds."""
    beam = importlib.util.find_spec("apache_beam")
    assert beam is not None
    assert beam.submodule_search_locations is not None
    module = Path(beam.submodule_search_locations[0], "options", "pipeline_options.py")
    return frozenset(re.findall(r"""['"](--[a-zA-Z][\w-]*)['"]""", module.read_text("utf-8")))


def pipeline_options(arguments: Sequence[str]) -> "PipelineOptions":
    """The whole command line as Beam's options, our groups among them.

    Those of a dry run are left out: Beam has a `--dry_run` of its own.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    _register_groups(PipelineOptions)
    parser = _Parser(add_help=False, allow_abbrev=False)
    DryRunOptions._add_argparse_args(parser)
    return PipelineOptions(parser.parse_known_args(arguments)[1])


@functools.cache
def _register_groups(base: type) -> tuple[type, ...]:
    """Beam knows a group as long as its class, a subclass of its own, is kept."""
    groups = (group for group in GROUPS if group is not DryRunOptions)
    return tuple(type(group.__name__, (group, base), {}) for group in groups)
