"""The table of contents of the job."""

import apache_beam as beam

from beam_jobs.job import Job
from beam_jobs.manifest import WriteManifest
from beam_jobs.parsing import REJECTIONS, ParseReviews
from beam_jobs.scoring import ScoreReviews
from beam_jobs.sinks import WriteRejections, WriteScores
from beam_jobs.sources import ReadFiles


def build(pipeline: beam.Pipeline, job: Job) -> None:
    """Wires the steps of a batch run."""
    records = pipeline | "ReadFiles" >> ReadFiles(
        job.patterns, job.fields.names(), job.input_format
    )
    parsed = records | "ParseReviews" >> ParseReviews(job.fields)
    scored = parsed.reviews | "ScoreReviews" >> ScoreReviews(job.model)
    rejections = (parsed[REJECTIONS], scored[REJECTIONS]) | "Rejections" >> beam.Flatten()

    scores = scored.scores | "WriteScores" >> WriteScores(
        f"{job.prefix}/scores", job.output_format, job.fields.kept_columns()
    )
    rejected = rejections | "WriteRejections" >> WriteRejections(
        f"{job.prefix}/rejected", job.output_format
    )
    written = {
        "read": records | "CountRead" >> beam.combiners.Count.Globally(),
        "labels": scores["counts"],
        "reasons": rejected["counts"],
        "scores": scores["files"],
        "rejected": rejected["files"],
    }
    _ = written | "WriteManifest" >> WriteManifest(job.prefix, job.facts)
