"""How tests run pipelines."""

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_pipeline import TestPipeline


def local_pipeline() -> TestPipeline:
    """A pipeline on the runner that the job uses locally; nothing is downloaded for it."""
    return TestPipeline(runner="FnApiRunner", options=PipelineOptions([]))
