import json
import subprocess
import sys

import pytest

SAY = """
import logging
from beam_jobs.logs import log_to_stderr
log_to_stderr({log_format!r}, {quiet})
logging.getLogger("beam_jobs.progress").info("20 read")
logging.getLogger("apache_beam").info("chatter")
logging.getLogger("apache_beam").warning("slow")
logging.warning("This output type hint will be ignored and more")
logging.warning("Resource module is not available for current platform")
logging.getLogger("tensorflow").warning("deprecated")
logging.getLogger("urllib3.connectionpool").warning("Retrying")
logging.getLogger("google.auth._default").warning("no metadata server")
logging.getLogger("apache_beam.runners.common").error("what ends the job")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("beam_jobs").error("the job failed", exc_info=True)
"""


def said(log_format: str, quiet: bool) -> list[str]:
    code = SAY.format(log_format=log_format, quiet=quiet)
    run = [sys.executable, "-c", code]
    return subprocess.run(run, capture_output=True, text=True, check=True).stderr.splitlines()


def test_people_read_lines() -> None:
    lines = said("text", quiet=False)

    assert lines[:3] == [
        "score-reviews: 20 read",
        "score-reviews: WARNING: slow",
        "score-reviews: error: the job failed",
    ]


def test_schedulers_read_json() -> None:
    news, warning, failure = map(json.loads, said("json", quiet=False))

    assert (news["severity"], news["message"]) == ("INFO", "20 read")
    assert (warning["severity"], warning["logger"]) == ("WARNING", "apache_beam")
    assert failure["message"] == "the job failed"
    assert "ZeroDivisionError" in failure["exception"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_quiet_leaves_errors_only(log_format: str) -> None:
    assert "the job failed" in said(log_format, quiet=True)[0]
