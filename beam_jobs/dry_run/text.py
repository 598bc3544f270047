"""A dry run in words and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from beam_jobs.dataflow.accelerators import Accelerator
from beam_jobs.dry_run.description import DryRun
from beam_jobs.dry_run.launch import Step
from beam_jobs.dry_run.workload import Workload


def text(dry_run: DryRun) -> str:
    """A dry run as lines for people: what it is about, then one fact a line."""
    sections = {
        "launch": settings_lines({**dry_run.launch, "packages": list(dry_run.packages)}),
        "steps": step_lines(dry_run.steps),
        "input": settings_lines(readable_inputs(dry_run.inputs)),
        "model": settings_lines(dry_run.model),
        "output": settings_lines(dry_run.outputs),
        "work": list(work_lines(dry_run.workload, dry_run.accelerator, dry_run.workers)),
    }
    lines = [line for name, facts in sections.items() for line in (name, *indented(facts))]
    return "\n".join(["nothing was run: this is what would be", *lines])


def indented(lines: Sequence[str]) -> list[str]:
    """Lines that belong to the one before them."""
    return [f"  {line}" for line in lines]


def settings_lines(settings: Mapping[str, Any]) -> list[str]:
    """A name and its value a line; values that say nothing are left out."""
    shown = {name: value for name, value in settings.items() if value not in (None, "", [], {})}
    width = max(map(len, shown), default=0)
    return [f"{name:<{width}}  {readable(value)}" for name, value in shown.items()]


def readable(value: Any) -> str:
    """A value as people write it: whole numbers grouped, lists separated by blanks."""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    if isinstance(value, Mapping):
        return " ".join(f"{name}={item}" for name, item in value.items())
    return f"{value:,}" if type(value) is int else str(value)


def readable_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that people want to know of."""
    return {name: value for name, value in inputs.items() if name != "listing"}


def step_lines(steps: Sequence[Step]) -> list[str]:
    """A step a line, with its hints."""
    lines = []
    for step in steps:
        hints = ", ".join(f"{name} {value}" for name, value in step.hints.items())
        lines.append(f"{step.label}  [{hints}]" if hints else step.label)
    return lines


def work_lines(
    workload: Workload | None, accelerator: Accelerator, workers: int | None
) -> Iterator[str]:
    """How much there is to do, how long it takes, what it costs.

    Args:
        workload: None for messages.
        accelerator: of a worker that computes.
        workers: that compute at once; None where the runner chooses.
    """
    if workload is None:
        yield "messages have yet to come: how many is not known"
        return
    yield f"reviews  about {workload.reviews:,}"
    yield f"tokens   about {workload.tokens:,} after truncation, without padding"
    files = "file" if workload.files_read == 1 else "files"
    yield (
        f"from     {workload.bytes_read:,} bytes read of {workload.files_read:,} {files}, "
        f"{workload.reviews_tokenized:,} reviews tokenized"
    )
    rate, charge = workload.rate, workload.charge
    if rate.tokens_per_second is None or charge.worker_hours is None:
        yield f"speed    not known: {rate.source}; give it with --tokens_per_second"
        yield "cost     not known"
        return
    yield f"speed    {rate.tokens_per_second:,.0f} tokens/s for a worker, {rate.source}"
    yield f"time     {time_needed(charge.worker_hours, workers)}"
    if charge.cost is None:
        yield f"cost     not known: give {charge.missing}"
        return
    each = f" with {accelerator.count} x {accelerator.type}" if accelerator.count else ""
    yield f"cost     {amount(charge.cost)} for the workers that compute{each}"


def time_needed(worker_hours: float, workers: int | None) -> str:
    """Hours of one worker, and of all of them together; their start not counted."""
    alone = f"{amount(worker_hours)} hours of a worker, without its start"
    if workers is None or workers == 1:
        return alone
    return f"{alone}: {amount(worker_hours / workers)} hours with {workers:,} workers"


def amount(value: float) -> str:
    """Hours or money: to the hundredth, small ones with two digits that say something."""
    return f"{value:,.2f}" if value >= 1 else f"{value:.2g}"


def json_text(dry_run: DryRun) -> str:
    """A dry run as one JSON object, for programs."""
    content = asdict(dry_run) | {"steps": [step._asdict() for step in dry_run.steps]}
    work = dry_run.workload
    if work is not None:
        content["workload"] = work._asdict() | {
            "rate": work.rate._asdict(),
            "charge": work.charge._asdict(),
        }
    return json.dumps(content, ensure_ascii=False)
