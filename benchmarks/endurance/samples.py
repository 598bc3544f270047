"""What a job used, as it was sampled."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.endurance.watched_job import Sample, WatchedJob


class SampleLog:
    """Samples of a job; each goes to a file at once, so that a long run can be followed.

    Attributes:
        interval_seconds: time between two samples.
        samples: all that were taken.
    """

    def __init__(self, path: Path, interval_seconds: float) -> None:
        self.interval_seconds = interval_seconds
        self.samples: list[Sample] = []
        self._path = path
        path.write_text("")

    def take_while(
        self,
        going: Callable[[], bool],
        job: WatchedJob,
        delay_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Takes samples of a job as long as something goes on and the job runs.

        Args:
            going: whether it still goes on.
            job: what is looked at.
            delay_seconds: as for `Sample`.
        """
        while job.is_running() and going():
            self._enter([one._replace(delay_seconds=delay_seconds()) for one in job.sample()])
            time.sleep(self.interval_seconds)

    def _enter(self, taken: Sequence[Sample]) -> None:
        self.samples += taken
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(sample._asdict())}\n" for sample in taken)
