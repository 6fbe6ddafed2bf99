"""Where the engines are and how big they may grow. The only module of this package that reads the
environment: every field is a variable `TRAVERSE_<FIELD>`."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from traverse_infra.engines.ports import is_loopback


class Settings(BaseSettings):
    """The settings of the local engines.

    A port 0 in `kafka` or `elasticsearch` means: choose a free one at the first start and keep it
    (tests and second instances); `Engines` then tells the address.
    """

    model_config = SettingsConfigDict(env_prefix="TRAVERSE_", frozen=True, populate_by_name=True)

    home: Path = Field(
        default=Path(".traverse"),
        description="Folder of everything that is kept on this machine: engines, data, logs, keys.",
    )
    engines: Path | None = Field(
        default=None,
        description="Folder where the engines are installed; `engines` under the home by default. "
        "Instances may share one.",
    )
    kafka: str = Field(default="127.0.0.1:9092", description="Address of Kafka, host:port.")
    elasticsearch: str = Field(
        default="http://127.0.0.1:9200", description="Address of Elasticsearch, a URL."
    )
    kafka_heap: str = Field(
        default="512m", description="Java heap of the local Kafka, like 512m or 1g."
    )
    elasticsearch_heap: str = Field(
        default="1g", description="Java heap of the local Elasticsearch, like 512m or 1g."
    )
    java_options: str = Field(
        default="",
        description="More options for the Java of the local engines, between spaces.",
    )
    secure: bool = Field(
        default=False,
        description="The secure profile of the local engines: TLS, users and permissions.",
    )
    replication: int | None = Field(
        default=None,
        ge=1,
        description="On how many brokers each new topic lies; the cluster's own default when unset "
        "(1 locally). 3 in production.",
    )
    min_insync_replicas: int | None = Field(
        default=None,
        ge=1,
        description="How many of these must have a message before it counts as written; the "
        "cluster's own default when unset (1 locally). 2 in production.",
    )
    java_home: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("TRAVERSE_JAVA_HOME", "JAVA_HOME"),
        description="The JDK to use; by default the `java` found on the path.",
    )
    start_timeout: float = Field(
        default=120, gt=0, description="Seconds that an engine may take to be ready."
    )
    kafka_image: str = Field(
        default="apache/kafka:4.1.0", description="Container image of Kafka, for tests."
    )
    elasticsearch_image: str = Field(
        default="docker.elastic.co/elasticsearch/elasticsearch:8.19.9",
        description="Container image of Elasticsearch, for tests.",
    )
    check_minutes: float = Field(
        default=60,
        ge=0,
        description="Minutes between two checks of the index in the background of `traverse work`; "
        "0: none.",
    )
    check_metrics: str = Field(
        default="127.0.0.1:8002",
        pattern=r"^([^:]+:[0-9]{1,5})?$",
        description="Where `traverse work` tells Prometheus of these checks, host:port; empty: "
        "nowhere.",
    )
    test_engines: str = Field(
        default="local",
        pattern="^(local|containers)$",
        description="What the tests run on: `local` processes or `containers`.",
    )

    @field_validator("home", "engines")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        """Engines run in folders of their own: a relative path would mean another one there."""
        return folder.expanduser().absolute() if folder else folder

    @field_validator("kafka", "elasticsearch")
    @classmethod
    def _with_a_port(cls, address: str) -> str:
        """`urlsplit` refuses a port that is no number, or too big, when it is asked for."""
        for each in address.split(","):
            try:
                _host_port(each if "//" in each else f"//{each.strip()}", 0)
            except ValueError:
                raise ValueError("son port n’est pas un nombre jusqu’à 65535, comme 9092") from None
        return address

    @property
    def engines_folder(self) -> Path:
        """Where the engines are installed."""
        return (self.engines or self.home / "engines").absolute()

    @property
    def local(self) -> bool:
        """Whether the engines are of this machine, for `traverse up` to start."""
        return is_loopback(self.kafka_address[0]) and is_loopback(self.elasticsearch_address[0])

    @property
    def keys(self) -> Path:
        """Folder of the private signing keys of this machine."""
        return self.home.absolute() / "keys"

    @property
    def kafka_address(self) -> tuple[str, int]:
        """Host and port of Kafka (of the first server, when several are listed)."""
        return _host_port(f"//{self.kafka.split(',', maxsplit=1)[0].strip()}", 9092)

    @property
    def elasticsearch_address(self) -> tuple[str, int]:
        """Host and port of Elasticsearch."""
        return _host_port(self.elasticsearch, 9200)


def _host_port(url: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(url)
    port = parts.port
    return parts.hostname or "", default_port if port is None else port
