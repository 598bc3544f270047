"""How a job failed, told to the person who is paged."""

import builtins
import logging
import re

from beam_jobs.logs import JOB_LOGGER
from beam_jobs.storage_errors import storage_failure
from schemas.errors import UserError

_FORESEEN = ("BeamIOError", "DataflowRuntimeException", "UnbalancedError")

_WRAPPED = re.compile(r"RuntimeError: (?=[\w.]+: )")

_LOGGER = logging.getLogger(JOB_LOGGER)


def report_failure(error: Exception) -> None:
    """Logs why a job failed.

    Raises:
        UserError: a worker found something wrong with the call.
    """
    if isinstance(error, UserError):  # by a worker in this process
        raise error
    dotted, cause = _cause(error)
    kind = dotted.rpartition(".")[2]
    if kind == UserError.__name__:
        raise UserError(cause) from error
    of_storage = storage_failure(dotted, cause)
    # A full disk, say, is told in a line; what nobody foresaw needs the traceback.
    foreseen = of_storage or kind in _FORESEEN or _is_os_error(kind)
    _LOGGER.error("the job failed: %s: %s", kind, of_storage or cause, exc_info=not foreseen)


def _cause(error: Exception) -> tuple[str, str]:
    """Dotted class and message of the error behind the one that a runner raises.

    Runners quote the whole traceback of a worker in their message; its last line tells the cause.
    """
    # What Dataflow says of a job that was cancelled ends with "None".
    lines = [line for line in str(error).splitlines() if line.strip() not in ("", "None")]
    last = lines[-1].strip() if lines else ""
    # Where Beam can't make an error of the same class anew, it raises this with all of it inside.
    name, colon, message = _WRAPPED.sub("", last).partition(": ")
    if colon and " " not in name:
        return name, message
    return f"{type(error).__module__}.{type(error).__name__}", " ".join(lines[-1:])


def _is_os_error(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, OSError)
