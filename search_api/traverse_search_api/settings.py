"""Settings of the search service (environment: TRAVERSE_…); nothing else here reads it."""

from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from traverse_schemas.clock import Clock, clock_from
from traverse_search_api.engines.line import AT_ONCE
from traverse_search_api.institutions.showcase_errors import InvalidOriginError
from traverse_search_api.institutions.showcases import origin_of


class SearchSettings(BaseSettings):
    """Where the service listens, what it reads, and from which date it judges."""

    model_config = SettingsConfigDict(env_prefix="TRAVERSE_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path(".traverse"), description="Folder of what is kept on this machine."
    )
    elasticsearch: str = Field(
        default="http://127.0.0.1:9200", description="Address of Elasticsearch."
    )
    search_timeout: float = Field(
        default=10, gt=0, le=120, description="Seconds that Elasticsearch may take to answer."
    )
    search_patience: float = Field(
        default=1,
        gt=0,
        le=60,
        description="Seconds without an answer after which Elasticsearch is asked whether it is "
        "there at all.",
    )
    searches_at_once: int = Field(
        default=AT_ONCE,
        ge=1,
        le=1000,
        description="Searches that Elasticsearch is asked at a time; the others stand in line. "
        "More where it has more than ten cores.",
    )
    as_of: str = Field(
        default="",
        description="Date from which open and closed are judged (2023-05-31 or ISO 8601); the "
        "machine's clock when empty.",
    )
    search: str = Field(
        default="http://127.0.0.1:8000",
        description="Address at which `traverse search` finds the service.",
    )
    search_host: str = Field(default="127.0.0.1", description="Interface the service listens on.")
    search_port: int = Field(default=8000, ge=1, le=65535, description="Port it listens on.")
    search_connections: int = Field(
        default=1000, ge=1, description="Connections that are served at one time, beside streams."
    )
    search_connections_per_address: int = Field(
        default=100,
        ge=1,
        description="Of them from one address, beside the streams that it may have. Connections of "
        "trusted proxies are not counted by address.",
    )
    search_request_seconds: float = Field(
        default=15,
        gt=0,
        description="Seconds that a request's headers may take to come, and then its body.",
    )
    kafka: str = Field(
        default="127.0.0.1:9092", description="Kafka bootstrap servers: the changes for streams."
    )
    streams: int = Field(default=5000, ge=1, description="Most streams open at once.")
    streams_per_address: int = Field(
        default=20, ge=1, description="Most streams that one address may have open."
    )
    streams_per_key: int = Field(
        default=100, ge=1, description="Most streams that the keys of one institution may have."
    )
    address_rate: int = Field(
        default=1200, ge=1, description="Requests a minute from one address without a key."
    )
    key_rate: int = Field(
        default=6000, ge=1, description="Requests a minute with the keys of one institution."
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks (commas between) of the proxies whose X-Forwarded-For "
        "and X-Forwarded-Proto are believed.",
    )
    stream_heartbeat: float = Field(
        default=15,
        gt=0,
        le=300,
        description="Seconds between two signs of life of a silent stream.",
    )
    cursor_key: SecretStr = Field(
        default_factory=lambda: SecretStr(token_hex(32)),
        description="Secret that signs the cursors of pages and the positions of streams; the "
        "same for all processes of one service. By default a new one at each start: cursors then "
        "end with the process.",
    )
    public_address: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://[^/\s]+$",
        description="Address at which people reach the pages. With https, cookies are for TLS "
        "alone, and their names begin with __Host-.",
    )
    session_key: SecretStr = Field(
        default_factory=lambda: SecretStr(token_hex(32)),
        description="Secret that seals the sessions of people who signed in; the same for all "
        "processes of one service. By default a new one at each start: sessions then end with the "
        "process.",
    )
    session_minutes: int = Field(
        default=60, ge=1, le=24 * 60, description="Minutes after which an unused session ends."
    )
    session_hours: int = Field(
        default=12, ge=1, le=7 * 24, description="Hours after which any session ends."
    )
    gateway: str = Field(
        default="",
        description="Address of the gateway that the pages publish through; none: they do not "
        "publish.",
    )
    api_key_file: Path | None = Field(
        default=None,
        description="File with the API key of the pages at the gateway (scope on_behalf, of the "
        "institution that runs the gateway).",
    )
    oidc_issuer: str = Field(
        default="",
        description="Address of an OpenID Connect provider where people sign in; none: with a "
        "password only.",
    )
    oidc_client_id: str = Field(default="", description="What this service is to the provider.")
    oidc_client_secret_file: Path | None = Field(
        default=None, description="File with the secret that the provider gave this service."
    )
    oidc_name: str = Field(
        default="mon fournisseur d’identité", description="What people call the provider."
    )
    smtp_host: str = Field(
        default="", description="Mail server that takes the e-mails of alerts; none: none goes."
    )
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="How the connection to it is protected."
    )
    smtp_user: str = Field(
        default="", description="User of the mail server, where it asks for one."
    )
    smtp_password_file: Path | None = Field(default=None, description="File with its password.")
    smtp_sender: str = Field(
        default="alertes@traverse.invalid", description="Address that the e-mails come from."
    )
    webhook_private: bool = Field(
        default=False,
        description="Let webhooks of alerts go to addresses that are not public, and without TLS: "
        "for receivers on the operator's own network.",
    )
    showcase_origins: str = Field(
        default="",
        description="Sites that may show the public list of /vitrine in a frame, with spaces "
        "between (https://www.exemple.fr, over TLS but for localhost and 127.0.0.1); none: no site "
        "may.",
    )
    synonyms: Path | None = Field(
        default=None,
        description="File of synonyms in place of the product's own; read again when it changes.",
    )
    zones: Path | None = Field(
        default=None,
        description="File of named zones (JSON: name to communes) for `territory=zone:NAME`.",
    )
    cursor_minutes: int = Field(
        default=5, ge=1, le=60, description="Minutes for which the next page may be asked for."
    )

    @field_validator("showcase_origins")
    @classmethod
    def _only_origins(cls, text: str) -> str:
        """As they stand in a header. Raises InvalidOriginError."""
        try:
            return " ".join(dict.fromkeys(origin_of(one) for one in text.split()))
        except InvalidOriginError as error:
            raise InvalidOriginError(error.text, "TRAVERSE_SHOWCASE_ORIGINS : ") from None

    @cached_property
    def clock(self) -> Clock:
        """The one clock of the service. Raises InvalidClockError when `as_of` is no date."""
        return clock_from(self.as_of)
