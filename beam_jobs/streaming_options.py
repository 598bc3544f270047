"""The options of a streaming run, in groups like those of `beam_jobs.options`."""

import argparse
import re
from collections.abc import Mapping
from typing import Any

from beam_jobs.options import check_choice, check_types, streams
from schemas.errors import UserError

PAYLOADS = ("json", "text")

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

_DEFAULTS: Mapping[str, Any] = {
    "payload": "json",
    "id_attribute": "",
    "timestamp_attribute": "",
    "keep_attributes": None,
    "deduplicate": 0,
    "max_batch_wait_ms": 50,
    "output_topic": "",
    "ordering_key": "",
    "output_table": "",
    "rejected_topic": "",
    "window": 300,
    "allowed_lateness": 86_400,
    "files_per_window": 1,
    "watch_model": "",
    "watch_interval": 60,
}
"""Value of each option where the command line has none; durations in seconds."""

STREAMING_OPTIONS = frozenset({"input_subscription", "input_topic", *_DEFAULTS})
"""Names of all options that a batch run can't have."""

_ONLY_FILES = {
    "input_format": "",
    "overwrite": False,
    "skip_unchanged": False,
    "max_rejected_share": 0.05,
}
"""Options of a batch run that a streaming run can't have, and their defaults."""

_PROJECT = r"projects/[a-z][-a-z0-9:.]{4,61}[a-z0-9]"
_NAME = r"[A-Za-z][\w.~+%-]{2,254}"
_TOPIC = re.compile(f"{_PROJECT}/topics/{_NAME}", re.ASCII)
_SUBSCRIPTION = re.compile(f"{_PROJECT}/subscriptions/{_NAME}", re.ASCII)
_TABLE = re.compile(
    r"([a-z0-9.-]+:)?[a-z][a-z0-9-]*[a-z0-9][:.]\w{1,1024}\.[\w-]{1,1024}", re.ASCII
)


def duration_seconds(text: str) -> int:
    """Reads a duration such as `90s`, `5m`, `2h` or `1d`.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    match = re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no duration: give a whole number and s, m, h or d, as in 5m"
        )
    return int(match[1]) * _UNIT_SECONDS[match[2]]


class MessageOptions:
    """Which messages are scored, and what their attributes say."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("streaming input")
        group.add_argument(
            "--input_subscription",
            default="",
            metavar="PATH",
            help="Pub/Sub subscription, projects/P/subscriptions/S: score its messages as they "
            "come, instead of files",
        )
        group.add_argument(
            "--input_topic",
            default="",
            metavar="PATH",
            help="Pub/Sub topic, projects/P/topics/T: score what is published while the job runs",
        )
        group.add_argument(
            "--payload",
            default=_DEFAULTS["payload"],
            metavar="KIND",
            help="json, an object as in a JSONL file, or text, nothing but the review "
            "(default: %(default)s)",
        )
        group.add_argument(
            "--id_attribute",
            default=_DEFAULTS["id_attribute"],
            metavar="NAME",
            help="attribute that holds the review's id; default: --id_field, or else the id is "
            "SUBSCRIPTION#MESSAGE_ID",
        )
        group.add_argument(
            "--timestamp_attribute",
            default=_DEFAULTS["timestamp_attribute"],
            metavar="NAME",
            help="attribute that holds the event time, RFC 3339 or milliseconds since 1970; "
            "default: the time of publication",
        )
        group.add_argument(
            "--keep_attributes",
            nargs="+",
            action="extend",
            default=_DEFAULTS["keep_attributes"],
            metavar="[COLUMN=]NAME[:TYPE]",
            help="attributes to carry through to the scores, as strings unless TYPE is given",
        )
        group.add_argument(
            "--deduplicate",
            type=duration_seconds,
            default=_DEFAULTS["deduplicate"],
            metavar="DURATION",
            help="leave out reviews whose id was seen within this time, as in 10m; default: none",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        if not streams(values):
            return
        _check_path("--input_subscription", values.input_subscription, _SUBSCRIPTION)
        _check_path("--input_topic", values.input_topic, _TOPIC)
        if bool(values.input) + bool(values.input_subscription) + bool(values.input_topic) > 1:
            raise UserError(
                "give one of --input, --input_subscription and --input_topic: a run scores files "
                "or messages"
            )
        for name, default in _ONLY_FILES.items():
            if getattr(values, name) != default:
                raise UserError(f"--{name} goes with --input only: leave it out")
        check_choice("--payload", values.payload, PAYLOADS)
        check_types("--keep_attributes", values.keep_attributes or ())
        if values.id_field and values.id_attribute:
            raise UserError("give one of --id_field and --id_attribute")
        if values.payload == "text" and (values.id_field or values.keep_fields):
            raise UserError(
                "--payload text has no fields: use --id_attribute and --keep_attributes"
            )


class StreamOutputOptions:
    """Where the scores of messages go."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("streaming output, besides --output")
        group.add_argument(
            "--output_topic",
            default=_DEFAULTS["output_topic"],
            metavar="PATH",
            help="Pub/Sub topic, projects/P/topics/T, that gets each score as JSON",
        )
        group.add_argument(
            "--ordering_key",
            default=_DEFAULTS["ordering_key"],
            metavar="COLUMN",
            help="column of the score that becomes its message's ordering key; not on Dataflow",
        )
        group.add_argument(
            "--output_table",
            default=_DEFAULTS["output_table"],
            metavar="PROJECT:DATASET.TABLE",
            help="BigQuery table that gets a row for each score; made if it isn't there",
        )
        group.add_argument(
            "--rejected_topic",
            default=_DEFAULTS["rejected_topic"],
            metavar="PATH",
            help="Pub/Sub topic that gets each rejection as JSON; needed unless --output is given",
        )
        group.add_argument(
            "--window",
            type=duration_seconds,
            default=_DEFAULTS["window"],
            metavar="DURATION",
            help="with --output: a file holds the reviews of this much event time (default: 5m)",
        )
        group.add_argument(
            "--allowed_lateness",
            type=duration_seconds,
            default=_DEFAULTS["allowed_lateness"],
            metavar="DURATION",
            help="with --output: reviews published this long after the end of their window still "
            "go to it; later ones are rejected (default: 1d)",
        )
        group.add_argument(
            "--files_per_window",
            type=int,
            default=_DEFAULTS["files_per_window"],
            metavar="N",
            help="with --output: number of files that a window's rows are divided among "
            "(default: %(default)s)",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        if not streams(values):
            return
        _check_path("--output_topic", values.output_topic, _TOPIC)
        _check_path("--rejected_topic", values.rejected_topic, _TOPIC)
        if values.output_table and not _TABLE.fullmatch(values.output_table):
            raise UserError(
                f"--output_table {values.output_table!r} is no table: give PROJECT:DATASET.TABLE"
            )
        if not (values.output or values.output_topic or values.output_table):
            raise UserError(
                "no output: give --output, --output_topic or --output_table, or several of them"
            )
        if not (values.output or values.rejected_topic):
            raise UserError(
                "rejections have nowhere to go: give --rejected_topic or --output, "
                "so that nothing is dropped"
            )
        if values.ordering_key and not values.output_topic:
            raise UserError("--ordering_key goes with --output_topic only: leave it out")
        if values.window < 1:
            raise UserError("--window 0 is too short: give 1s or more")
        if values.files_per_window < 1:
            raise UserError(
                f"--files_per_window {values.files_per_window} is too few: give 1 or more"
            )


class StreamModelOptions:
    """How messages are batched, and which model scores them as time goes on."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("streaming model")
        group.add_argument(
            "--max_batch_wait_ms",
            type=int,
            default=_DEFAULTS["max_batch_wait_ms"],
            metavar="MS",
            help="longest time a review waits for others to share a batch with (default: "
            "%(default)s); the local runner makes batches of what it pulls at a time",
        )
        group.add_argument(
            "--watch_model",
            default=_DEFAULTS["watch_model"],
            metavar="PATTERN",
            help="directories of models, as in gs://bucket/models/*: score with the newest good "
            "one, and change over when a newer one appears; --model until there is one",
        )
        group.add_argument(
            "--watch_interval",
            type=duration_seconds,
            default=_DEFAULTS["watch_interval"],
            metavar="DURATION",
            help="time between two looks for a newer model (default: 60s)",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        if not streams(values):
            _refuse_in_batch(values)
            return
        if values.max_batch_wait_ms < 1:
            raise UserError(
                f"--max_batch_wait_ms {values.max_batch_wait_ms} is too short: give 1 or more"
            )
        if values.watch_interval < 1:
            raise UserError("--watch_interval 0 is too short: give 1s or more")
        if values.watch_model and values.model_sha256:
            raise UserError(
                "--model_sha256 pins one model, but --watch_model takes others: give one of them"
            )
        if values.watch_model and values.engine == "tfx_bsl":
            raise UserError(
                "--watch_model goes with models of train-sentiment, not with --engine tfx_bsl"
            )


def _refuse_in_batch(values: argparse.Namespace) -> None:
    for name, default in _DEFAULTS.items():
        if getattr(values, name) != default:
            raise UserError(
                f"--{name} goes with --input_subscription or --input_topic only: leave it out"
            )


def _check_path(flag: str, path: str, pattern: re.Pattern[str]) -> None:
    if path and not pattern.fullmatch(path):
        kind = "subscriptions/S" if pattern is _SUBSCRIPTION else "topics/T"
        raise UserError(f"{flag} {path!r} is no path that Pub/Sub allows: give projects/P/{kind}")
