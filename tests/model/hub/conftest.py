"""Modules of TF Hub, and a server of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.hub.modules import Odd
from tests.model.hub.server import HubServer, hub_server, likeness


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub_server() as running:
        yield running


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    return likeness(tmp_path / "module")


@pytest.fixture
def odd(toy_vocabulary: Path) -> Odd:
    return Odd(toy_vocabulary)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "module"
