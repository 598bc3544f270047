"""What goes to stderr, for people or for schedulers."""

import json
import logging
import os
import sys
import time

JOB_LOGGER = "beam_jobs"

_TOLD_AT_THE_END = ("apache_beam.io.filebasedsink", "apache_beam.runners.common")
"""Loggers of errors that end the job, which then says why by itself."""

_NO_NEWS = (
    "type hint will be ignored",  # Beam doesn't check types of steps with several outputs
    "trying to create job at dataflow service",  # what follows from it is told in a line
    "details of server error",
    "Console URL: ",  # of jobs that were drained, too
    "Resource module is not available",  # Beam's RunInference says so where there is no PyTorch
)


def log_to_stderr(log_format: str, quiet: bool) -> None:
    """Sets up logging for the process.

    Other packages speak up from warnings on; the job itself tells how it goes on, unless it is
    to be quiet.

    Args:
        log_format: `text`, or `json` for one object a line with the keys that Cloud Logging
            knows: severity, time, message.
        quiet: errors only.
    """
    # What goes wrong in TensorFlow's C++ side is raised as well as logged.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    handler.addFilter(_is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR if quiet else logging.WARNING)
    # TensorFlow warns of its own functions that tfx-bsl calls.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Google's clients warn of each attempt, and of credentials that aren't where they look first.
    for name in ("google.auth", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger(JOB_LOGGER).setLevel(logging.ERROR if quiet else logging.INFO)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record tells more than what is the same on every run, or is told later."""
    if record.name in _TOLD_AT_THE_END:
        return record.levelno < logging.ERROR
    return not any(words in str(record.msg) for words in _NO_NEWS)


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("score-reviews: %(levelname)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("INFO: ", "", 1).replace("ERROR", "error", 1)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "severity": record.levelname,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
