"""The options of a dry run, in a group like those of `beam_jobs.options`."""

import argparse
import math

from schemas.errors import UserError


class DryRunOptions:
    """Whether to say only what would run, and what is known of its cost."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("dry run")
        group.add_argument(
            "--dry_run",
            action="store_true",
            help="print what would run and what it would cost, from a sample of the input; nothing "
            "is written or submitted",
        )
        group.add_argument(
            "--worker_price",
            type=float,
            default=None,
            metavar="PRICE",
            help="with --dry_run: price of a worker for an hour without its accelerators, in any "
            "currency",
        )
        group.add_argument(
            "--accelerator_price",
            type=float,
            default=None,
            metavar="PRICE",
            help="with --dry_run: price of one accelerator for an hour, in the same currency",
        )
        group.add_argument(
            "--tokens_per_second",
            type=float,
            default=None,
            metavar="TOKENS",
            help="with --dry_run: what one worker computes, as benchmarks/gpu.py measures it; "
            "default: without an accelerator, what this machine computes",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        for name in ("worker_price", "accelerator_price", "tokens_per_second"):
            value = getattr(values, name)
            if value is not None and not values.dry_run:
                raise UserError(f"--{name} goes with --dry_run only: leave it out")
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UserError(f"--{name} {value:g} can't be: give a number above 0")
