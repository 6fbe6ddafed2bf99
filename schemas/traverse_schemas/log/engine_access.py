"""How clients are let in by Kafka and Elasticsearch: TLS, and who they are. Knows no client.

Without settings: no TLS and nobody's name, as the engines on one machine are. Passwords come from
files: an environment and a command line are read by others. Each kind of client asks for the
words of its own constructor, so that no client is made without them.
"""

import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from traverse_schemas.errors import TraverseError
from traverse_schemas.read_settings import read_settings
from traverse_schemas.system_faults import fault

_MECHANISM = "SCRAM-SHA-512"


class AccessError(TraverseError):
    """A setting of access, or a file that it names, cannot be used."""


class EngineAccess(BaseSettings):
    """Who this program is for the engines (environment: TRAVERSE_…)."""

    model_config = SettingsConfigDict(env_prefix="TRAVERSE_", frozen=True, extra="ignore")

    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Kafka's security protocol; SASL is SCRAM-SHA-512."
    )
    kafka_user: str = Field(default="", description="User of Kafka (SASL).")
    kafka_password_file: Path | None = Field(default=None, description="File with its password.")
    kafka_ca: Path | None = Field(
        default=None, description="Certificates (PEM) that Kafka's must come from."
    )
    elasticsearch_user: str = Field(default="", description="User of Elasticsearch.")
    elasticsearch_password_file: Path | None = Field(
        default=None, description="File with its password."
    )
    elasticsearch_members_user: str = Field(
        default="",
        description="User of Elasticsearch that may read what is not public, for answers to "
        "members; the same user when empty.",
    )
    elasticsearch_members_password_file: Path | None = Field(
        default=None, description="File with its password."
    )
    elasticsearch_ca: Path | None = Field(
        default=None, description="Certificates (PEM) that Elasticsearch's must come from."
    )

    def kafka(self, bootstrap: str) -> dict[str, Any]:
        """The words that kafka-python's clients are made with. Raises AccessError."""
        words = self._kafka(bootstrap)
        if self.kafka_security.endswith("SSL"):
            words["ssl_context"] = _context(self.kafka_ca, "TRAVERSE_KAFKA_CA")
        return words

    def aiokafka(self, bootstrap: str) -> dict[str, Any]:
        """The words that aiokafka's clients are made with. Raises AccessError."""
        return {**self.kafka(bootstrap), "bootstrap_servers": bootstrap}

    def elasticsearch(self, address: str) -> dict[str, Any]:
        """The words that Elasticsearch's clients are made with. Raises AccessError."""
        words: dict[str, Any] = {"hosts": address}
        if self.elasticsearch_user:
            password = _secret(
                self.elasticsearch_password_file, "TRAVERSE_ELASTICSEARCH_PASSWORD_FILE"
            )
            words["basic_auth"] = (self.elasticsearch_user, password)
        if self.elasticsearch_ca is not None and address.startswith("https:"):
            words["ssl_context"] = _context(self.elasticsearch_ca, "TRAVERSE_ELASTICSEARCH_CA")
        return words

    def for_members(self) -> Self:
        """Who this program is for Elasticsearch when it answers a member."""
        if not self.elasticsearch_members_user:
            return self
        return self.model_copy(
            update={
                "elasticsearch_user": self.elasticsearch_members_user,
                "elasticsearch_password_file": self.elasticsearch_members_password_file,
            }
        )

    def _kafka(self, bootstrap: str) -> dict[str, Any]:
        words: dict[str, Any] = {
            "bootstrap_servers": bootstrap.split(","),
            "security_protocol": self.kafka_security,
        }
        if self.kafka_security.startswith("SASL"):
            if not self.kafka_user:
                raise AccessError(
                    f"TRAVERSE_KAFKA_SECURITY={self.kafka_security} demande un compte : donnez "
                    "TRAVERSE_KAFKA_USER et TRAVERSE_KAFKA_PASSWORD_FILE."
                )
            words |= {
                "sasl_mechanism": _MECHANISM,
                "sasl_plain_username": self.kafka_user,
                "sasl_plain_password": _secret(
                    self.kafka_password_file, "TRAVERSE_KAFKA_PASSWORD_FILE"
                ),
            }
        return words


def engine_access() -> EngineAccess:
    """Who this program is, by the environment. Raises InvalidSettingError."""
    return read_settings(EngineAccess)


def kafka_client(bootstrap: str) -> dict[str, Any]:
    """The words for a kafka-python client, by the environment. Raises AccessError,
    InvalidSettingError."""
    return engine_access().kafka(bootstrap)


def aiokafka_client(bootstrap: str) -> dict[str, Any]:
    """The words for an aiokafka client, by the environment. Raises AccessError,
    InvalidSettingError."""
    return engine_access().aiokafka(bootstrap)


def elasticsearch_client(address: str) -> dict[str, Any]:
    """The words for an Elasticsearch client, by the environment. Raises AccessError,
    InvalidSettingError."""
    return engine_access().elasticsearch(address)


def _secret(file: Path | None, setting: str) -> str:
    if file is None:
        raise AccessError(f"Le mot de passe manque : donnez le fichier qui le contient, {setting}.")
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise AccessError(
            f"{setting} : le fichier {file} ne peut pas être lu ({fault(error)})."
        ) from None


def _context(ca: Path | None, setting: str) -> ssl.SSLContext:
    """Checks certificates and names; without `ca`, against the system's authorities."""
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise AccessError(
            f"{setting} : {ca} n'est pas un fichier de certificats en PEM ({error})."
        ) from None
