import subprocess
import sys

JOB = """
import os, signal, subprocess, sys
from beam_jobs.stopping import stopping_at_once
with stopping_at_once("stopped"):
    child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    if sys.argv[1:] == ["unread"]:
        os.close(2)
    os.kill(os.getpid(), signal.SIGTERM)
    print("goes on")
"""


def stop(*arguments: str) -> "subprocess.CompletedProcess[str]":
    # The child would keep stderr open if it went on, and so the call.
    command = [sys.executable, "-c", JOB, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def test_the_process_ends_with_its_children_and_a_line() -> None:
    done = stop()

    assert (done.returncode, done.stderr) == (143, "\nscore-reviews: stopped\n")
    assert "goes on" not in done.stdout


def test_it_ends_even_if_nobody_reads_the_line() -> None:
    assert stop("unread").returncode == 143
