"""The settings of the engines: defaults, environment, addresses."""

from pathlib import Path

import pytest

from traverse_infra.commands.engines import load_settings
from traverse_infra.settings import Settings
from traverse_schemas.read_settings import InvalidSettingError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "KAFKA", "ELASTICSEARCH", "ENGINES", "JAVA_HOME", "START_TIMEOUT"):
        monkeypatch.delenv(f"TRAVERSE_{name}", raising=False)


def test_the_home_is_under_the_current_directory_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings().home.absolute() == tmp_path / ".traverse"
    assert Settings().engines_folder == tmp_path / ".traverse" / "engines"


def test_the_environment_sets_each_field(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))
    monkeypatch.setenv("TRAVERSE_KAFKA", "127.0.0.1:19092")
    monkeypatch.setenv("TRAVERSE_ELASTICSEARCH", "http://localhost:19200")
    settings = Settings()
    assert settings.home == tmp_path
    assert settings.kafka_address == ("127.0.0.1", 19092)
    assert settings.elasticsearch_address == ("localhost", 19200)


@pytest.mark.parametrize(
    ("kafka", "address"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("localhost", ("localhost", 9092)),
        ("a:1, b:2", ("a", 1)),
        ("[::1]:9092", ("::1", 9092)),
    ],
)
def test_the_address_of_kafka_is_read(kafka: str, address: tuple[str, int]) -> None:
    assert Settings(kafka=kafka).kafka_address == address


def test_every_field_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_wrong_value_is_a_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAVERSE_START_TIMEOUT", "bientôt")
    with pytest.raises(InvalidSettingError, match="TRAVERSE_START_TIMEOUT=bientôt"):
        load_settings()


@pytest.mark.parametrize("address", ["127.0.0.1:neuf", "127.0.0.1:99999"])
def test_a_port_that_is_none_is_a_sentence(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TRAVERSE_KAFKA", address)
    with pytest.raises(InvalidSettingError, match="TRAVERSE_KAFKA"):
        load_settings()
