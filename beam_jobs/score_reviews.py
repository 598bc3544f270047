"""The command line of the job: check, build, run, report. Nothing in it is pickled."""

import datetime
import json
import logging
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from beam_jobs.command_line import parse
from beam_jobs.dates import runs_of
from beam_jobs.logs import JOB_LOGGER, log_to_stderr
from beam_jobs.options import streams
from beam_jobs.stopping import stopping_at_once
from schemas.errors import UserError

if TYPE_CHECKING:
    from apache_beam import Pipeline

    from beam_jobs.job import Job
    from beam_jobs.streaming_job import StreamingJob

EXIT_SCORED, EXIT_FAILED, EXIT_MISTAKE = 0, 1, 2

_LOGGER = logging.getLogger(JOB_LOGGER)


def main(arguments: Sequence[str] | None = None) -> int:
    """Scores reviews as the command line says.

    Args:
        arguments: the command line without the program's name; default: this process's.

    Returns:
        The exit code: 0 scored, 1 failed or too many rejections, 2 a mistake in the call; with
        several days the greatest of theirs.
    """
    with stopping_at_once("stopped; no manifest is written"):
        return _main(sys.argv[1:] if arguments is None else list(arguments))


def _main(arguments: Sequence[str]) -> int:
    try:
        options = parse(arguments)
    except UserError as error:
        print(f"score-reviews: error: {error}", file=sys.stderr)
        return EXIT_MISTAKE
    log_to_stderr(options.log_format, options.quiet)
    try:
        if streams(options):
            with stopping_at_once("stopped; messages taken in hand were not all scored"):
                return _stream(options, arguments)
        return _score_days(options, arguments)
    except UserError as error:
        _LOGGER.error("%s", error)
        return EXIT_MISTAKE


def _score_days(options: Namespace, arguments: Sequence[str]) -> int:
    """Scores every day that is asked for, whatever becomes of the others."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    last, *earlier = runs_of(options, today)
    if not earlier:
        return _score(last, arguments)
    codes = [_score_day(last, arguments, is_earlier=False)]
    codes += [_score_day(day, arguments, is_earlier=True) for day in earlier]
    return max(codes)


def _score_day(options: Namespace, arguments: Sequence[str], is_earlier: bool) -> int:
    from beam_jobs.sources import NoInputError

    _LOGGER.info("day %s", options.date)
    try:
        code = _score(options, arguments, is_earlier)
    except UserError as error:
        if is_earlier and isinstance(error, NoInputError):
            _LOGGER.info("day %s is passed over: %s", options.date, error)
            return EXIT_SCORED
        _LOGGER.error("day %s: %s", options.date, error)
        return EXIT_MISTAKE
    if code == EXIT_FAILED:
        _LOGGER.error("day %s has failed", options.date)
    return code


def _score(options: Namespace, arguments: Sequence[str], is_earlier: bool = False) -> int:
    from beam_jobs.job import prepare
    from beam_jobs.manifest import unchanged_run
    from beam_jobs.pipeline import build
    from beam_jobs.runners import check_launch, empty_pipeline

    pipeline = empty_pipeline(arguments, options, streaming=False)
    job = prepare(options)
    if options.skip_unchanged and (manifest := unchanged_run(job.prefix, job.facts)):
        _LOGGER.info("%s holds the scores of this input already", job.prefix)
        # What is wrong with an earlier day was said when it was scored.
        return EXIT_SCORED if is_earlier else _reported(manifest, job, options)
    check_launch(pipeline, job.model)
    build(pipeline, job)
    if options.dry_run:
        return _described(job, pipeline, options)
    return _run(pipeline, job, options)


def _run(pipeline: "Pipeline", job: "Job", options: Namespace) -> int:
    from beam_jobs.manifest import read_manifest
    from beam_jobs.output import clear_output
    from beam_jobs.runners import run_to_end

    clear_output(job.prefix)
    try:
        if not run_to_end(pipeline, options.quiet):
            return EXIT_SCORED
        manifest = read_manifest(job.prefix)
    except Exception as error:
        return _failed(error)
    return _reported(manifest, job, options)


def _reported(manifest: Mapping[str, Any], job: "Job", options: Namespace) -> int:
    """Tells what a run did; returns the exit code."""
    from beam_jobs.summary import summary, too_many_rejected

    if not options.quiet:
        as_json = options.log_format == "json"
        print(json.dumps(manifest) if as_json else summary(manifest, job.prefix))
    if manifest["status"] != "complete":
        _LOGGER.error(too_many_rejected(manifest, job.prefix))
        return EXIT_FAILED
    return EXIT_SCORED


def _stream(options: Namespace, arguments: Sequence[str]) -> int:
    from beam_jobs.local_pubsub import pull_shortly
    from beam_jobs.local_runner import look_at_each_step_once
    from beam_jobs.pipeline import build_streaming
    from beam_jobs.runners import check_launch, empty_pipeline, on_dataflow, run_to_end
    from beam_jobs.streaming_job import DATAFLOW, LOCAL, prepare_streaming

    pipeline = empty_pipeline(arguments, options, streaming=True)
    remote = on_dataflow(pipeline)
    job = prepare_streaming(options, DATAFLOW if remote else LOCAL)
    if not remote:
        look_at_each_step_once()
        pull_shortly()
    check_launch(pipeline, job.model)
    build_streaming(pipeline, job)
    if options.dry_run:
        return _described(job, pipeline, options)
    _LOGGER.info("scoring the messages of %s", job.source.path)
    try:
        run_to_end(pipeline, options.quiet)
    except Exception as error:
        return _failed(error)
    return EXIT_SCORED


def _described(job: "Job | StreamingJob", pipeline: "Pipeline", options: Namespace) -> int:
    """Tells what would run; returns the exit code."""
    from beam_jobs.dry_run.description import describe
    from beam_jobs.dry_run.text import json_text, text

    try:
        dry_run = describe(job, pipeline, pipeline.options, options)
    except OSError as error:
        return _failed(error)
    print(json_text(dry_run) if options.log_format == "json" else text(dry_run))
    return EXIT_SCORED


def _failed(error: Exception) -> int:
    from beam_jobs.failures import report_failure

    report_failure(error)
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
