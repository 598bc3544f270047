"""Every counter of the job, with one sentence each; Beam's namespace is `review_scoring`.

The local runner reports metrics only when a job ends. Each counter therefore also keeps the tally
of its own process, from which the progress line is drawn while the job runs.
"""

import functools

from apache_beam.metrics import Metrics

from schemas.rejection import Reason, Rejection

NAMESPACE = "review_scoring"


class Counter:
    """A Beam counter that also keeps the tally of this process."""

    def __init__(self, name: str) -> None:
        self._counter = Metrics.counter(NAMESPACE, name)
        self.tally = 0

    def inc(self, n: int = 1) -> None:
        self._counter.inc(n)
        self.tally += n


READ = Counter("reviews_read")
"""Records that sources yielded, damaged ones included."""

SCORED = Counter("reviews_scored")
"""Reviews that the model gave a valid probability."""

REJECTED = Counter("reviews_rejected")
"""Records that became a rejection, whatever the reason."""

REJECTED_FOR = {reason: Counter(f"rejected_{reason.value}") for reason in Reason}
"""The same by reason."""


def count_rejection(rejected: Rejection) -> None:
    """Counts a rejection where it is written."""
    REJECTED.inc()
    REJECTED_FOR[rejected.reason].inc()


LATE = Counter("reviews_late")
"""Reviews that were published after the end of their window, those too late included."""

DUPLICATES = Counter("reviews_duplicate")
"""Reviews left out because one with their id was let through shortly before."""


def start_tallies() -> None:
    """Sets the tallies of the progress line to 0, as a process may make several runs."""
    for counter in (READ, SCORED, REJECTED, DUPLICATES):
        counter.tally = 0


TOKENS = Metrics.distribution(NAMESPACE, "tokens_per_review")
"""Token ids per review as the model sees it: truncated, special tokens included."""

BATCH_REVIEWS = Metrics.distribution(NAMESPACE, "reviews_per_batch")
"""Reviews per call of the model."""

COMPUTED_TOKENS = Metrics.counter(NAMESPACE, "tokens_computed")
"""Tokens that the model was given, padding included."""

PADDING_TOKENS = Metrics.counter(NAMESPACE, "tokens_padding")
"""The part of them that was padding."""

OUT_OF_MEMORY = Metrics.counter(NAMESPACE, "calls_out_of_memory")
"""Calls of the model that were too much for the memory; what follows is divided beforehand."""

SCORED_ALONE = Metrics.counter(NAMESPACE, "reviews_scored_alone")
"""Reviews whose label was so close that they were scored once more, without neighbours."""

QUEUEING_MS = Metrics.distribution(NAMESPACE, "queueing_ms")
"""From publish to score, in milliseconds."""

MODEL_SWAPS = Counter("model_swaps")
"""Times that a worker process changed over to a newer model."""

MODEL_REFUSED = Counter("model_refused")
"""Times that a worker process refused a newer model; again whenever its files changed."""


@functools.cache
def scored_by(model: str) -> Counter:
    """Reviews that one model scored, under the name `scored_by_NAME@FINGERPRINT`."""
    return Counter(f"scored_by_{model}")
