"""Journeys on the session's engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import RunningEngines, engine_settings
from tests.journey.harness import Journey
from traverse_infra.engines.runner import Engines


@pytest.fixture
def journey(engines: RunningEngines, tmp_path: Path) -> Iterator[Journey]:
    """Fresh topics, indices and local state; no worker runs yet."""
    one = Journey(engines.kafka, engines.elasticsearch, tmp_path / "home")
    one.begin()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def flowing(engines: RunningEngines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """A journey with both steps at work, shared by the tests of a module: each uses subjects of
    its own."""
    one = Journey(engines.kafka, engines.elasticsearch, tmp_path_factory.mktemp("flow") / "home")
    one.begin()
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def own(engines: RunningEngines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Engines that a test may kill: nobody else's. Started again by `up`."""
    one = Engines(engine_settings(tmp_path_factory.mktemp("own") / "home"))
    one.up()
    yield one
    one.erase()
