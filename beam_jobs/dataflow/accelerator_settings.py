"""The Dataflow options that go with GPUs: set together, or refused with the reason."""

from argparse import Namespace

from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
    WorkerOptions,
)

from beam_jobs.dataflow.accelerators import (
    NO_ACCELERATOR,
    Accelerator,
    accelerator_of,
    fits,
    has_accelerator,
    machine_for,
    service_option,
    vcpus_of,
)
from schemas.errors import UserError

ONE_PROCESS = "no_use_multiple_sdk_containers"
"""One Python process on a worker. Dataflow starts one for each vCPU otherwise, and each would load
the model into the same GPU. https://docs.cloud.google.com/dataflow/docs/gpu/gpu-support"""

MOST_THREADS = 12
"""Dataflow's own number for a Python process of a streaming job.
https://docs.cloud.google.com/dataflow/docs/guides/troubleshoot-oom"""

DISK_GB = 50
"""The image with CUDA is kept on disk packed and unpacked. Dataflow's default is 25 to 30 GB."""


def settle_accelerator(beam_options: PipelineOptions, options: Namespace) -> None:
    """Sets what goes with `--accelerator` where the user has left it out.

    Args:
        beam_options: the whole command line; changed in place.
        options: our part of it, checked.

    Raises:
        UserError: the user has asked for something that doesn't go with it.
    """
    accelerator = accelerator_of(options)
    if accelerator == NO_ACCELERATOR:
        return
    _check_service(beam_options)
    _check_hints(beam_options)
    if options.accelerator_scope == "inference":
        _settle_right_fitting(beam_options)
        machine_type = machine_for(accelerator).type
    else:
        machine_type = _settle_whole_job(beam_options, accelerator)
    _settle_workers(beam_options, vcpus_of(machine_type, accelerator))


def _check_service(beam_options: PipelineOptions) -> None:
    """Refuses what doesn't go with GPUs in either scope."""
    if not beam_options.view_as(WorkerOptions).sdk_container_image:
        raise UserError(
            "--accelerator needs --sdk_container_image IMAGE: Beam's own image has no CUDA "
            "libraries (deploy/Dockerfile builds one with them)"
        )
    service = beam_options.view_as(GoogleCloudOptions).dataflow_service_options or []
    experiments = beam_options.view_as(DebugOptions).experiments or []
    for option in (*service, *experiments):
        if option.startswith("worker_accelerator"):
            raise UserError(f"{option}: --accelerator says it already; leave one of them out")
        if option == "enable_prime":
            raise UserError(
                "enable_prime doesn't go with --accelerator: Dataflow Prime takes no machine type"
            )


def _check_hints(beam_options: PipelineOptions) -> None:
    """Refuses hints for all steps: the one on inference says what it needs."""
    for hint in beam_options.view_as(StandardOptions).resource_hints:
        raise UserError(
            f"--resource_hints {hint} is for all steps and doesn't go with --accelerator: leave it "
            "out"
        )


def _settle_right_fitting(beam_options: PipelineOptions) -> None:
    """Source: https://docs.cloud.google.com/dataflow/docs/guides/right-fitting."""
    if beam_options.view_as(GoogleCloudOptions).flexrs_goal:
        raise UserError(
            "--flexrs_goal doesn't go with GPUs for inference only: leave it out, or add "
            "--accelerator_scope job"
        )
    workers = beam_options.view_as(WorkerOptions)
    streaming = beam_options.view_as(StandardOptions).streaming
    if streaming and workers.autoscaling_algorithm == "NONE":
        raise UserError(
            "--autoscaling_algorithm NONE: Dataflow gives steps of a streaming job workers of "
            "their own only if it scales them; leave it out, or add --accelerator_scope job"
        )
    if workers.machine_type and has_accelerator(workers.machine_type):
        raise UserError(
            f"--machine_type {workers.machine_type} has GPUs, but it is for the steps without: "
            "leave it out, or add --accelerator_scope job"
        )
    if streaming:
        beam_options.view_as(DebugOptions).add_experiment("enable_streaming_rightfitting")


def _settle_whole_job(beam_options: PipelineOptions, accelerator: Accelerator) -> str:
    """Gives every worker a GPU; returns their machine type."""
    workers = beam_options.view_as(WorkerOptions)
    if not workers.machine_type:
        workers.machine_type = machine_for(accelerator).type
    if not fits(workers.machine_type, accelerator):
        raise UserError(
            f"--machine_type {workers.machine_type} can't have {accelerator.count} of "
            f"{accelerator.type}: leave it out for {machine_for(accelerator).type}"
        )
    cloud = beam_options.view_as(GoogleCloudOptions)
    cloud.dataflow_service_options = [
        *(cloud.dataflow_service_options or []),
        service_option(accelerator),
    ]
    return str(workers.machine_type)


def _settle_workers(beam_options: PipelineOptions, vcpus: int) -> None:
    debug = beam_options.view_as(DebugOptions)
    if "use_multiple_sdk_containers" in (debug.experiments or ()):
        raise UserError(
            "--experiments use_multiple_sdk_containers: each process would load the model into "
            "the same GPU; leave it out"
        )
    debug.add_experiment(ONE_PROCESS)
    if not debug.number_of_worker_harness_threads:
        # The one process does what one for each vCPU would do.
        debug.number_of_worker_harness_threads = min(MOST_THREADS, vcpus)
    workers = beam_options.view_as(WorkerOptions)
    if not workers.disk_size_gb:
        workers.disk_size_gb = DISK_GB
    if workers.disk_size_gb < DISK_GB:
        raise UserError(
            f"--disk_size_gb {workers.disk_size_gb} can't hold an image with CUDA: give {DISK_GB} "
            "or more"
        )
