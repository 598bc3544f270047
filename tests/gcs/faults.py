"""What can go wrong with a bucket, decided call by call."""

import random
import threading
from collections.abc import Callable

from tests.gcs.calls import Call

Fault = Callable[[Call], int]
"""Gives the HTTP status that a call fails with, or 0 where it may pass."""

OK, UNAUTHORIZED, FORBIDDEN, BUSY = 0, 401, 403, 503


def busy(share: float, seed: int = 0) -> Fault:
    """Cloud Storage that has no time for a share of the calls, drawn from a seed."""
    draw, lock = random.Random(seed), threading.Lock()

    def fault(call: Call) -> int:
        with lock:
            return BUSY if draw.random() < share else OK

    return fault


def forbidden(bucket: str) -> Fault:
    """An account that has no role on a bucket."""
    return lambda call: FORBIDDEN if call.bucket == bucket else OK


def read_only(bucket: str) -> Fault:
    """An account that may read from a bucket, but not write to it."""
    return lambda call: FORBIDDEN if call.bucket == bucket and call.writes() else OK


def write_once(bucket: str) -> Fault:
    """The role `Storage Object Creator` alone: creates objects; reads, lists and deletes none."""
    return lambda call: (
        FORBIDDEN if call.bucket == bucket and call.method not in ("POST", "PUT") else OK
    )


def object_user(bucket: str) -> Fault:
    """The role `Storage Object User` alone: all of the objects, nothing of the bucket itself."""
    return lambda call: FORBIDDEN if call.path.endswith(f"/b/{bucket}") else OK


def private() -> Fault:
    """Buckets that nobody may use without credentials."""
    return lambda call: OK if call.signed else UNAUTHORIZED
