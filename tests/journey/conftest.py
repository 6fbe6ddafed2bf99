"""Journeys on the session's engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import RunningEngines
from tests.journey.harness import Journey


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
