"""Who a program is for the engines: words for every kind of client, passwords from files."""

import ssl
from pathlib import Path

import pytest

from traverse_schemas.log.engine_access import (
    AccessError,
    EngineAccess,
    aiokafka_client,
    elasticsearch_client,
    kafka_client,
)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("secret\n")
    return file


def test_without_settings_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in an environment that has settings of others."""
    for name in ("KAFKA_SECURITY", "KAFKA_USER", "ELASTICSEARCH_USER"):
        monkeypatch.delenv(f"TRAVERSE_{name}", raising=False)
    assert kafka_client("a:1,b:2") == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
    }
    assert elasticsearch_client("http://x:9200") == {"hosts": "http://x:9200"}


def test_a_user_of_kafka_comes_with_the_password_of_a_file(password: Path) -> None:
    access = EngineAccess(
        kafka_security="SASL_SSL", kafka_user="publisher", kafka_password_file=password
    )
    words = access.kafka("a:1")
    context = words.pop("ssl_context")
    assert words == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "publisher",
        "sasl_plain_password": "secret",
    }
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert access.aiokafka("a:1,b:2")["bootstrap_servers"] == "a:1,b:2"


def test_no_password_is_shown(password: Path) -> None:
    access = EngineAccess(elasticsearch_user="search", elasticsearch_password_file=password)
    assert access.elasticsearch("https://x:9200")["basic_auth"] == ("search", "secret")
    assert "secret" not in repr(access) + access.model_dump_json()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"KAFKA_SECURITY": "SASL_SSL"}, "TRAVERSE_KAFKA_USER"),
        ({"KAFKA_SECURITY": "SASL_SSL", "KAFKA_USER": "u"}, "TRAVERSE_KAFKA_PASSWORD_FILE"),
        (
            {"KAFKA_SECURITY": "SASL_SSL", "KAFKA_USER": "u", "KAFKA_PASSWORD_FILE": "/none"},
            "ne peut pas être lu",
        ),
        ({"KAFKA_SECURITY": "SSL", "KAFKA_CA": "/none"}, "TRAVERSE_KAFKA_CA"),
        ({"KAFKA_SECURITY": "SSL", "KAFKA_CA": __file__}, "certificats en PEM"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"TRAVERSE_{name}", value)
    with pytest.raises(AccessError, match=said):
        aiokafka_client("a:1")
