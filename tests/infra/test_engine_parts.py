"""The parts of the runner that need no engine: Java, ports, memory, logs, processes."""

import fcntl
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from traverse_infra.engines.elasticsearch_engine import elasticsearch_yml
from traverse_infra.engines.engine import last_error
from traverse_infra.engines.install import fingerprint
from traverse_infra.engines.java import find_java, find_maven, java_version
from traverse_infra.engines.kafka_engine import server_properties
from traverse_infra.engines.ports import free_ports, is_loopback, is_taken
from traverse_infra.engines.process import ProcessRecord, stop
from traverse_infra.engines.resources import check_disk, check_heap
from traverse_infra.engines.runner import Engines
from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import (
    HeapError,
    HomeInUseError,
    MissingToolError,
    NotEnoughDiskError,
    NotLocalError,
    PortTakenError,
)
from traverse_infra.settings import Settings


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("command not found", None),
    ],
)
def test_the_version_of_java_is_read(said: str, version: int | None) -> None:
    assert java_version(said) == version


def test_a_missing_java_is_a_sentence_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match=r"Java est introuvable.*apt-get install"):
        find_java(Settings())
    with pytest.raises(MissingToolError, match=r"Maven .*apt-get install"):
        find_maven()


def test_a_java_home_without_java_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match=str(tmp_path)):
        find_java(Settings(java_home=tmp_path))


def test_java_comes_with_the_options_of_the_settings() -> None:
    assert find_java(Settings(java_options=" -Xint  -Da=b ")).options == ("-Xint", "-Da=b")
    assert find_java(Settings(java_options="")).options == ()


def test_an_old_java_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    program.chmod(0o755)
    with pytest.raises(MissingToolError, match="Java 11 est trop ancien"):
        find_java(Settings(java_home=tmp_path))


@pytest.mark.parametrize("heap", ["64m", "64000g", "beaucoup"])
def test_a_heap_that_does_not_suit_is_a_sentence(heap: str) -> None:
    with pytest.raises(HeapError, match=f"TRAVERSE_X_HEAP={heap}"):
        check_heap(heap, "TRAVERSE_X_HEAP", least=2**28, available=2**33)


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDiskError, match="faites de la place"):
        check_disk(tmp_path / "not" / "there" / "yet", 2**60)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.1"])
def test_the_loopback_is_ours(host: str) -> None:
    assert is_loopback(host)


def test_an_engine_of_another_machine_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(NotLocalError, match=r"TRAVERSE_KAFKA désigne kafka\.example"):
        Engines(Settings(home=tmp_path, kafka="kafka.example:9092")).up()


def test_a_port_that_is_taken_is_a_sentence_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert is_taken(port)
        settings = Settings(
            home=tmp_path, kafka="127.0.0.1:0", elasticsearch=f"http://127.0.0.1:{port}"
        )
        with pytest.raises(PortTakenError, match=f"{port}.*TRAVERSE_ELASTICSEARCH"):
            Engines(settings).up()
    assert not is_taken(port)


def test_free_ports_are_free_and_different() -> None:
    ports = free_ports(4)
    assert len(set(ports)) == 4
    assert not any(is_taken(port) for port in ports)


def test_a_second_runner_of_the_same_folder_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka="127.0.0.1:0", elasticsearch="http://127.0.0.1:0")
    with (tmp_path / "lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with pytest.raises(HomeInUseError, match=str(tmp_path)):
            Engines(settings).up()
        with pytest.raises(HomeInUseError, match=str(tmp_path)):
            Engines(settings).down()


def test_stopping_what_never_started_does_nothing(tmp_path: Path) -> None:
    assert not Engines(Settings(home=tmp_path / "none")).down()
    assert [state.state for state in Engines(Settings(home=tmp_path / "none")).status()] == [
        "stopped",
        "stopped",
    ]


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that carries a mark and waits for its end."""
    command = [sys.executable, "-c", "input()", "-Dmark=mine"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_process_is_found_by_its_mark_then_by_its_record(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    path = tmp_path / "process.json"
    assert ProcessRecord(path, ("-Dmark=other",)).find() is None
    found = wait_until(ProcessRecord(path, ("-Dmark=mine",)).find, timeout=10)
    assert found
    assert found.pid == sleeper.pid
    by_record = ProcessRecord(path, ("-Dmark=other",)).find()
    assert by_record
    assert by_record.pid == sleeper.pid


def test_a_number_that_the_system_gave_again_is_not_our_process(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    path = tmp_path / "process.json"
    started = psutil.Process(sleeper.pid).create_time()
    path.write_text(json.dumps({"pid": sleeper.pid, "started": started - 60}))
    assert ProcessRecord(path, ("-Dmark=other",)).find() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_a_torn_record_is_no_record(tmp_path: Path, text: str) -> None:
    path = tmp_path / "process.json"
    path.write_text(text)
    assert ProcessRecord(path, ("-Dmark=other",)).find() is None


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    program = (
        "import pathlib, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        assert wait_until(ready.exists, timeout=10)
        stop([psutil.Process(process.pid)], patience=0.1)
    assert process.poll() is not None


def test_the_last_error_of_a_log_is_found() -> None:
    log = "INFO a\n[2026][ERROR][o.e.b] first\nINFO b\n[2026][ERROR][o.e.b] last \nINFO c\n"
    assert last_error(log) == "[2026][ERROR][o.e.b] last"
    assert last_error("INFO a\n") is None


def test_waiting_ends_at_the_deadline() -> None:
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    assert wait_until(lambda: None, timeout=5, clock=lambda: now[0], pause=pause) is None
    assert now[0] == pytest.approx(5)


def test_the_installation_is_named_by_what_it_is_built_from(tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    (tmp_path / "pom.xml").write_text("<project/>")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    (tmp_path / "plugin" / "A.java").write_text("class A {}")
    assert fingerprint(tmp_path) != before


def test_the_engines_listen_on_the_loopback_only(tmp_path: Path) -> None:
    kafka = server_properties(tmp_path, 9092, 9093)
    assert "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n" in kafka
    assert "auto.create.topics.enable=false\n" in kafka
    node = json.loads(elasticsearch_yml(tmp_path, 9200, 9300))
    assert node["network.host"] == "127.0.0.1"
    assert node["action.auto_create_index"] is False
