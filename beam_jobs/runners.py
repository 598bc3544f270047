"""The runner of a run: Beam's options settled, and an empty pipeline on it."""

from argparse import Namespace
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from beam_jobs.command_line import pipeline_options
from schemas.errors import UserError

LOCAL_RUNNER, LOCAL_STREAMING_RUNNER = "FnApiRunner", "BundleBasedDirectRunner"
"""Beam's DirectRunner tries to download another runner before it falls back to these."""


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
    return _on_runner(standard.runner, beam_options)


def on_dataflow(pipeline: beam.Pipeline) -> bool:
    """Whether a pipeline is to run on Dataflow."""
    return "Dataflow" in type(pipeline.runner).__name__


def _on_runner(name: str, beam_options: PipelineOptions) -> beam.Pipeline:
    try:
        return beam.Pipeline(options=beam_options)
    except (ValueError, ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--runner {name} can't be used so: {reason}") from error
