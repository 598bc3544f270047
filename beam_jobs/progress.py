"""What the job says while it runs: one line on a terminal, now and then a record in a log."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterator

from beam_jobs import metrics

_TERMINAL_INTERVAL_SECONDS = 0.5
_LOG_INTERVAL_SECONDS = 30.0

_LOGGER = logging.getLogger(__name__)


@contextlib.contextmanager
def progress() -> Iterator[None]:
    """Reports on the reviews that this process reads and scores, as long as the block runs.

    On a terminal it keeps one line up to date on stderr; elsewhere it logs every half minute.
    Reviews scored by other processes, as on a cluster, aren't seen: then it says nothing.
    """
    metrics.start_tallies()
    done = threading.Event()
    thread = threading.Thread(target=_report, args=(done,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _report(done: threading.Event) -> None:
    on_terminal = sys.stderr.isatty()
    interval = _TERMINAL_INTERVAL_SECONDS if on_terminal else _LOG_INTERVAL_SECONDS
    started = time.monotonic()
    while not done.wait(interval):
        if not metrics.READ.tally:
            continue
        line = progress_line(time.monotonic() - started)
        if on_terminal:
            print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)
        else:
            _LOGGER.info(line)
    if on_terminal:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def progress_line(seconds: float) -> str:
    """Where the run stands, `seconds` after its start."""
    scored, duplicates = metrics.SCORED.tally, metrics.DUPLICATES.tally
    left_out = f"{duplicates:,} duplicates, " if duplicates else ""
    return (
        f"{metrics.READ.tally:,} read, {scored:,} scored, {metrics.REJECTED.tally:,} rejected, "
        f"{left_out}{scored / seconds:,.0f} reviews/s"
    )
