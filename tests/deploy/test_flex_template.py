import argparse
import re
from typing import Any

import pytest
from google.cloud.dataflow_v1beta3 import TemplateMetadata

from beam_jobs.command_line import parse
from beam_jobs.dataflow.flex_template import (
    BATCH,
    DIRECTORY,
    LEFT_OUT,
    STREAMING,
    Template,
    metadata,
    options,
    text,
)
from beam_jobs.dataflow.template_launcher import command_line
from schemas.errors import UserError

TEMPLATES = pytest.mark.parametrize("template", [BATCH, STREAMING], ids=["batch", "streaming"])

REQUIRED = {
    BATCH: ["--input=gs://bucket/a", "--output=gs://bucket/b"],
    STREAMING: [
        "--input_subscription=projects/project/subscriptions/reviews",
        "--output=gs://bucket/b",
    ],
}

VALUES = {
    "TEXT": "name",
    "NUMBER": "1",
    "BOOLEAN": "true",
    "GCS_WRITE_FOLDER": "gs://bucket/folder",
    "PUBSUB_SUBSCRIPTION": "projects/project/subscriptions/reviews",
    "PUBSUB_TOPIC": "projects/project/topics/scores",
    "BIGQUERY_TABLE": "project:dataset.table",
}

SPECIAL_VALUES = {
    "accelerator": "nvidia-l4:1",
    "allowed_lateness": "2d",
    "date": "yesterday",
    "deduplicate": "10m",
    "files_per_window": "2",
    "input": "gs://bucket/{date}/a,gs://bucket/{date}/b",
    "model_sha256": "0123456789abcdef" * 4,
    "watch_interval": "30s",
    "watch_model": "gs://bucket/models/*",
    "window": "7m",
}

GOES_WITH = {
    "accelerator_scope": ["--accelerator=nvidia-l4"],
    "date": ["--input=gs://bucket/{date}"],
    "example_feature": ["--engine=tfx_bsl"],
    "input": ["--date=today"],
    "positive_output": ["--engine=tfx_bsl"],
    "signature": ["--engine=tfx_bsl"],
}


def parameters(template: Template) -> list[dict[str, Any]]:
    return list(metadata(template)["parameters"])


def value(parameter: dict[str, Any]) -> str:
    if "enumOptions" in parameter:
        return str(parameter["enumOptions"][-1]["value"])
    return SPECIAL_VALUES.get(parameter["name"], VALUES[parameter["paramType"]])


def launched(template: Template, parameter: dict[str, Any], given: str) -> argparse.Namespace:
    name = parameter["name"]
    others = [one for one in REQUIRED[template] if not one.startswith(f"--{name}=")]
    arguments = [*others, *GOES_WITH.get(name, []), f"--{name}={given}"]
    return parse(command_line(arguments))


@TEMPLATES
def test_the_metadata_file_is_that_of_the_options(template: Template) -> None:
    file = (DIRECTORY / template.file_name).read_text("utf-8")

    assert file == text(template), "run: python -m beam_jobs.dataflow.flex_template"


@TEMPLATES
def test_dataflow_knows_every_field_of_the_metadata(template: Template) -> None:
    read = TemplateMetadata.from_json(text(template), ignore_unknown_fields=False)

    assert [one.name for one in read.parameters] == [one["name"] for one in parameters(template)]
    assert {one.name for one in read.parameters if not one.is_optional} == template.required
    assert read.streaming == template.streaming


def test_every_option_is_a_parameter_or_left_out_for_a_reason() -> None:
    in_templates = {one["name"] for template in (BATCH, STREAMING) for one in parameters(template)}
    names = {action.dest for action in options().actions.values()}

    assert in_templates == names - LEFT_OUT.keys()


@TEMPLATES
def test_every_parameter_can_be_given_and_has_its_effect(template: Template) -> None:
    unset = parse(command_line(REQUIRED[template]))
    for parameter in parameters(template):
        given = value(parameter)
        for regex in parameter.get("regexes", ()):
            assert re.fullmatch(regex, given), parameter["name"]
        result = launched(template, parameter, given)

        changed = getattr(result, parameter["name"]) != getattr(unset, parameter["name"])
        same_as_given = f"--{parameter['name']}={given}" in REQUIRED[template]
        assert changed or same_as_given, parameter["name"]


def refusal(template: Template, parameter: dict[str, Any], given: str) -> str:
    try:
        launched(template, parameter, given)
    except UserError as error:
        return str(error)
    return ""


@TEMPLATES
def test_a_parameter_shows_the_choices_that_its_option_has(template: Template) -> None:
    for parameter in parameters(template):
        choices = [option["value"] for option in parameter.get("enumOptions", ())]
        has_choices = "choose one of" in refusal(template, parameter, "no-such-choice")

        assert bool(choices) == has_choices or "regexes" in parameter, parameter["name"]
        assert [refusal(template, parameter, choice) for choice in choices] == [""] * len(choices)
