"""The table of contents of the job."""

import apache_beam as beam

from beam_jobs.job import Job
from beam_jobs.manifest import WriteManifest
from beam_jobs.parsing import REJECTIONS, ParseReviews
from beam_jobs.pubsub import ReadMessages
from beam_jobs.scoring import ScoreReviews
from beam_jobs.sinks import WriteRejections, WriteScores
from beam_jobs.sources import ReadFiles
from beam_jobs.stream_sinks import WriteRejectionStream, WriteScoreStream
from beam_jobs.streaming_job import StreamingJob
from beam_jobs.windows import RejectTooLate


def build(pipeline: beam.Pipeline, job: Job) -> None:
    """Wires the steps of a run over files."""
    read = pipeline | "ReadFiles" >> ReadFiles(job.patterns, job.fields.names(), job.input_format)
    parsed = read["records"] | "ParseReviews" >> ParseReviews(job.fields)
    scored = parsed.reviews | "ScoreReviews" >> ScoreReviews(job.model)
    rejections = (parsed[REJECTIONS], scored[REJECTIONS]) | "Rejections" >> beam.Flatten()

    scores = scored.scores | "WriteScores" >> WriteScores(
        f"{job.prefix}/scores", job.output_format, job.fields.kept_columns()
    )
    rejected = rejections | "WriteRejections" >> WriteRejections(
        f"{job.prefix}/rejected", job.output_format
    )
    written = {
        "read": read["records"] | "CountRead" >> beam.combiners.Count.Globally(),
        "listed": read["listed"],
        "labels": scores["counts"],
        "reasons": rejected["counts"],
        "scores": scores["files"],
        "rejected": rejected["files"],
    }
    _ = written | "WriteManifest" >> WriteManifest(job.prefix, job.facts)


def build_streaming(pipeline: beam.Pipeline, job: StreamingJob) -> None:
    """Wires the steps of a run over messages."""
    messages = pipeline | "ReadMessages" >> ReadMessages(job.source)
    parsed = messages | "ParseReviews" >> ParseReviews(job.fields)
    timely = parsed.reviews | "RejectTooLate" >> RejectTooLate(job.outputs.windowing)
    scored = timely.reviews | "ScoreReviews" >> ScoreReviews(job.model)
    refused = scored.scores | "WriteScores" >> WriteScoreStream(
        job.outputs, job.fields.kept_columns()
    )
    rejections = (
        parsed[REJECTIONS],
        timely[REJECTIONS],
        scored[REJECTIONS],
        *refused,
    ) | "Rejections" >> beam.Flatten()
    _ = rejections | "WriteRejections" >> WriteRejectionStream(job.outputs)
