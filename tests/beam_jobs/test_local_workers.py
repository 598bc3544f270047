import subprocess
import sys

WORKER = """
import sys, time
from beam_jobs import local_workers
local_workers.sdk_worker_main.main = lambda arguments: time.sleep(600)
print("works", flush=True)
local_workers.main(int(sys.argv[1]))
"""
JOB = """
import os, subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1], str(os.getpid())])
"""


def test_a_worker_ends_when_its_job_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", JOB, WORKER], stdout=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout
        assert job.stdout.readline() == "works\n"
        job.kill()

        assert job.communicate(timeout=60) == ("", None)  # once nobody can write there
