import logging
import platform
import sys

import hypothesis
import pytest

from beam_jobs.logs import JOB_LOGGER

pytest_plugins = ["tests.gcs.fixtures"]

# Elsewhere tfx-bsl can't be installed (see setup.py): only there may its tests be left out.
HAS_TFX_BSL = sys.version_info >= (3, 11) and (
    platform.system() != "Linux" or platform.machine() != "aarch64"
)

# The same examples on every run, on machines of any speed.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _everything_is_logged() -> None:
    """A job in this process with --quiet leaves its loggers so that they say nothing any more."""
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger(JOB_LOGGER).setLevel(logging.NOTSET)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if HAS_TFX_BSL:
        return
    for item in items:
        parameters = item.nodeid.partition("[")[2]
        if item.get_closest_marker("tfx_bsl") or "tfrecord" in parameters:
            item.add_marker(pytest.mark.skip(reason="tfx-bsl has no release for this machine"))
