"""Settings of publishing (environment: TRAVERSE_…)."""

from pathlib import Path

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
    publish_timeout: float = Field(
        default=30, gt=0, le=600, description="Seconds that one event may take to be delivered."
    )
