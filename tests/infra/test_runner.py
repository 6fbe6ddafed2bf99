"""Starting, finding again and stopping, with real engines."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from elasticsearch import Elasticsearch

from tests.engines import RunningEngines, engine_settings
from traverse_infra.engines.elasticsearch_engine import place, reachable, service_account
from traverse_infra.engines.install import install
from traverse_infra.engines.java import find_java
from traverse_infra.engines.kafka_engine import KafkaEngine
from traverse_infra.engines.runner import Engines
from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import EngineError, StartError

pytestmark = pytest.mark.engines


@pytest.fixture
def local(engines: RunningEngines) -> RunningEngines:
    """The session's engines, where they are processes of the runner."""
    if engines.settings.test_engines != "local":
        # A runner's processes cannot be tested on containers: start them all the same.
        Engines(engines.settings).up()
    return engines


@pytest.fixture
def hidden(tmp_path: Path) -> Iterator[Path]:
    """A home that only its owner can enter, like one under /root; its engines end with the test."""
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    yield home
    Engines(engine_settings(home)).erase()


def test_up_again_starts_nothing(local: RunningEngines) -> None:
    before = Engines(local.settings).status()
    assert Engines(local.settings).up() is False
    after = Engines(local.settings).status()
    assert [state.pid for state in after] == [state.pid for state in before]
    assert [state.state for state in after] == ["running", "running"]


def test_both_engines_run_with_the_options_of_java(local: RunningEngines) -> None:
    options = local.settings.java_options.split()
    assert options
    for state in Engines(local.settings).status():
        assert state.pid is not None
        assert set(options) <= set(psutil.Process(state.pid).cmdline())


def test_running_engines_are_not_moved_to_another_port(local: RunningEngines) -> None:
    settings = local.settings.model_copy(update={"kafka": "127.0.0.1:1"})
    with pytest.raises(EngineError, match="tourne déjà sur le port"):
        Engines(settings).up()


def test_a_cluster_id_may_begin_with_a_hyphen(
    engines: RunningEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in 64 does, and must not be read as an option of the command that formats."""
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" * 16))
    java = find_java(engines.settings)
    installation = install(engines.settings.engines_folder, java, print)
    KafkaEngine(tmp_path, 1, 2, "512m").prepare(installation, java)
    assert "cluster.id=-" in (tmp_path / "data" / "meta.properties").read_text()


def test_the_main_page_says_who_answers(engines: RunningEngines) -> None:
    with Elasticsearch(engines.elasticsearch) as client:
        info = client.info()
        assert client.ping()
    assert info["tagline"] == "You Know, for Search"
    assert info["version"]["number"].startswith("8.19.")
    assert info["cluster_uuid"]


def test_engines_outlive_a_killed_runner_and_are_found_again(hidden: Path) -> None:
    """Killed at the worst moment: launched, nothing ready, nothing recorded yet."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.engines import engine_settings\n"
        "from traverse_infra.engines.runner import Engines\n"
        "Engines._await = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Engines(engine_settings(Path(sys.argv[1]))).up()\n"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", program, str(hidden)], cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL

    engines = Engines(engine_settings(hidden))
    assert engines.up() is False  # found, waited for, none started
    assert [state.state for state in engines.status()] == ["running", "running"]

    account = service_account()
    folder = place(hidden, account)
    if account:  # we are root: Elasticsearch's account cannot enter the home
        assert not reachable(hidden, account)
        assert not folder.is_relative_to(hidden)
    else:
        assert folder == hidden / "elasticsearch"
    assert (folder / "data").is_dir()

    assert engines.down() is True
    assert [state.state for state in engines.status()] == ["stopped", "stopped"]
    assert engines.down() is False


def test_an_engine_that_dies_is_a_sentence_with_its_log_and_leaves_nothing(hidden: Path) -> None:
    engines = Engines(engine_settings(hidden))
    (hidden / "kafka" / "data").mkdir(parents=True)
    (hidden / "kafka" / "data" / "meta.properties").write_text("version=1\ncluster.id=a\n")
    with pytest.raises(StartError, match=r"Kafka s’est arrêté .*kafka\.log.*Dernière erreur"):
        engines.up()
    assert wait_until(
        lambda: all(state.state == "stopped" for state in engines.status()), timeout=10
    )
