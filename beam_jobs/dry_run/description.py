"""What would run, and what it would cost, told before anything does."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.dataflow.accelerators import Accelerator, accelerator_of
from beam_jobs.dry_run.launch import Step, launch_settings, most_workers, staged_packages, steps_of
from beam_jobs.dry_run.workload import Workload, workload_of
from beam_jobs.job import Job, Model
from beam_jobs.manifest import FILE_NAME
from beam_jobs.model_files import model_at_hand
from beam_jobs.streaming_job import StreamingJob
from model.card import read_card


@dataclass(frozen=True)
class DryRun:
    """What a run is, without its running.

    Attributes:
        launch: the runner and what it is told.
        packages: what workers are sent beside the pipeline.
        steps: of the pipeline, with their hints.
        inputs: what is read.
        model: what scores it.
        outputs: what is written, by what it is.
        accelerator: of a worker that computes.
        workers: that compute at once; None where the runner chooses.
        workload: how much there is to do; None for messages, which have yet to come.
    """

    launch: Mapping[str, Any]
    packages: Sequence[str]
    steps: Sequence[Step]
    inputs: Mapping[str, Any]
    model: Mapping[str, Any]
    outputs: Mapping[str, str]
    accelerator: Accelerator
    workers: int | None
    workload: Workload | None


def describe(
    job: Job | StreamingJob,
    pipeline: beam.Pipeline,
    beam_options: PipelineOptions,
    options: Namespace,
) -> DryRun:
    """Looks a run over and reads a sample of its input.

    Args:
        job: the run, prepared.
        pipeline: all of it, not run.
        beam_options: what it is launched with.
        options: our part of the command line, checked.

    Raises:
        UserError, OSError: the input or the model can't be read.
    """
    runner = type(pipeline.runner).__name__
    accelerator = accelerator_of(options)
    return DryRun(
        launch=launch_settings(runner, beam_options),
        packages=staged_packages(beam_options),
        steps=steps_of(pipeline),
        inputs=job.facts.inputs if isinstance(job, Job) else {"messages_of": job.source.path},
        model=model_facts(job.model, options.precision),
        outputs=file_outputs(job) if isinstance(job, Job) else stream_outputs(job),
        accelerator=accelerator,
        workers=most_workers(runner, beam_options),
        workload=workload_of(job, options, accelerator) if isinstance(job, Job) else None,
    )


def model_facts(model: Model, precision: str) -> dict[str, Any]:
    """Which model, and how large where its card says so."""
    facts = {
        "identity": model.identity,
        "sha256": model.sha256,
        "threshold": model.threshold,
        "directory": model.directory,
        "precision": precision,
    }
    if model.watch:
        facts["watch"] = model.watch
    if model.tfx_signature is not None:
        return {**facts, "engine": "tfx_bsl", "signature": model.tfx_signature.name}
    with model_at_hand(model.directory) as path:
        card = read_card(path)
    return {**facts, "parameters": card.raw.get("parameters"), "max_length": card.max_length}


def file_outputs(job: Job) -> dict[str, str]:
    """Where a run over files writes."""
    return {
        "scores": f"{job.prefix}/scores/*.{job.output_format}",
        "rejected": f"{job.prefix}/rejected/*.{job.output_format}",
        "manifest": f"{job.prefix}/{FILE_NAME}",
    }


def stream_outputs(job: StreamingJob) -> dict[str, str]:
    """Where a run over messages writes."""
    outputs = job.outputs
    named = {
        "topic": outputs.topic,
        "table": outputs.table,
        "rejected topic": outputs.rejected_topic,
        "files": outputs.files.prefix and f"{outputs.files.prefix}/*/*.{outputs.files.format}",
    }
    return {what: where for what, where in named.items() if where}
