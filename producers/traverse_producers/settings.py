"""Settings of publishing (environment: TRAVERSE_…)."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PublishSettings(BaseSettings):
    """Where to publish, and how long to wait."""

    model_config = SettingsConfigDict(env_prefix="TRAVERSE_", frozen=True, extra="ignore")

    home: Path = Field(default=Path(".traverse"), description="Folder of local state and keys.")
    kafka: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers.")
    gateway: str = Field(
        default="", description="Address of the gateway to publish through, instead of Kafka."
    )
    api_key_file: Path | None = Field(
        default=None, description="File with the institution's API key, for the gateway."
    )
    signatures: Literal["required", "off"] = Field(
        default="required",
        description="`required`: every event is signed with its institution's key. `off`: none "
        "is, for platforms that do not ask for it.",
    )
    publish_timeout: float = Field(
        default=30, gt=0, le=600, description="Seconds that one event may take to be delivered."
    )

    @property
    def keys(self) -> Path:
        """The folder of the private signing keys."""
        return self.home / "keys"
