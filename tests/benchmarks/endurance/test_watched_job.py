"""What is seen of a process."""

import sys
import time
from pathlib import Path

from benchmarks.endurance.watched_job import Progress, WatchedJob, running

BUSY = """
import subprocess, sys, threading, time
files = [open("/dev/null") for _ in range(50)]
memory = b"x" * 100_000_000
for _ in range(5):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
for counts in ("10 read, 4 scored, 1", "1,210 read, 1,000 scored, 9"):
    text = f"\\r{counts} rejected, 7 duplicates, 12 reviews/s\\x1b[K"
    print(text, end="", file=sys.stderr, flush=True)
    time.sleep(0.1)
time.sleep(60)
"""


def test_a_job_is_seen_with_all_that_it_has_started(tmp_path: Path) -> None:
    with running([sys.executable, "-c", BUSY], tmp_path / "log") as job:
        while job.progress.read < 1_210 and job.is_running():
            time.sleep(0.05)
        (sample,) = job.sample()
        assert job.progress == Progress(1_210, 1_000, 9, 7)

    assert sample.done == 1_016
    assert sample.memory_mb > 100
    assert sample.descriptors >= 50 + 3 + 3
    assert sample.threads >= 1 + 5 + 1
    assert sample.cpu_seconds > 0
    assert not job.is_running()


def test_a_job_that_has_ended_is_not_sampled(tmp_path: Path) -> None:
    job = WatchedJob([sys.executable, "-c", "print('to be read'); exit(3)"], tmp_path / "log")

    assert job.wait() == 3
    assert job.sample() == []
    assert (tmp_path / "log").read_text("utf-8").strip() == "to be read"
