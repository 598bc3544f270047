"""How Beam's local streaming runner pulls messages, mended.

It does everything on one thread. As Beam has it, a pull holds that up for as long as nothing is
published, up to 30 seconds: no timer fires meanwhile and no window ends; and the job fails where
Pub/Sub leaves a pull unanswered. A pull takes no more than ten messages, although every pull costs
a round through all steps. From the emulator a pull fails, and the job with it, where its messages
exceed 4 MB. And every pull leaves something behind, through all of which each further one goes.
"""

import os
import weakref
from typing import Any

import grpc
from apache_beam.runners.direct import transform_evaluator
from google.api_core import exceptions
from google.cloud.pubsub_v1 import SubscriberClient, types
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

PULL_TIMEOUT_SECONDS = 1.1
"""The emulator answers a second before it would be too late, so it waits for 0.1 seconds."""

MESSAGES_PER_PULL = 100


def pull_shortly() -> None:
    """Makes the local runner of this process pull shortly, and many messages at a time."""
    registry = transform_evaluator.TransformEvaluatorRegistry
    registry._test_evaluators_overrides = {
        **registry._test_evaluators_overrides,
        transform_evaluator._DirectReadFromPubSub: _ReadEvaluator,
    }


class ShortPulls(SubscriberClient):
    """A client whose pulls end soon, and to which no message is no error."""

    def pull(self, *, subscription: str, max_messages: int, timeout: float) -> types.PullResponse:
        """Up to `MESSAGES_PER_PULL` messages that come within `PULL_TIMEOUT_SECONDS`."""
        try:
            return super().pull(
                subscription=subscription,
                max_messages=max(max_messages, MESSAGES_PER_PULL),
                timeout=min(timeout, PULL_TIMEOUT_SECONDS),
            )
        except exceptions.DeadlineExceeded:
            return types.PullResponse()


def short_pulls() -> ShortPulls:
    """A client for Pub/Sub, or for the emulator; it takes messages of any size from either."""
    host = os.environ.get("PUBSUB_EMULATOR_HOST")
    if not host:
        return ShortPulls()
    channel = grpc.insecure_channel(host, options=[("grpc.max_receive_message_length", -1)])
    return ShortPulls(transport=SubscriberGrpcTransport(channel=channel))


class _ReadEvaluator(transform_evaluator._PubSubReadEvaluator):
    def finish_bundle(self) -> Any:
        # The bundle that asks for a pull is empty, and Beam forgets only bundles with elements.
        step = self._evaluation_context.get_execution_context(self._applied_ptransform)
        step.watermarks.remove_pending(self._input_committed_bundle)
        return super().finish_bundle()

    @classmethod
    def _get_subscriber_client_state_unlocked(cls, transform: Any) -> Any:
        state = cls._subscriber_client_cache.get(transform)
        if state is None:
            state = transform_evaluator._PubSubSubscriberClient(short_pulls())
            cls._subscriber_client_cache[transform] = state
            weakref.finalize(transform, state.close)
        return state
