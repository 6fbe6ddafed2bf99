"""Settings of the gateway (environment: TRAVERSE_…); nothing else of it reads the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from traverse_schemas.log.topics import MAX_EVENT_BYTES


class GatewaySettings(BaseSettings):
    """Where the gateway listens, where it writes, and how much it takes."""

    model_config = SettingsConfigDict(
        env_prefix="TRAVERSE_", frozen=True, extra="ignore", populate_by_name=True
    )

    home: Path = Field(default=Path(".traverse"), description="Folder of local state and keys.")
    kafka: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers.")
    gateway_host: str = Field(default="127.0.0.1", description="Interface the gateway listens on.")
    gateway_port: int = Field(default=8001, ge=1, le=65535, description="Port it listens on.")
    gateway_siren: str = Field(
        default="",
        pattern=r"^([0-9]{9})?$",
        description="SIREN of the institution that runs the gateway (role gateway): with its key, "
        "keys/SIREN.pem in the home folder, it signs for those that delegated to it.",
    )
    signatures: Literal["required", "off"] = Field(
        default="required",
        description="`required`: an event that nobody signs is refused. `off`: it is not, for "
        "platforms that do not ask for it.",
    )
    gateway_administration: Literal["on", "off"] = Field(
        default="on",
        description="`on`: API keys of scope `administer` may change the registry here "
        "(/v1/institutions). `off`: nobody may; those addresses do not exist.",
    )
    gateway_kafka_timeout: float = Field(
        default=1.8,
        gt=0,
        le=60,
        description="Seconds for which Kafka's acknowledgement is awaited before a 503.",
    )
    gateway_batch_events: int = Field(
        default=1000, ge=1, le=2000, description="Most events of one request."
    )
    gateway_body_octets: int = Field(
        default=4 * 1024 * 1024,
        ge=MAX_EVENT_BYTES,
        le=16 * 1024 * 1024,
        description="Most octets of one request's body, unpacked.",
    )
    gateway_memory_octets: int = Field(
        default=64 * 1024 * 1024,
        ge=MAX_EVENT_BYTES,
        description="Most octets of all bodies that are held at one time.",
    )
    gateway_rate: int = Field(
        default=60_000, ge=1, description="Events that one institution may send in a minute."
    )
    gateway_count: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="How many gateways share the institutions between them: each takes that part "
        "of an institution's events in a minute, and of what its day had left while Kafka is away. "
        "Otherwise the quota of a day holds over all of them anyway.",
    )
    gateway_spool: int = Field(
        default=0,
        ge=0,
        description="Octets that may wait on disk (gateway/spool.sqlite3 in the home folder) while "
        "Kafka is away, and be answered 202 meanwhile; 0: none, the answer is then 503.",
    )
    gateway_connections: int = Field(
        default=500, ge=1, description="Connections that are served at one time."
    )
    gateway_connections_per_address: int = Field(
        default=100,
        ge=1,
        description="Of them from one address. Connections of trusted proxies are not counted so.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks (commas between) of the proxies before the gateway.",
    )
    gateway_header_seconds: float = Field(
        default=10, gt=0, description="Seconds that a request's headers may take to come."
    )
    gateway_body_seconds: float = Field(
        default=30, gt=0, description="Seconds that a request's body may take to come."
    )
