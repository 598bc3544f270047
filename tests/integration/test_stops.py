"""Jobs that are stopped with Ctrl-C and SIGTERM, at each stage of a run."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from beam_jobs.demo import SAMPLES
from tests.integration.crashes import Disk, Rows, rows_seen, run, strays
from tests.integration.job_process import JobProcess

pytestmark = pytest.mark.slow

ARGUMENTS = ["--input", str(SAMPLES), "--id_field", "review_id", "--quiet"]
LINE = "\nscore-reviews: stopped; no manifest is written\n"

STAGES = [
    ("open /.writable", 0.0),  # checks
    ("open /.writable", 1.0),  # wiring
    ("os.mkdir /rejected", 0.5),  # loading the model
    ("open /scores/beam-temp", 0.0),
    ("os.rename /scores/beam-temp", 0.0),
    ("os.rename /manifest.json", 0.0),
]
"""Before which change a job is stopped, and how many seconds later."""


def stopped(disk: Disk, arguments: list[str], log: Path, stage: int, number: int) -> None:
    """Stops a job at a stage, and checks how it ends."""
    change_awaited, seconds = STAGES[stage]
    log.unlink(missing_ok=True)
    job = disk.start(arguments, log)

    def tell(position: int, change: str) -> None:
        if change.startswith(change_awaited):
            threading.Timer(seconds, job.send, [number]).start()
            time.sleep(0 if seconds else 0.5)  # the change isn't made before the signal is there

    assert disk.follow(job, tell) == 128 + number
    assert log.read_text("utf-8") == LINE


def test_a_stopped_job_says_so_and_can_be_repeated(tmp_path: Path) -> None:
    whole = Disk(tmp_path / "whole")
    assert run(whole, ARGUMENTS, tmp_path / "log") == 0
    rows = rows_seen(whole)

    def stop_all(number: int, over_a_run: bool) -> None:
        disk, log = Disk(tmp_path / f"out-{number}"), tmp_path / f"{number}.log"
        arguments = [*ARGUMENTS, "--overwrite"] if over_a_run else ARGUMENTS
        if over_a_run:
            assert run(disk, ARGUMENTS, log) == 0
        seen: list[Rows] = []
        for stage in range(len(STAGES)):
            stopped(disk, arguments, log, stage, number)
            seen.append(rows_seen(disk))
        # The first stage touches nothing of an earlier run.
        assert seen[0] == (rows if over_a_run else {})
        assert seen[-1] == {}
        assert run(disk, arguments, log) == 0
        assert rows_seen(disk) == rows
        assert not strays(disk)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(stop_all, [signal.SIGINT, signal.SIGTERM], [False, True]))


def test_a_job_is_stopped_while_it_imports(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "beam_jobs.score_reviews", *ARGUMENTS]
    with subprocess.Popen(
        [*command, "--output", f"{tmp_path}/out"], stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: "pyarrow" in Path(f"/proc/{process.pid}/maps").read_text())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, LINE)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seconds_after_start", [0.0, 1.0, None])
def test_no_worker_outlives_its_job(tmp_path: Path, seconds_after_start: float | None) -> None:
    disk, log, dump = Disk(tmp_path / "out"), tmp_path / "log", tmp_path / "dump.txt"
    dump.write_text("An uneven but often charming film.\n" * 400_000, "utf-8")
    arguments = ["--input", str(dump), "--direct_running_mode", "multi_processing", "--quiet"]
    job = JobProcess([*arguments, "--direct_num_workers", "2", "--output", disk.prefix], log)
    wait_until(lambda: len(children(job.pid)) == 2)
    workers = children(job.pid)
    if seconds_after_start is None:
        wait_until(lambda: any("beam-temp" in name for name in disk.files()))
    else:
        time.sleep(seconds_after_start)  # they are starting, or importing

    job.send(signal.SIGINT)  # to all of them, as Ctrl-C does

    assert job.exit_code() == 130
    assert log.read_text("utf-8") == LINE
    # Left alone, they would go on for some time.
    wait_until(lambda: not any(map(is_running, workers)), seconds=5)
    assert rows_seen(disk) == {}


def wait_until(condition: Callable[[], bool], seconds: int = 120) -> None:
    for _ in range(10 * seconds):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in listed for child in path.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
