"""The command line: our options in groups, Beam's own passed through.

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

from schemas.errors import UserError
from schemas.field import FieldType

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

INPUT_FORMATS = ("jsonl", "csv", "tsv", "text", "parquet", "avro", "tfrecord")
OUTPUT_FORMATS = ("jsonl", "jsonl.gz", "parquet", "avro")
ENGINES = ("saved_model", "tfx_bsl")


class InputOptions:
    """Where the reviews are, and which of their fields matter."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("input")
        group.add_argument(
            "--input",
            nargs="+",
            action="extend",
            metavar="PATTERN",
            help="files of reviews; * and ? match within a folder, ** across folders",
        )
        group.add_argument(
            "--input_format",
            default="",
            metavar="FORMAT",
            help=f"{', '.join(INPUT_FORMATS)}; default: by the name of each file, "
            "compression (.gz, .bz2, .zst) included",
        )
        group.add_argument(
            "--text_field",
            default="text",
            metavar="NAME",
            help="field that holds the review (default: %(default)s)",
        )
        group.add_argument(
            "--id_field",
            default="",
            metavar="NAME",
            help="field that holds its id; default: the id is FILE#POSITION",
        )
        group.add_argument(
            "--keep_fields",
            nargs="+",
            action="extend",
            metavar="[COLUMN=]NAME[:TYPE]",
            help="fields to carry through to the scores, under another name if COLUMN is given. "
            f"Their types come from the file; TYPE ({', '.join(kind.value for kind in FieldType)}) "
            "overrides",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        if not values.input:
            raise UserError("--input is missing: name the files of reviews to score")
        if values.input_format:
            _check_choice("--input_format", values.input_format, INPUT_FORMATS)
        for field in values.keep_fields or ():
            _, colon, type_name = field.partition(":")
            if colon:
                _check_choice(
                    f"--keep_fields {field}: the type",
                    type_name,
                    [kind.value for kind in FieldType],
                )


class OutputOptions:
    """Where the scores go."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("output")
        group.add_argument(
            "--output",
            default="",
            metavar="PREFIX",
            help="folder or bucket prefix that gets scores/, rejected/ and, last, manifest.json",
        )
        group.add_argument(
            "--output_format",
            default="jsonl",
            metavar="FORMAT",
            help=f"{', '.join(OUTPUT_FORMATS)} (default: %(default)s)",
        )
        group.add_argument(
            "--overwrite", action="store_true", help="replace the run that PREFIX already holds"
        )
        group.add_argument(
            "--max_rejected_share",
            type=float,
            default=0.05,
            metavar="SHARE",
            help="0 to 1: exit with 1 if more than this share of the records is rejected "
            "(default: %(default)s)",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        if not values.output.strip("/"):
            raise UserError("--output is missing: name the folder or bucket prefix for the scores")
        _check_choice("--output_format", values.output_format, OUTPUT_FORMATS)
        if not 0.0 <= values.max_rejected_share <= 1.0:
            raise UserError(
                f"--max_rejected_share {values.max_rejected_share:g} is no share: "
                "give a number from 0 to 1"
            )


class ModelOptions:
    """What scores the reviews."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("model")
        group.add_argument(
            "--model",
            default="",
            metavar="DIR",
            help="model exported by train-sentiment, or with --engine tfx_bsl any SavedModel that "
            "takes one string; default: the small model that comes with the package",
        )
        group.add_argument(
            "--engine",
            default="saved_model",
            metavar="ENGINE",
            help=f"{' or '.join(ENGINES)} (default: %(default)s)",
        )
        group.add_argument(
            "--max_batch_tokens",
            type=int,
            default=8192,
            metavar="TOKENS",
            help="most tokens in one call of the model, padding included (default: %(default)s)",
        )
        group.add_argument(
            "--signature",
            default="",
            metavar="NAME",
            help="with --engine tfx_bsl: signature of a model that train-sentiment didn't export "
            "(default: serving_default)",
        )
        group.add_argument(
            "--example_feature",
            default="",
            metavar="NAME",
            help="with --engine tfx_bsl: feature of the tf.train.Example that holds the review; "
            "default: such a model takes the text itself",
        )
        group.add_argument(
            "--positive_output",
            default="",
            metavar="NAME[:INDEX]",
            help="with --engine tfx_bsl: output of such a model that holds the probability of "
            "positive; default: its only output, the last number of each row",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        _check_choice("--engine", values.engine, ENGINES)
        if values.max_batch_tokens < 1:
            raise UserError(
                f"--max_batch_tokens {values.max_batch_tokens} is too few: give 1 or more"
            )
        if values.engine != "tfx_bsl":
            for name in ("signature", "example_feature", "positive_output"):
                if getattr(values, name):
                    raise UserError(f"--{name} goes with --engine tfx_bsl only: leave it out")


class ReportOptions:
    """What the job says while and after it runs."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("report")
        group.add_argument(
            "--quiet", action="store_true", help="no progress and no summary: errors only"
        )
        group.add_argument(
            "--log_format",
            default="text",
            metavar="FORMAT",
            help="text, or json for schedulers: one JSON object a line on stderr, and the "
            "manifest as the summary on stdout (default: %(default)s)",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        _check_choice("--log_format", values.log_format, ("text", "json"))


GROUPS = (InputOptions, OutputOptions, ModelOptions, ReportOptions)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads and checks our options; Beam's are only checked for their names.

    Raises:
        UserError: a flag that neither we nor Beam have, or a value that can't be.
        SystemExit: help was asked for, and printed.
    """
    parser = _Parser(
        prog="score-reviews",
        allow_abbrev=False,
        description="Score reviews with a BERT model: read files, tokenize, run inference, write "
        "scores, rejections and a manifest.",
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


def _check_choice(flag: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UserError(f"{flag} {value!r} is unknown: choose one of {', '.join(choices)}")


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
    """The whole command line as Beam's options, our groups among them."""
    from apache_beam.options.pipeline_options import PipelineOptions

    _register_groups(PipelineOptions)
    return PipelineOptions(list(arguments))


@functools.cache
def _register_groups(base: type) -> tuple[type, ...]:
    """Beam knows a group as long as its class, a subclass of its own, is kept."""
    return tuple(type(group.__name__, (group, base), {}) for group in GROUPS)
