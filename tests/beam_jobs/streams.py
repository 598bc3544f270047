"""How tests run streams: by a clock that nothing but their `TestStream` advances."""

import contextlib
from collections.abc import Iterator
from unittest import mock

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.direct import clock, direct_runner
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.utils.timestamp import Timestamp


@contextlib.contextmanager
def streaming_pipeline() -> Iterator[beam.Pipeline]:
    """A pipeline that runs on leaving, on the runner that the job uses locally for streams.

    It has to begin with a `TestStream`, whose clock `Timestamp.now()` shows, from 0 on.
    """
    shown = clock.TestClock()

    def now() -> Timestamp:
        return Timestamp.of(shown.time())

    options = PipelineOptions(["--streaming"])
    with (
        mock.patch.object(direct_runner, "TestClock", return_value=shown),
        mock.patch.object(Timestamp, "now", now),
        TestPipeline(runner="BundleBasedDirectRunner", options=options) as pipeline,
    ):
        yield pipeline
