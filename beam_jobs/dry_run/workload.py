"""How much work a run over files is, and what it costs."""

from argparse import Namespace
from typing import NamedTuple

from beam_jobs.dataflow.accelerators import Accelerator
from beam_jobs.dry_run.estimates import estimated
from beam_jobs.dry_run.rate import TIMED_REVIEWS, Rate, rate_of, token_lengths
from beam_jobs.dry_run.sampling import part_of, sample_files, sizes_by_kind
from beam_jobs.job import Job
from beam_jobs.sources import match_files


class Charge(NamedTuple):
    """What the computing costs.

    Attributes:
        worker_hours: time that one worker would take; None where the rate isn't known.
        cost: in the currency of the prices; None where anything is missing.
        missing: what is, in a phrase; empty where nothing is.
    """

    worker_hours: float | None
    cost: float | None
    missing: str


class Workload(NamedTuple):
    """How much there is to do.

    Attributes:
        reviews: to be scored, about.
        tokens: that the model computes for them, without padding, about.
        files_read: number of files that these numbers come from.
        bytes_read: how much of them was read, as it is stored.
        reviews_tokenized: number of reviews that the number of tokens comes from.
        rate: of a worker.
        charge: for all of it.
    """

    reviews: int
    tokens: int
    files_read: int
    bytes_read: int
    reviews_tokenized: int
    rate: Rate
    charge: Charge


def workload_of(job: Job, options: Namespace, accelerator: Accelerator) -> Workload:
    """Reads a sample of the input of a run and works out the rest.

    Args:
        job: the run.
        options: its options, those of the dry run among them.
        accelerator: of a worker that computes.
    """
    files = {path: file.size_in_bytes for path, file in match_files(job.patterns).items()}
    sizes = sizes_by_kind(files, job.input_format)
    samples = list(sample_files(files, job.fields, job.input_format))
    parts = [part_of(sample, lambda some: token_lengths(some, job.model)) for sample in samples]
    reviews, tokens = estimated(parts, sizes)
    share = TIMED_REVIEWS // max(len(samples), 1) + 1
    timed = [review for sample in samples for review in sample.chosen[:share]]
    rate = rate_of(job.model, timed, options.tokens_per_second, accelerator)
    return Workload(
        reviews=round(reviews),
        tokens=round(tokens),
        files_read=len(parts),
        bytes_read=round(sum(part.bytes for part in parts)),
        reviews_tokenized=sum(len(sample.chosen) for sample in samples),
        rate=rate,
        charge=charge_for(tokens, rate, options, accelerator),
    )


def charge_for(tokens: float, rate: Rate, options: Namespace, accelerator: Accelerator) -> Charge:
    """What computing costs, as far as rate and prices are known.

    Args:
        tokens: what there is to compute.
        rate: of a worker.
        options: with `worker_price` and `accelerator_price`, either of them None if unknown.
        accelerator: of a worker.
    """
    if rate.tokens_per_second is None:
        return Charge(None, None, "--tokens_per_second")
    hours = tokens / rate.tokens_per_second / 3_600
    if options.worker_price is None:
        return Charge(hours, None, "--worker_price")
    if accelerator.count and options.accelerator_price is None:
        return Charge(hours, None, "--accelerator_price")
    accelerators = accelerator.count * (options.accelerator_price or 0.0)
    return Charge(hours, hours * (options.worker_price + accelerators), "")
