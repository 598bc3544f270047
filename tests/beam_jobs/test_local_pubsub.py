"""The client with which the local runner pulls, against servers as slow and large as may be."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.direct import transform_evaluator
from apache_beam.runners.direct.watermark_manager import WatermarkManager
from google.cloud.pubsub_v1 import types

from beam_jobs.local_pubsub import pull_shortly, short_pulls

Answer = Callable[[types.PullRequest], types.PullResponse]


@contextmanager
def server(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> Iterator[None]:
    """A Pub/Sub that knows nothing but to answer pulls."""

    def pull(request: types.PullRequest, context: Any) -> types.PullResponse:
        return answer(request)

    handler = grpc.unary_unary_rpc_method_handler(
        pull, types.PullRequest.deserialize, types.PullResponse.serialize
    )
    served = grpc.server(
        futures.ThreadPoolExecutor(1), options=[("grpc.max_send_message_length", -1)]
    )
    methods = grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", {"Pull": handler})
    served.add_generic_rpc_handlers((methods,))
    monkeypatch.setenv(
        "PUBSUB_EMULATOR_HOST", f"127.0.0.1:{served.add_insecure_port('127.0.0.1:0')}"
    )
    served.start()
    try:
        yield
    finally:
        served.stop(grace=None).wait()


def pull() -> list[types.ReceivedMessage]:
    with short_pulls() as client:
        # As the local runner asks.
        response = client.pull(
            subscription="projects/p/subscriptions/s", max_messages=10, timeout=30
        )
        return list(response.received_messages)


def test_a_pull_without_an_answer_ends_soon_with_no_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_up = threading.Event()

    def answered_too_late(request: types.PullRequest) -> types.PullResponse:
        given_up.wait()
        return types.PullResponse()

    with server(monkeypatch, answered_too_late):
        started = time.monotonic()

        assert pull() == []

        assert time.monotonic() - started < 5
        given_up.set()


def test_a_pull_takes_many_messages_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"x" * 9_000_000

    def answered(request: types.PullRequest) -> types.PullResponse:
        assert request.max_messages == 100
        message = types.PubsubMessage(data=data)
        return types.PullResponse(received_messages=[types.ReceivedMessage(message=message)])

    with server(monkeypatch, answered):
        (received,) = pull()

    assert received.message.data == data


def test_pulls_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = transform_evaluator.TransformEvaluatorRegistry
    monkeypatch.setattr(registry, "_test_evaluators_overrides", {})
    pull_shortly()
    pulls = threading.Semaphore(0)

    def answered(request: types.PullRequest) -> types.PullResponse:
        pulls.release()
        return types.PullResponse()

    options = PipelineOptions(["--streaming"])
    with server(monkeypatch, answered):
        pipeline = beam.Pipeline("BundleBasedDirectRunner", options)
        pipeline | beam.io.ReadFromPubSub(subscription="projects/project/subscriptions/name")
        result = pipeline.run()
        try:
            for _ in range(100):
                assert pulls.acquire(timeout=10)
            held = [pending(one) for one in gc.get_objects() if isinstance(one, WatermarkManager)]
        finally:
            result.cancel()

    assert held
    assert max(held) < 5


def pending(manager: WatermarkManager) -> int:
    """Bundles that the steps of a pipeline still wait for."""
    return sum(len(step._pending) for step in manager._transform_to_watermarks.values())
