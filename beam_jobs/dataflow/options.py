"""The options of a run on Google Cloud, in a group like those of `beam_jobs.options`."""

import argparse

from beam_jobs.dataflow.accelerator_types import ACCELERATOR_TYPES
from beam_jobs.dataflow.accelerators import accelerator_of
from beam_jobs.options import check_choice
from schemas.errors import UserError

ACCELERATOR_SCOPES = ("inference", "job")


class AcceleratorOptions:
    """Which GPUs a run on Dataflow has, and which of its steps have them."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("Google Cloud")
        names = ", ".join(kind.short_name for kind in ACCELERATOR_TYPES.values())
        group.add_argument(
            "--accelerator",
            default="",
            metavar="TYPE[:COUNT]",
            help=f"with --runner DataflowRunner: GPUs of a worker, {names} or Dataflow's own names "
            "such as nvidia-l4; default: none",
        )
        group.add_argument(
            "--accelerator_scope",
            default="inference",
            metavar="SCOPE",
            help="who has them: inference, which gets workers of its own, or job, all workers "
            "(default: %(default)s)",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        check_choice("--accelerator_scope", values.accelerator_scope, ACCELERATOR_SCOPES)
        accelerator_of(values)
        if values.accelerator_scope == "job" and not values.accelerator:
            raise UserError("--accelerator_scope job goes with --accelerator: add it")
