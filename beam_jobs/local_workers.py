"""Worker processes of the local runner; they end with the job, however it ends.

Beam's own would go on with what they have in hand, and write files among those of the next run.
"""

import logging
import os
import sys
import threading
import time

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner
from apache_beam.runners.worker import sdk_worker_main
from apache_beam.transforms.environments import SubprocessSDKEnvironment

LOCAL_RUNNER = "FnApiRunner"
"""Beam's DirectRunner tries to download another runner before it falls back to this one."""

_LOOK_INTERVAL_SECONDS = 0.2

_TOLD_BY_THE_JOB = (
    "apache_beam.runners.worker",
    "apache_beam.runners.common",
    "apache_beam.io.filebasedsink",
)
"""Loggers of errors that the runner hands on to the job."""


def own_runner(name: str, options: PipelineOptions) -> PipelineRunner | str:
    """The local runner with these workers where options ask for processes, else the name of one."""
    direct = options.view_as(DirectOptions)
    if name != LOCAL_RUNNER or direct.direct_running_mode != "multi_processing":
        return name
    direct.direct_running_mode = None  # else the runner would start Beam's own
    # Ctrl-C goes to all processes, and the job answers it: a worker ignores it from its first
    # instruction on. exec: with a shell between them, it doesn't see that the job has ended.
    command = f"trap '' INT; exec {sys.executable} -m {__name__} {os.getpid()}"
    return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command))


def main(job: int) -> None:
    """Works until the job has no more work, or is gone.

    Args:
        job: its process.
    """
    threading.Thread(target=_end_with, args=(job,), daemon=True).start()
    for name in _TOLD_BY_THE_JOB:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Beam's worker prints each error there as well, and that the job no longer answers.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    sdk_worker_main.main(sys.argv)


def _end_with(job: int) -> None:
    while os.getppid() == job:
        time.sleep(_LOOK_INTERVAL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
