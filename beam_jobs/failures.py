"""How a job failed, told to the person who is paged."""

import builtins
import logging

from beam_jobs.logs import JOB_LOGGER
from schemas.errors import UserError

_LOGGER = logging.getLogger(JOB_LOGGER)


def report_failure(error: Exception) -> None:
    """Logs why a job failed.

    Raises:
        UserError: a worker found something wrong with the call.
    """
    kind, cause = _cause(error)
    if kind == UserError.__name__:
        raise UserError(cause) from error
    # A full disk, say, is told in a line; what nobody foresaw needs the traceback.
    foreseen = kind in ("BeamIOError", "UnbalancedError") or _is_os_error(kind)
    _LOGGER.error("the job failed: %s: %s", kind, cause, exc_info=not foreseen)


def _cause(error: Exception) -> tuple[str, str]:
    """Class and message of the error behind the one that a runner raises.

    Runners quote the whole traceback of a worker in their message; its last line tells the cause.
    """
    lines = [line for line in str(error).splitlines() if line.strip()]
    name, colon, message = lines[-1].strip().partition(": ") if lines else ("", "", "")
    if colon and " " not in name:
        return name.rpartition(".")[2], message
    return type(error).__name__, " ".join(lines[-1:])


def _is_os_error(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, OSError)
