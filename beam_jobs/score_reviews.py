"""The command line of the job: check, build, run, report. Nothing in it is pickled."""

import builtins
import json
import logging
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

from beam_jobs.command_line import parse, pipeline_options
from beam_jobs.logs import JOB_LOGGER, log_to_stderr
from beam_jobs.options import streams
from schemas.errors import UserError

if TYPE_CHECKING:
    from apache_beam import Pipeline

    from beam_jobs.job import Job

EXIT_SCORED, EXIT_FAILED, EXIT_MISTAKE = 0, 1, 2

LOCAL_RUNNER, LOCAL_STREAMING_RUNNER = "FnApiRunner", "BundleBasedDirectRunner"
"""Beam's DirectRunner tries to download another runner before it falls back to these."""

_LOGGER = logging.getLogger(JOB_LOGGER)


def main(arguments: Sequence[str] | None = None) -> int:
    """Scores reviews as the command line says.

    Args:
        arguments: the command line without the program's name; default: this process's.

    Returns:
        The exit code: 0 scored, 1 failed or too many rejections, 2 a mistake in the call.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = parse(arguments)
        log_to_stderr(options.log_format, options.quiet)
        if streams(options):
            with _stopping_at_once("stopped; messages taken in hand were not all scored"):
                return _stream(options, arguments)
        with _stopping_at_once("stopped; no manifest is written"):
            return _score(options, arguments)
    except UserError as error:
        print(f"score-reviews: error: {error}", file=sys.stderr)
        return EXIT_MISTAKE


def _score(options: Namespace, arguments: Sequence[str]) -> int:
    from beam_jobs.job import prepare
    from beam_jobs.manifest import read_manifest
    from beam_jobs.summary import summary, too_many_rejected

    pipeline = _empty_pipeline(arguments, streaming=False)
    job = prepare(options)
    try:
        _run(pipeline, job, options.quiet)
        manifest = read_manifest(job.prefix)
    except Exception as error:
        return _failed(error)
    if not options.quiet:
        print(
            json.dumps(manifest) if options.log_format == "json" else summary(manifest, job.prefix)
        )
    if manifest["status"] != "complete":
        _LOGGER.error(too_many_rejected(manifest, job.prefix))
        return EXIT_FAILED
    return EXIT_SCORED


def _stream(options: Namespace, arguments: Sequence[str]) -> int:
    from beam_jobs.local_pubsub import pull_shortly
    from beam_jobs.local_runner import look_at_each_step_once
    from beam_jobs.pipeline import build_streaming
    from beam_jobs.progress import progress
    from beam_jobs.streaming_job import DATAFLOW, LOCAL, prepare_streaming

    pipeline = _empty_pipeline(arguments, streaming=True)
    on_dataflow = "Dataflow" in type(pipeline.runner).__name__
    job = prepare_streaming(options, DATAFLOW if on_dataflow else LOCAL)
    if not on_dataflow:
        look_at_each_step_once()
        pull_shortly()
    build_streaming(pipeline, job)
    _LOGGER.info("scoring the messages of %s", job.source.path)
    try:
        with nullcontext() if options.quiet else progress():
            pipeline.run().wait_until_finish()
    except Exception as error:
        return _failed(error)
    return EXIT_SCORED


def _empty_pipeline(arguments: Sequence[str], streaming: bool) -> "Pipeline":
    """A pipeline with Beam's options as the command line has them, on the runner that it names.

    Raises:
        UserError: there is no such runner, or it lacks an option.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import StandardOptions

    options = pipeline_options(arguments)
    standard = options.view_as(StandardOptions)
    if standard.runner in (None, "", "DirectRunner"):
        standard.runner = LOCAL_STREAMING_RUNNER if streaming else LOCAL_RUNNER
    if streaming and standard.runner == LOCAL_RUNNER:
        raise UserError(f"--runner {LOCAL_RUNNER} reads files only: leave it out")
    standard.streaming = streaming
    try:
        return beam.Pipeline(options=options)
    except (ValueError, ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--runner {standard.runner} can't be used so: {reason}") from error


def _run(pipeline: "Pipeline", job: "Job", quiet: bool) -> None:
    from beam_jobs.output import clear_output
    from beam_jobs.pipeline import build
    from beam_jobs.progress import progress

    clear_output(job.prefix)
    build(pipeline, job)
    with nullcontext() if quiet else progress():
        pipeline.run().wait_until_finish()


def _failed(error: Exception) -> int:
    """Reports the failure of a job; returns the exit code."""
    kind, cause = _cause(error)
    if kind == UserError.__name__:
        raise UserError(cause) from error
    # A full disk, say, is told in a line; what nobody foresaw needs the traceback.
    foreseen = kind in ("BeamIOError", "UnbalancedError") or _is_os_error(kind)
    _LOGGER.error("the job failed: %s: %s", kind, cause, exc_info=not foreseen)
    return EXIT_FAILED


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


@contextmanager
def _stopping_at_once(words: str) -> Iterator[None]:
    """Ends the process on Ctrl-C and SIGTERM: the threads of a runner can't be asked to."""

    def stop(signal_number: int, frame: Any) -> NoReturn:
        print(f"\nscore-reviews: {words}", file=sys.stderr, flush=True)
        os._exit(128 + signal_number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
