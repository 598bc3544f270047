"""Where a run runs: an empty pipeline on its runner, and a full one run to its end."""

import logging
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)
from apache_beam.runners.runner import PipelineState
from google.api_core.exceptions import GoogleAPICallError

from beam_jobs.command_line import pipeline_options
from beam_jobs.dataflow.launch import check_no_active_job, is_dataflow, settle_launch
from beam_jobs.job import Model
from beam_jobs.local_workers import LOCAL_RUNNER, own_runner
from beam_jobs.logs import JOB_LOGGER
from beam_jobs.model_check import check_model
from beam_jobs.progress import progress
from beam_jobs.stopping import stopping_at_once
from schemas.errors import UserError

LOCAL_STREAMING_RUNNER = "BundleBasedDirectRunner"
"""Beam's DirectRunner tries to download another runner before it falls back to this one."""

_CONSOLE = "https://console.cloud.google.com/dataflow/jobs"

_LOGGER = logging.getLogger(JOB_LOGGER)


def empty_pipeline(arguments: Sequence[str], options: Namespace, streaming: bool) -> beam.Pipeline:
    """A pipeline with Beam's options as the command line has them, on the runner that it names.

    Args:
        arguments: the command line.
        options: our part of it, checked.
        streaming: whether it is to score messages.

    Raises:
        UserError: there is no such runner, or it lacks an option.
    """
    beam_options = pipeline_options(arguments)
    standard = beam_options.view_as(StandardOptions)
    if standard.runner in (None, "", "DirectRunner"):
        standard.runner = LOCAL_STREAMING_RUNNER if streaming else LOCAL_RUNNER
    if streaming and standard.runner == LOCAL_RUNNER:
        raise UserError(f"--runner {LOCAL_RUNNER} reads files only: leave it out")
    standard.streaming = streaming
    settle_launch(beam_options, options)
    return _on_runner(standard.runner, beam_options)


def on_dataflow(pipeline: beam.Pipeline) -> bool:
    """Whether a pipeline is to run on Dataflow."""
    return is_dataflow(type(pipeline.runner).__name__)


def _on_runner(name: str, beam_options: PipelineOptions) -> beam.Pipeline:
    try:
        return beam.Pipeline(own_runner(name, beam_options), beam_options)
    except (ValueError, ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--runner {name} can't be used so: {reason}") from error


def check_launch(pipeline: beam.Pipeline, model: Model) -> None:
    """Checks what would fail a job late, score wrongly, or harm another job.

    Args:
        pipeline: on its runner.
        model: what the job is to score with.

    Raises:
        UserError: the model fails its trial, or a job of that name is at work on Dataflow.
    """
    standard = pipeline.options.view_as(StandardOptions)
    cloud = pipeline.options.view_as(GoogleCloudOptions)
    if on_dataflow(pipeline) and not (cloud.template_location or standard.streaming):
        check_no_active_job(pipeline.options)
    check_model(model)


def run_to_end(pipeline: beam.Pipeline, quiet: bool) -> bool:
    """Runs a pipeline.

    Args:
        pipeline: all of it.
        quiet: whether to report no progress.

    Returns:
        Whether it has run to its end. On Dataflow it may not have: with `--template_location`
        nothing is submitted, with `--no_wait_until_finish` nobody waits.
    """
    with nullcontext() if quiet else progress():
        if on_dataflow(pipeline):
            return _follow(_submitted(pipeline), pipeline.options)
        pipeline.run().wait_until_finish()
        return True


def _submitted(pipeline: beam.Pipeline) -> Any:
    from apache_beam.runners.dataflow.internal.apiclient import DataflowJobAlreadyExistsError

    try:
        return pipeline.run()
    except (GoogleAPICallError, DataflowJobAlreadyExistsError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"the job can't be submitted: {reason}") from error


def _follow(result: Any, beam_options: PipelineOptions) -> bool:
    cloud = beam_options.view_as(GoogleCloudOptions)
    if not result.has_job:
        _LOGGER.info("template written to %s; nothing is submitted", cloud.template_location)
        return False
    job_id = result.job_id()
    _LOGGER.info("job %s runs in %s, project %s", job_id, cloud.region, cloud.project)
    if beam_options.view_as(StandardOptions).no_wait_until_finish:
        return False
    with stopping_at_once(f"stopped waiting; job {job_id} goes on"):
        _wait(result, f"{_CONSOLE}/{cloud.region}/{job_id}?project={cloud.project}")
    return True


def _wait(result: Any, page: str) -> None:
    """Waits for a job on Dataflow; one that was drained or updated has ended as it should."""
    from apache_beam.runners.dataflow.dataflow_runner import DataflowRuntimeException

    try:
        result.wait_until_finish()
    except DataflowRuntimeException:
        if result.state not in (PipelineState.DRAINED, PipelineState.UPDATED):
            _LOGGER.error("what became of the job: %s", page)
            raise
