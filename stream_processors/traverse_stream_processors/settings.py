"""Settings of the stream processors (environment: TRAVERSE_…)."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProcessorSettings(BaseSettings):
    """Where the engines are and how much is done at once."""

    model_config = SettingsConfigDict(env_prefix="TRAVERSE_", frozen=True, extra="ignore")

    home: Path = Field(default=Path(".traverse"), description="Folder of local state.")
    kafka: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers.")
    elasticsearch: str = Field(
        default="http://127.0.0.1:9200", description="Address of Elasticsearch."
    )
    batch_size: int = Field(
        default=500, ge=1, le=5000, description="Most events handled at once, per step."
    )
    batch_wait: float = Field(
        default=0.05, gt=0, le=5, description="Longest wait (seconds) for a batch to fill."
    )
    index_wait: float = Field(
        default=0.15,
        gt=0,
        le=5,
        description="The same where documents are linked and indexed: each small batch refreshes "
        "the index.",
    )
    session_timeout: float = Field(
        default=10,
        ge=6,
        le=300,
        description="Seconds after which Kafka gives a silent worker's partitions to another.",
    )
    acknowledge_every: float = Field(
        default=1.0,
        ge=0.05,
        le=60,
        description="Seconds between two acknowledgements to Kafka: what a worker that is killed "
        "did since the last one, it does again.",
    )
    institutions: Path | None = Field(
        default=None,
        description="JSON file of institutions (siren, name, kind) beyond the reference tables; "
        "default: institutions.json in the home folder, where there is one.",
    )
    likeness: Path | None = Field(
        default=None,
        description="File of the likeness model (`traverse train`); default: likeness.npz in the "
        "home folder where there is one, else the model that comes with the product.",
    )
    signatures: Literal["required", "off"] = Field(
        default="required",
        description="`required`: an event counts only when a key of its institution signed it. "
        "`off`: anybody who may write traverse.inbound speaks for everybody; for a closed network "
        "where the broker's own rights tell who writes.",
    )
    start_wait: float = Field(
        default=60,
        gt=0,
        description="Seconds that reading the registry of institutions may take at the start.",
    )
    stall_after: float = Field(
        default=120,
        gt=0,
        description="Seconds without progress, while events wait, after which the worker leaves "
        "so that it is started afresh.",
    )

    @property
    def institutions_file(self) -> Path:
        return self.institutions or self.home / "institutions.json"

    @property
    def likeness_file(self) -> Path:
        return self.likeness or self.home / "likeness.npz"
