"""What a launch on Dataflow must have, and what it can't have."""

import os
from argparse import Namespace
from collections.abc import Iterator

from apache_beam.io.gcp.gcsio import GcsIO, parse_gcs_path
from apache_beam.options.pipeline_options import (
    AzureOptions,
    GoogleCloudOptions,
    PipelineOptions,
    S3Options,
)

from beam_jobs.storage_errors import check_url, storage_explained
from schemas.errors import UserError

IMAGE_MODEL = "/opt/model"
"""Where deploy/Dockerfile puts the model that it bakes in; the launcher's image has it too."""

LAUNCHER = "Storage Legacy Bucket Reader (roles/storage.legacyBucketReader)"
"""What staging needs beside the right to write: it looks at the bucket itself."""

FLEX_LAUNCHER = "FLEX_TEMPLATE_PYTHON_PY_FILE"
"""An environment variable of the image that launches Flex templates."""


def check_project(cloud: GoogleCloudOptions) -> None:
    """Makes sure that a launch says where to.

    Raises:
        UserError: it doesn't.
    """
    for name, example in (("project", "PROJECT"), ("region", "us-central1")):
        if not getattr(cloud, name):
            raise UserError(f"--{name} is missing: Dataflow needs it, as in --{name} {example}")


def check_template(cloud: GoogleCloudOptions) -> None:
    """Refuses classic templates.

    Such a template stands for one run, whose input was looked over, and whose output was cleared,
    when it was made. The launcher of a Flex template makes one for each launch.

    Raises:
        UserError: one is to be made.
    """
    if cloud.template_location and FLEX_LAUNCHER not in os.environ:
        raise UserError(
            "--template_location: a classic template could be launched once only; use the Flex "
            "templates in deploy/flex-template"
        )


def check_paths(options: Namespace) -> None:
    """Refuses paths of this machine: workers have others.

    Raises:
        UserError: names the option.
    """
    for flag, path in _paths(options):
        if not path.startswith("gs://"):
            raise UserError(
                f"{flag} {path}: workers of Dataflow don't see this machine's files; give gs://..."
            )
    if options.model and "://" not in options.model and options.model != IMAGE_MODEL:
        raise UserError(
            f"--model {options.model}: workers of Dataflow don't see this machine's files; copy it "
            "to gs://..., or leave --model out for the bundled one"
        )


def _paths(options: Namespace) -> Iterator[tuple[str, str]]:
    yield from (("--input", pattern) for pattern in options.input or ())
    for name in ("output", "watch_model"):
        if getattr(options, name):
            yield f"--{name}", getattr(options, name)


def check_secrets(beam_options: PipelineOptions) -> None:
    """Refuses secrets of other clouds: whoever may see a job sees all its options.

    Raises:
        UserError: names the option.
    """
    secret = {
        "s3_secret_access_key": beam_options.view_as(S3Options).s3_secret_access_key,
        "s3_session_token": beam_options.view_as(S3Options).s3_session_token,
        "azure_connection_string": beam_options.view_as(AzureOptions).azure_connection_string,
    }
    for name, value in secret.items():
        if value:
            raise UserError(f"--{name} could be read by all who may see the job: leave it out")


def check_account(cloud: GoogleCloudOptions) -> None:
    """Makes sure that Beam and Google's client, which fetches models, act for the same account.

    Raises:
        UserError: they wouldn't.
    """
    if cloud.impersonate_service_account:
        raise UserError(
            "--impersonate_service_account is Beam's alone and can't fetch the model: use `gcloud "
            "auth application-default login --impersonate-service-account=...` instead"
        )


def check_locations(beam_options: PipelineOptions) -> None:
    """Makes sure that there is a bucket for what is staged.

    Staging asks for it in the same way, so this needs no permission that staging doesn't.

    Raises:
        UserError: there is none, or it can't be reached.
    """
    cloud = beam_options.view_as(GoogleCloudOptions)
    if not cloud.temp_location:
        raise UserError("--temp_location is missing: name a folder, as in gs://BUCKET/temp")
    for name in ("temp_location", "staging_location"):
        location = getattr(cloud, name)
        if location and not location.startswith("gs://"):
            raise UserError(f"--{name} {location} must be in a bucket: give gs://BUCKET/FOLDER")
        if location:
            _check_bucket(f"--{name}", location, beam_options)


def _check_bucket(flag: str, location: str, beam_options: PipelineOptions) -> None:
    check_url(flag, location, "gs://BUCKET/FOLDER")
    name, _ = parse_gcs_path(f"{location.rstrip('/')}/", object_optional=True)
    with storage_explained(flag, location, LAUNCHER):
        bucket = GcsIO(pipeline_options=beam_options).get_bucket(name)
    if bucket is None:
        raise UserError(
            f"{flag} {location}: there is no bucket {name}; create it, or check the name"
        )
