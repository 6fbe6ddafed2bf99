"""The commands `status` and `down`, where nothing was started."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from traverse_infra.commands import engines as commands_engines
from traverse_infra.commands.engines import describe
from traverse_infra.engines.runner import EngineStatus


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> typer.Typer:
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path / "home"))
    app = typer.Typer()
    app.command()(commands_engines.down)
    app.command()(commands_engines.status)
    return app


def test_status_says_in_french_what_is_stopped_and_fails(command: typer.Typer) -> None:
    done = CliRunner().invoke(command, ["status"])
    assert done.exit_code == 3
    assert "Kafka : arrêté, 127.0.0.1:9092" in done.output
    assert "Elasticsearch : arrêté, http://127.0.0.1:9200" in done.output


def test_status_as_json_is_for_programs(command: typer.Typer) -> None:
    done = CliRunner().invoke(command, ["status", "--json"])
    assert done.exit_code == 3
    engines = json.loads(done.output)["engines"]
    assert [(each["name"], each["state"]) for each in engines] == [
        ("Kafka", "stopped"),
        ("Elasticsearch", "stopped"),
    ]


def test_stopping_nothing_is_no_error(command: typer.Typer) -> None:
    done = CliRunner().invoke(command, ["down"])
    assert done.exit_code == 0
    assert done.output == "Aucun moteur n’était en marche.\n"


def test_a_running_engine_is_one_line() -> None:
    state = EngineStatus("Kafka", "running", "127.0.0.1:9092", 12, 380, "/x/kafka.log")
    assert describe(state) == (
        "Kafka : en marche, 127.0.0.1:9092 (processus 12, 380 Mo, journal /x/kafka.log)"
    )
