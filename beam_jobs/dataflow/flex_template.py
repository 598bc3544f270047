"""The parameters of our Dataflow Flex templates, made from the options of the command line.

`python -m beam_jobs.dataflow.flex_template` writes the metadata files in `deploy/flex-template`.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beam_jobs.command_line import GROUPS
from beam_jobs.dataflow.options import ACCELERATOR_SCOPES
from beam_jobs.options import ENGINES, INPUT_FORMATS, OUTPUT_FORMATS
from beam_jobs.streaming_options import PAYLOADS, STREAMING_OPTIONS, duration_seconds
from model.runtime import PRECISIONS

DIRECTORY = Path(__file__).parents[2] / "deploy" / "flex-template"

LEFT_OUT: Mapping[str, str] = {
    "help": "a template has none",
    "quiet": "the launcher's log is the place to look",
    "log_format": "the launcher's log is the place to look",
    "days": "a launch is one job",
    "skip_unchanged": "a launch is one job",
    "dry_run": "a launch is one job",
    "worker_price": "goes with --dry_run",
    "accelerator_price": "goes with --dry_run",
    "tokens_per_second": "goes with --dry_run",
    "input_topic": "what is published between two jobs would be lost: use a subscription",
    "ordering_key": "not on Dataflow",
}
"""Options that are no parameters, and why."""

_BATCH_OPTIONS = frozenset({"date", "input", "input_format", "max_rejected_share", "overwrite"})
"""Names of all parameters that a streaming run can't have."""

_CHOICES: Mapping[str, Sequence[str]] = {
    "accelerator_scope": ACCELERATOR_SCOPES,
    "engine": ENGINES,
    "input_format": INPUT_FORMATS,
    "output_format": OUTPUT_FORMATS,
    "payload": PAYLOADS,
    "precision": PRECISIONS,
}

_TYPES: Mapping[str, str] = {
    "input_subscription": "PUBSUB_SUBSCRIPTION",
    "output": "GCS_WRITE_FOLDER",
    "output_table": "BIGQUERY_TABLE",
    "output_topic": "PUBSUB_TOPIC",
    "rejected_topic": "PUBSUB_TOPIC",
}
"""Types for which the console offers what there is."""

_BUCKET_PATH = r"gs://[^,\s][^,]*"

_REGEXES: Mapping[str, str] = {
    "input": rf"^{_BUCKET_PATH}(,{_BUCKET_PATH})*$",
    "output": rf"^{_BUCKET_PATH}$",
    "watch_model": rf"^{_BUCKET_PATH}$",
    "model_sha256": "^[0-9a-f]{64}$",
}


class Template(NamedTuple):
    """A Flex template.

    Attributes:
        name: what the console calls it.
        description: what it does.
        file_name: of its metadata, in `DIRECTORY`.
        required: parameters that every launch needs.
        streaming: whether it scores messages rather than files.
    """

    name: str
    description: str
    file_name: str
    required: frozenset[str]
    streaming: bool


BATCH = Template(
    name="Score reviews in files",
    description="Scores the reviews in files with a BERT model: writes scores, rejections and, "
    "last, a manifest.",
    file_name="batch.json",
    required=frozenset({"input", "output"}),
    streaming=False,
)

STREAMING = Template(
    name="Score reviews in messages",
    description="Scores the reviews in Pub/Sub messages with a BERT model as they come: to a "
    "topic, to files by window, to a BigQuery table.",
    file_name="streaming.json",
    required=frozenset({"input_subscription"}),
    streaming=True,
)


def metadata(template: Template) -> dict[str, Any]:
    """What Dataflow is told of a template, in the form of its `TemplateMetadata`."""
    described: dict[str, Any] = {"name": template.name, "description": template.description}
    if template.streaming:
        described |= {
            "streaming": True,
            "supportsAtLeastOnce": False,
            "supportsExactlyOnce": True,
            "defaultStreamingMode": "EXACTLY_ONCE",
        }
    described["parameters"] = [
        _parameter(group.title or "", action, action.dest in template.required)
        for group in options().groups
        for action in group._group_actions
        if _belongs(action.dest, template)
    ]
    return described


class Options(NamedTuple):
    """Our part of the command line.

    Attributes:
        groups: as in its help.
        actions: each option by its flag.
    """

    groups: Sequence[argparse._ArgumentGroup]
    actions: Mapping[str, argparse.Action]


def options() -> Options:
    """The options of the command line, read from their definitions."""
    parser = argparse.ArgumentParser()
    for group in GROUPS:
        group._add_argparse_args(parser)
    return Options(parser._action_groups, parser._option_string_actions)


def _belongs(name: str, template: Template) -> bool:
    other_mode = _BATCH_OPTIONS if template.streaming else STREAMING_OPTIONS
    return name not in LEFT_OUT and name not in other_mode


def _parameter(group: str, action: argparse.Action, required: bool) -> dict[str, Any]:
    advice = "; several are divided by commas" if action.nargs == "+" else ""
    described: dict[str, Any] = {
        "name": action.dest,
        "label": action.dest.replace("_", " ").capitalize(),
        "helpText": (action.help or "") % vars(action) + advice,
        "isOptional": not required,
        "paramType": _type(action),
        "groupName": group.capitalize(),
    }
    if regex := _regex(action):
        described["regexes"] = [regex]
    if choices := _CHOICES.get(action.dest):
        described["enumOptions"] = [{"value": choice} for choice in choices]
    return described


def _type(action: argparse.Action) -> str:
    if action.dest in _CHOICES:
        return "ENUM"
    if action.nargs == 0:
        return "BOOLEAN"
    return _TYPES.get(action.dest, "NUMBER" if action.type in (int, float) else "TEXT")


def _regex(action: argparse.Action) -> str:
    by_type = {duration_seconds: r"^\d{1,6}[smhd]$", int: r"^\d+$", float: r"^\d*\.?\d+$"}
    return _REGEXES.get(action.dest) or by_type.get(action.type, "")


def text(template: Template) -> str:
    """The metadata file of a template."""
    return json.dumps(metadata(template), indent=2) + "\n"


def main() -> None:
    """Writes the metadata file of each template."""
    for template in (BATCH, STREAMING):
        (DIRECTORY / template.file_name).write_text(text(template), "utf-8")


if __name__ == "__main__":
    main()
