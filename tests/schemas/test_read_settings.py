"""A wrong setting is one French sentence that names its variable, for every program."""

import sys

import pytest
from pydantic_settings import BaseSettings

from traverse_infra import cli
from traverse_infra.settings import Settings
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.settings import PublishSettings
from traverse_schemas.log.engine_access import EngineAccess
from traverse_schemas.read_settings import InvalidSettingError, read_settings
from traverse_search_api.settings import SearchSettings
from traverse_stream_processors.settings import ProcessorSettings


@pytest.mark.parametrize(
    ("settings", "name", "value", "said"),
    [
        (SearchSettings, "SEARCH_PORT", "abc", "il doit être un nombre entier"),
        (SearchSettings, "PUBLIC_ADDRESS", "traverse.fr", "il n'a pas la forme attendue"),
        (PublishSettings, "PUBLISH_TIMEOUT", "longtemps", "il doit être un nombre"),
        (GatewaySettings, "GATEWAY_SIREN", "12", "il n'a pas la forme attendue"),
        (ProcessorSettings, "BATCH_SIZE", "0", "il doit être supérieur ou égal à 1"),
        (EngineAccess, "KAFKA_SECURITY", "TLS", "il doit être PLAINTEXT, SSL"),
        (Settings, "SECURE", "oui", "il doit être true ou false"),
        (Settings, "KAFKA", "a:neuf", "son port n’est pas un nombre"),
    ],
)
def test_a_value_that_a_setting_does_not_take_is_said_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, settings: type[BaseSettings], name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"TRAVERSE_{name}", value)
    with pytest.raises(InvalidSettingError) as refused:
        read_settings(settings)
    assert str(refused.value).startswith(f"Réglage TRAVERSE_{name}={value} : ")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("search", "voirie"), "SEARCH_PORT", "abc"),
        (("serve", "search"), "SEARCH_TIMEOUT", "0"),
        (("serve", "gateway"), "GATEWAY_PORT", "-1"),
        (("receipt", "urn:siren:211300553", "1"), "PUBLISH_TIMEOUT", "longtemps"),
        (("rejected", "list"), "SIGNATURES", "non"),
        (("work", "--step", "validate"), "BATCH_WAIT", "jamais"),
        (("status",), "START_TIMEOUT", "bientôt"),
        (("institutions", "add", "123", "--name", "X", "--kind", "commune"), "", ""),
    ],
)
def test_no_command_answers_a_mistake_with_a_traceback_or_in_english(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], name: str, value: str
) -> None:
    """What ends the program is the sentence that people read."""
    if name:
        monkeypatch.setenv(f"TRAVERSE_{name}", value)
    monkeypatch.setattr(sys, "argv", ["traverse", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = str(ended.value.code)
    assert said.startswith(f"Erreur : Réglage TRAVERSE_{name}=" if name else "Erreur : ")
    assert not [word for word in ("Input", "Value", "should", "valid ") if word in said]
