"""A launch on Dataflow: what it needs is checked, and what goes together is set together."""

import hashlib
from argparse import Namespace
from pathlib import Path

from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.dataflow_v1beta3 import ListJobsRequest

from beam_jobs.dataflow.accelerator_settings import settle_accelerator
from beam_jobs.dataflow.accelerators import NO_ACCELERATOR, accelerator_of
from beam_jobs.dataflow.launch_checks import (
    check_account,
    check_locations,
    check_paths,
    check_project,
    check_secrets,
    check_template,
)
from schemas.errors import UserError

NO_FREEZE = "disable_logging_submission_environment"
"""Beam stages what `pip freeze` prints otherwise. Of a checkout installed with -e that is the URL
of its remote repository, with the password that may be in it."""

_OLD_RUNNERS = ("disable_runner_v2", "disable_portable_runner", "disable_prime_runner_v2")


def settle_launch(beam_options: PipelineOptions, options: Namespace) -> None:
    """Checks the options of a launch and sets those that belong together.

    Call it before the pipeline is made: Beam's own checks create a bucket where
    `--temp_location` is missing. On other runners it only makes sure that no GPU is asked for.

    Args:
        beam_options: the whole command line, streaming or not already settled; changed in place.
        options: our part of it, checked.

    Raises:
        UserError: something is missing, contradicts something else, or can't be reached.
    """
    if not is_dataflow(beam_options.view_as(StandardOptions).runner):
        if accelerator_of(options) != NO_ACCELERATOR:
            raise UserError("--accelerator goes with --runner DataflowRunner only: leave it out")
        return
    cloud = beam_options.view_as(GoogleCloudOptions)
    check_project(cloud)
    check_template(cloud)
    check_paths(options)
    _settle_name(beam_options, options)
    _settle_package(beam_options)
    check_secrets(beam_options)
    check_account(cloud)
    _settle_experiments(beam_options)
    settle_accelerator(beam_options, options)
    check_locations(beam_options)


def is_dataflow(runner: str | None) -> bool:
    """Whether a runner is Dataflow's, by the name that `--runner` gives it."""
    return "dataflow" in (runner or "").lower()


def check_no_active_job(beam_options: PipelineOptions) -> None:
    """Makes sure that no job of the same name is at work, whose output would be cleared away.

    Raises:
        UserError: there is one, or Dataflow can't be asked.
    """
    from apache_beam.runners.dataflow.internal.apiclient import DataflowApplicationClient

    cloud = beam_options.view_as(GoogleCloudOptions)
    request = ListJobsRequest(
        project_id=cloud.project, location=cloud.region, filter=ListJobsRequest.Filter.ACTIVE
    )
    try:
        jobs = DataflowApplicationClient(beam_options)._jobs_client.list_jobs(request=request)
        active = [job.id for job in jobs if job.name == cloud.job_name]
    except GoogleAPICallError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"Dataflow can't be asked for its jobs: {reason}") from error
    if active:
        raise UserError(
            f"job {cloud.job_name} ({active[0]}) is still at work: wait for it, or cancel it"
        )


def _settle_name(beam_options: PipelineOptions, options: Namespace) -> None:
    """Names a job over files after its output, unless the user has named it.

    Dataflow has no two active jobs of one name, so no two that write to the same place.
    """
    cloud = beam_options.view_as(GoogleCloudOptions)
    if not cloud.job_name and not beam_options.view_as(StandardOptions).streaming:
        place = options.output.rstrip("/").encode("utf-8", "surrogateescape")
        cloud.job_name = f"score-reviews-{hashlib.sha256(place).hexdigest()[:12]}"


def _settle_package(beam_options: PipelineOptions) -> None:
    """Makes sure that workers get this package.

    Beam changes to the folder of `--setup_file`, which it fails to do if the path has none.
    """
    setup = beam_options.view_as(SetupOptions)
    image = beam_options.view_as(WorkerOptions).sdk_container_image
    if not (image or setup.setup_file or setup.extra_packages or setup.requirements_file):
        raise UserError(
            "workers would lack this package: add --sdk_container_image IMAGE with it inside, or "
            "--setup_file setup.py, or --extra_package FILE"
        )
    if setup.setup_file:
        if Path(setup.setup_file).name not in ("setup.py", "pyproject.toml"):
            raise UserError(f"--setup_file {setup.setup_file}: it must be a setup.py")
        setup.setup_file = str(Path(setup.setup_file).absolute())
    named = {"--setup_file": [setup.setup_file] if setup.setup_file else []}
    named["--requirements_file"] = [setup.requirements_file] if setup.requirements_file else []
    named["--extra_package"] = setup.extra_packages or []
    for flag, paths in named.items():
        for path in paths:
            if "://" not in path and not Path(path).is_file():
                raise UserError(f"{flag} {path}: there is no such file")


def _settle_experiments(beam_options: PipelineOptions) -> None:
    debug = beam_options.view_as(DebugOptions)
    for experiment in debug.experiments or ():
        if experiment.startswith(_OLD_RUNNERS):
            raise UserError(f"--experiments {experiment}: Beam needs Runner v2; leave it out")
    debug.add_experiment(NO_FREEZE)
    cloud = beam_options.view_as(GoogleCloudOptions)
    if cloud.flexrs_goal and beam_options.view_as(StandardOptions).streaming:
        raise UserError("--flexrs_goal is for files only: leave it out")
