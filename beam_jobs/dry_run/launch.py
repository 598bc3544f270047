"""What a pipeline and its options say of a launch, in an order to be read."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import (
    PipelineOptions,
    SetupOptions,
    WorkerOptions,
)
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor

from beam_jobs.dataflow.launch import is_dataflow

SHOWN_OPTIONS = (
    *("project", "region", "job_name", "update", "temp_location", "staging_location"),
    *("template_location", "service_account_email", "network", "subnetwork", "use_public_ips"),
    *("dataflow_kms_key", "labels", "sdk_container_image", "environment_type", "machine_type"),
    *("num_workers", "max_num_workers", "autoscaling_algorithm", "disk_size_gb"),
    *("number_of_worker_harness_threads", "direct_num_workers", "direct_running_mode"),
    *("dataflow_service_options", "experiments"),
)
"""Options of Beam that say what is launched where. Others aren't shown: some are secrets."""


class Step(NamedTuple):
    """A step of the job.

    Attributes:
        label: as the runner shows it.
        hints: what it needs of its workers, by Beam's short name.
    """

    label: str
    hints: Mapping[str, str]


def steps_of(pipeline: beam.Pipeline) -> list[Step]:
    """The steps that `pipeline.py` names, inference, and what else needs workers of its own."""
    visitor = _Steps()
    pipeline.visit(visitor)
    return visitor.steps


class _Steps(PipelineVisitor):
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def enter_composite_transform(self, transform_node: AppliedPTransform) -> None:
        self.visit_transform(transform_node)

    def visit_transform(self, transform_node: AppliedPTransform) -> None:
        parent = transform_node.parent
        if parent is None:
            return
        special = transform_node.resource_hints != parent.resource_hints
        if not parent.full_label or special or isinstance(transform_node.transform, RunInference):
            hints = readable_hints(transform_node.resource_hints)
            self.steps.append(Step(transform_node.full_label, hints))


def readable_hints(hints: Mapping[str, bytes]) -> dict[str, str]:
    """Resource hints, of which Beam has URNs like `beam:resources:accelerator:v1`."""
    return {urn.split(":")[-2]: value.decode() for urn, value in sorted(hints.items())}


def launch_settings(runner: str, options: PipelineOptions) -> dict[str, Any]:
    """The runner and the options of Beam that differ from nothing."""
    values = options.get_all_options()
    shown = {name: values[name] for name in SHOWN_OPTIONS if values.get(name)}
    if values.get("use_public_ips") is False:
        shown["use_public_ips"] = False
    return {"runner": runner, **shown}


def staged_packages(options: PipelineOptions) -> list[str]:
    """What workers are sent beside the pipeline itself."""
    setup = options.view_as(SetupOptions)
    single = (setup.setup_file, setup.requirements_file, setup.sdk_location)
    return [
        path for path in (*single, *(setup.extra_packages or ())) if path not in (None, "default")
    ]


def most_workers(runner: str, options: PipelineOptions) -> int | None:
    """How many workers compute at once; None where the runner chooses."""
    if is_dataflow(runner):
        workers = options.view_as(WorkerOptions)
        return workers.max_num_workers or workers.num_workers
    return 1 if "Fn" in runner or "Direct" in runner else None
