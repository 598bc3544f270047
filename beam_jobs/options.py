"""The options of the job, in groups that validate themselves.

Each group becomes one of Beam's `PipelineOptions` in `beam_jobs.command_line`. They don't derive
from it here, since Beam takes seconds to import.
"""

import argparse
import re
from collections.abc import Sequence

from model.runtime import PRECISIONS
from schemas.errors import UserError
from schemas.field import FieldType

INPUT_FORMATS = ("jsonl", "csv", "tsv", "text", "parquet", "avro", "tfrecord")
OUTPUT_FORMATS = ("jsonl", "jsonl.gz", "parquet", "avro")
ENGINES = ("saved_model", "tfx_bsl")

_OF_PATTERNS = "*?[\\"
"""What is deleted is found by patterns: with these it could be files of other runs."""


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
        if not (values.input or streams(values)):
            raise UserError(
                "--input is missing: name the files of reviews to score, or a Pub/Sub subscription "
                "with --input_subscription"
            )
        if values.input_format:
            check_choice("--input_format", values.input_format, INPUT_FORMATS)
        check_types("--keep_fields", values.keep_fields or ())


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
            "--skip_unchanged",
            action="store_true",
            help="leave that run alone if it had the same input files, model, options and package "
            "versions; replace it if not",
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
        if not values.output.strip("/") and (values.output or not streams(values)):
            raise UserError("--output is missing: name the folder or bucket prefix for the scores")
        check_no_pattern(values.output)
        check_choice("--output_format", values.output_format, OUTPUT_FORMATS)
        if values.overwrite and values.skip_unchanged:
            raise UserError("give one of --overwrite and --skip_unchanged")
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
            help="folder or gs:// URL of a model exported by train-sentiment, or with --engine "
            "tfx_bsl of any SavedModel that takes one string; default: the small model that comes "
            "with the package",
        )
        group.add_argument(
            "--model_sha256",
            default="",
            metavar="DIGEST",
            help="score with the model of this SHA-256 alone, checked again wherever it is loaded; "
            "train-sentiment prints it, and the manifest of each run holds it as model.sha256",
        )
        group.add_argument(
            "--engine",
            default="saved_model",
            metavar="ENGINE",
            help=f"{' or '.join(ENGINES)} (default: %(default)s)",
        )
        group.add_argument(
            "--precision",
            default="auto",
            metavar="PRECISION",
            help="auto computes in half precision (float16) where the worker has a GPU and in "
            "float32 elsewhere; float32 everywhere (default: %(default)s)",
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
        check_choice("--engine", values.engine, ENGINES)
        check_choice("--precision", values.precision, PRECISIONS)
        if values.model_sha256 and not re.fullmatch("[0-9a-f]{64}", values.model_sha256):
            raise UserError(
                f"--model_sha256 {values.model_sha256!r} is no SHA-256: give the 64 digits (0-9, "
                "a-f) that train-sentiment printed"
            )
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
        check_choice("--log_format", values.log_format, ("text", "json"))


def streams(values: argparse.Namespace) -> bool:
    """Whether a run scores messages as they come, rather than files."""
    return bool(values.input_subscription or values.input_topic)


def check_no_pattern(output: str) -> None:
    """Refuses an output prefix that Beam would take for a pattern, or that no line can show.

    Raises:
        UserError: it is one.
    """
    if any(not character.isprintable() or character in _OF_PATTERNS for character in output):
        raise UserError(
            f"--output {output!r} holds a character of patterns (* ? [ \\) or one that can't be "
            "printed: choose another prefix"
        )


def check_types(flag: str, fields: Sequence[str]) -> None:
    """Refuses a type in `[COLUMN=]NAME[:TYPE]` that there isn't.

    Raises:
        UserError: there is no such type.
    """
    for field in fields:
        _, colon, type_name = field.partition(":")
        if colon:
            check_choice(f"{flag} {field}: the type", type_name, [kind.value for kind in FieldType])


def check_choice(flag: str, value: str, choices: Sequence[str]) -> None:
    """Refuses a value that is none of the choices.

    Raises:
        UserError: it is none.
    """
    if value not in choices:
        raise UserError(f"{flag} {value!r} is unknown: choose one of {', '.join(choices)}")
