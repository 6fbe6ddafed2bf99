"""The real engines of a test session, as a pytest plugin: the fixture `engines`.

One Kafka and one Elasticsearch for the whole session, and for each worker of pytest-xdist its own
(a journey takes all the topics), in a folder of the session's own on free ports, started by the
runner that `traverse up` uses. They fail, and never skip, when they cannot start; the session that
started them erases them.

With TRAVERSE_TEST_ENGINES=containers they are containers, from the images that
TRAVERSE_KAFKA_IMAGE and TRAVERSE_ELASTICSEARCH_IMAGE name.
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.containers import remove_containers, start_containers
from traverse_infra.engines.resources import available_memory
from traverse_infra.engines.runner import Engines
from traverse_infra.settings import Settings

# Engines that live for minutes never earn back what the second compiler takes of their time.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"

MEMORY_OF_A_WORKER = 5 * 2**30
"""Octets for its engines, those that a test starts to kill them, the steps and a browser."""
MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class RunningEngines:
    """Where the engines of this session answer."""

    kafka: str
    """`host:port`"""
    elasticsearch: str
    """URL"""
    settings: Settings
    """Those that they were started with."""


def engine_settings(home: Path, **more: Any) -> Settings:
    """Settings of engines of their own: free ports, and the checkout's installation."""
    engines = Path(__file__).parent.parent / ".traverse" / "engines"
    return Settings(
        **{
            "home": home,
            "engines": engines,
            "kafka": "127.0.0.1:0",
            "elasticsearch": "http://127.0.0.1:0",
            "java_options": JAVA_OPTIONS,
            **more,
        }
    )


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> RunningEngines:
    """Kafka and Elasticsearch, answering."""
    home = _home(request.config)
    settings = engine_settings(home)
    home.mkdir(parents=True, exist_ok=True)
    if settings.test_engines == "containers":
        kafka, elasticsearch = start_containers(home / "containers.json", settings)
    else:
        running = Engines(settings)
        running.up()
        kafka, elasticsearch = running.kafka, running.elasticsearch
    return RunningEngines(kafka, elasticsearch, settings)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many workers `-n auto` means: one more than there are cores, since tests on engines wait
    for them most of the time, as far as the memory goes; no more than long files can keep busy."""
    memory = available_memory() // MEMORY_OF_A_WORKER
    return max(1, min(memory, (psutil.cpu_count() or 1) + 1, MOST_WORKERS))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives a worker of pytest-xdist a place for engines of its own."""
    node.workerinput["traverse_home"] = str(_home(node.config) / node.gateway.id)


def pytest_configure(config: pytest.Config) -> None:
    """Erases what sessions that were killed left behind."""
    if _is_worker(config):
        return
    for left in _sessions(config).glob("*"):
        if not (left.name.isdigit() and psutil.pid_exists(int(left.name))):
            _erase(left)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first: begun last, one would keep its worker while the others have ended.

    Raises UsageError for tests on engines whose file does not say so: `make engines` looks there.
    """
    marked = {item.path for item in items if item.get_closest_marker("engines")}
    if unseen := [path for path in marked if "mark.engines" not in path.read_text("utf-8")]:
        raise pytest.UsageError(f"`make engines` would not see the tests of {unseen}")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The end of the session, after the workers': its engines go."""
    if not _is_worker(config) and _home(config).exists():
        _erase(_home(config))


def homes(session: Path) -> list[Path]:
    """The folders of a session that have engines: its own, or one of each of its workers."""
    return [session, *(one for one in session.glob("gw*") if one.is_dir())]


def _erase(session: Path) -> None:
    with ThreadPoolExecutor() as pool:  # engines take their time to end
        list(pool.map(_erase_home, homes(session)))
    shutil.rmtree(session, ignore_errors=True)


def _erase_home(home: Path) -> None:
    remove_containers(home / "containers.json")
    Engines(engine_settings(home)).erase()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _sessions(config: pytest.Config) -> Path:
    return config.rootpath / ".traverse" / "test"


def _home(config: pytest.Config) -> Path:
    if _is_worker(config):
        return Path(config.workerinput["traverse_home"])  # type: ignore[attr-defined]
    return _sessions(config) / str(os.getpid())
