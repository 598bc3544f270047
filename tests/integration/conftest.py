"""Pub/Sub as the emulator gives it."""

import os
import uuid
from collections.abc import Callable, Iterator

import pytest

from beam_jobs.pubsub_emulator import HOST_VARIABLE, Channel, create_channel, emulator
from schemas.errors import UserError

NewChannel = Callable[[], Channel]


@pytest.fixture(scope="session")
def emulator_host() -> Iterator[str]:
    """HOST:PORT of an emulator. Tests that need one are skipped without it, but fail in CI."""
    try:
        with emulator() as host:
            yield host
    except UserError as error:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(str(error))


@pytest.fixture(scope="module")
def new_channel(emulator_host: str) -> Iterator[NewChannel]:
    """Creates a topic with a subscription; in the module, clients and jobs use the emulator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOST_VARIABLE, emulator_host)
        yield lambda: create_channel(f"test-{uuid.uuid4().hex}")
