"""Kafka and Elasticsearch as containers, for `tests/engines.py`.

The images are the official ones, or any that read their configuration from the same environment
variables: `KAFKA_…` for Kafka; names with dots for Elasticsearch. So where nothing can be pulled,
build two small images on a Java base: copy `kafka/libs` or `elasticsearch` from the installation
that `traverse up` made, with an entrypoint that turns these variables into `server.properties`
or into `-Ename=value`, and name them in TRAVERSE_KAFKA_IMAGE and TRAVERSE_ELASTICSEARCH_IMAGE.
"""

import json
from pathlib import Path
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from traverse_infra.engines.ports import free_ports
from traverse_infra.engines.waiting import wait_until
from traverse_infra.settings import Settings


def start_containers(record: Path, settings: Settings) -> tuple[str, str]:
    """Kafka's and Elasticsearch's addresses, once both answer; the same at the second call."""
    if record.exists():
        known = json.loads(record.read_text())
        return known["kafka"], known["elasticsearch"]
    kafka_port, elasticsearch_port = free_ports(2)
    kafka, elasticsearch = f"127.0.0.1:{kafka_port}", f"http://127.0.0.1:{elasticsearch_port}"
    ids: list[str] = []

    def start(container: Any) -> None:
        ids.append(container.start().get_wrapped_container().id)
        known = {"kafka": kafka, "elasticsearch": elasticsearch, "ids": ids}
        record.with_suffix(".starting").write_text(json.dumps(known))

    start(_kafka(settings.kafka_image, kafka_port))
    start(_elasticsearch(settings, elasticsearch_port))
    timeout = settings.start_timeout
    assert wait_until(lambda: _kafka_answers(kafka), timeout=timeout), f"no Kafka at {kafka}"
    assert wait_until(lambda: _elasticsearch_answers(elasticsearch), timeout=timeout), (
        f"no Elasticsearch at {elasticsearch}"
    )
    record.with_suffix(".starting").replace(record)
    return kafka, elasticsearch


def remove_containers(record: Path) -> None:
    """Removes the containers that this session started, by their id."""
    for file in (record, record.with_suffix(".starting")):
        if file.exists():
            import docker  # type: ignore[import-untyped]
            from docker.errors import NotFound  # type: ignore[import-untyped]

            client = docker.from_env()
            for each in json.loads(file.read_text())["ids"]:
                try:
                    client.containers.get(each).remove(force=True, v=True)
                except NotFound:
                    continue
            client.close()
            file.unlink()


def _kafka(image: str, port: int) -> Any:
    from testcontainers.core.container import DockerContainer

    environment = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        # Clients come back to the address that the broker advertises: the mapped port.
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": str(16 * 2**20),
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    container = DockerContainer(image).with_bind_ports(9092, port)
    for name, value in environment.items():
        container = container.with_env(name, value)
    return container


def _elasticsearch(settings: Settings, port: int) -> Any:
    from testcontainers.core.container import DockerContainer

    environment = {
        "discovery.type": "single-node",
        "xpack.security.enabled": "false",
        "action.auto_create_index": "false",
        "ES_JAVA_OPTS": f"-Xms{settings.elasticsearch_heap} -Xmx{settings.elasticsearch_heap}",
    }
    container = DockerContainer(settings.elasticsearch_image).with_bind_ports(9200, port)
    for name, value in environment.items():
        container = container.with_env(name, value)
    return container


def _kafka_answers(address: str) -> bool:
    try:
        admin = KafkaAdminClient(bootstrap_servers=address, request_timeout_ms=3000)
        admin.list_topics()
        admin.close()
    except KafkaError:
        return False
    return True


def _elasticsearch_answers(url: str) -> bool:
    with Elasticsearch(url, request_timeout=5, max_retries=0) as client:
        try:
            return not client.cluster.health(wait_for_status="yellow", timeout="1s")["timed_out"]
        except (ApiError, TransportError):
            return False
