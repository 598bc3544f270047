import logging

import pytest

from beam_jobs.failures import report_failure
from beam_jobs.manifest import UnbalancedError
from beam_jobs.sources import NoInputError
from schemas.errors import UserError


def worker_error(last_line: str) -> RuntimeError:
    """What a runner raises: the traceback of its worker, quoted."""
    return RuntimeError(f'Traceback (most recent call last):\n  File "x.py", line 1\n{last_line}\n')


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            worker_error("OSError: [Errno 28] No space left [while running 'WriteScores']"),
            "the job failed: OSError: [Errno 28] No space left [while running 'WriteScores']",
        ),
        (worker_error("PermissionError: denied"), "the job failed: PermissionError: denied"),
        (
            worker_error("RuntimeError: OSError: [Errno 28] No space left [while running 'x']"),
            "the job failed: OSError: [Errno 28] No space left",
        ),
        (
            worker_error("apache_beam.io.filesystem.BeamIOError: no bucket"),
            "the job failed: BeamIOError: no bucket",
        ),
        (UnbalancedError("1 records were read"), "the job failed: UnbalancedError: 1 records"),
    ],
)
def test_a_known_failure_is_told_in_a_line(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    report_failure(error)

    (record,) = caplog.records
    assert record.getMessage().startswith(said)
    assert record.levelno == logging.ERROR
    assert not record.exc_info


def test_an_unknown_failure_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    report_failure(worker_error("ZeroDivisionError: division by zero"))

    assert caplog.records[0].exc_info
    assert caplog.records[0].getMessage() == "the job failed: ZeroDivisionError: division by zero"


def test_what_a_worker_finds_wrong_with_the_call_is_a_mistake() -> None:
    with pytest.raises(UserError, match=r"^can't load model m: gone$"):
        report_failure(worker_error("schemas.errors.UserError: can't load model m: gone"))


def test_a_mistake_found_in_this_process_is_one_however_it_reads() -> None:
    for mistake in (UserError("reviews: its name tells no format"), NoInputError("--input a: no")):
        with pytest.raises(UserError) as caught:
            report_failure(mistake)
        assert caught.value is mistake
