"""A search service over indices and a topic of changes of its own, and readers of its streams."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
from elasticsearch import Elasticsearch
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from tests import serving
from tests.engines import RunningEngines
from traverse_infra.engines.waiting import wait_until
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.document import INDICES
from traverse_schemas.documents.index_mapping import index_body
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.api_keys import new_api_key
from traverse_schemas.registry.institutions import Institution, Role, Scope
from traverse_schemas.registry.registry import RegistryView
from traverse_search_api.app import create_app
from traverse_search_api.engines.elasticsearch_client import connect
from traverse_search_api.server import server_of
from traverse_search_api.settings import SearchSettings

AS_OF = "2026-03-12T10:00:00Z"
PATIENCE = 60.0
TOWN, CCI = "211300405", "181300013"


KEYS = {siren: new_api_key([Scope.READ], datetime.fromisoformat(AS_OF)) for siren in (TOWN, CCI)}


class Turning:
    """A registry that changes while the service runs."""

    ready = True

    def __init__(self) -> None:
        self.rows = {
            siren: Institution(
                siren=siren, name="Institution", kind=InstitutionKind.OTHER, api_keys=(key.key,),
                created=key.key.created, roles=frozenset({Role.BUYER} if siren == TOWN else ()),
            )
            for siren, key in KEYS.items()
        }  # fmt: skip

    def view(self) -> RegistryView:
        return RegistryView(self.rows.values())

    def catch_up(self, timeout: float) -> None: ...


REGISTRY = Turning()


def as_member(siren: str) -> dict[str, str]:
    return {"authorization": f"Bearer {KEYS[siren].secret}"}


@dataclass
class Flow:
    """A service with a topic of changes and an index of its own."""

    address: str
    elasticsearch: Elasticsearch
    producer: KafkaProducer
    name: str
    version: int = 0
    kafka: str = ""
    elasticsearch_address: str = ""

    def write(self, one: dict[str, Any], *, held: str = "public", partition: int = 0) -> None:
        """A document as the index step writes it: the bulk, then the change."""
        self.put(one, held=held)
        self.tell(one["id"], held=held, partition=partition)

    def put(self, one: dict[str, Any], *, held: str = "public") -> None:
        """The document alone."""
        self.version += 1
        self.elasticsearch.index(
            index=f"{self.name}-{held}", id=one["id"], document=one, version=self.version,
            version_type="external",
        )  # fmt: skip

    def move(self, one: dict[str, Any], *, held: str, left: str) -> None:
        """A document that goes to another index, and leaves a stub."""
        self.elasticsearch.index(
            index=f"{self.name}-{left}", id=one["id"], document={"id": one["id"], "stub": True},
            version=self.version + 1, version_type="external",
        )  # fmt: skip
        self.write(one, held=held)

    def forget(self) -> None:
        """The log keeps nothing any more of what was told in the first partition until now."""
        admin = KafkaAdminClient(bootstrap_servers=self.kafka)
        admin.delete_records({TopicPartition(self.name, 0): -1})
        admin.close()

    @contextmanager
    def red(self) -> Iterator[None]:
        """The public alias on an index whose shard is nowhere, as after a disk was lost; then on
        its own again. (A shard that once was somewhere, Elasticsearch would put there again.)"""
        indices, alias = self.elasticsearch.indices, f"{self.name}-public"
        lost = f"{alias}-lost"
        nowhere = {"index.routing.allocation.require._name": "nowhere", "number_of_replicas": 0}
        indices.create(index=lost, settings=nowhere, wait_for_active_shards="0")
        assert self.elasticsearch.cluster.health(index=lost)["status"] == "red"

        def turn(old: str, new: str) -> None:
            actions = [
                {"remove": {"index": old, "alias": alias}},
                {"add": {"index": new, "alias": alias}},
            ]
            indices.update_aliases(actions=actions)

        turn(f"{alias}-1", lost)
        try:
            yield
        finally:
            turn(lost, f"{alias}-1")
            indices.delete(index=lost)

    def tell(self, identity: str, *, held: str = "public", partition: int = 0) -> None:
        """The change alone."""
        value = {"id": identity, "index": held, "version": self.version}
        self.producer.send(self.name, json.dumps(value).encode(), partition=partition).get(20)


@contextmanager
def flowing(engines: RunningEngines) -> Iterator[Flow]:
    """Fresh indices, a fresh topic, and a service that eight streams of one address may read."""
    name = f"stream-{uuid4().hex[:12]}"
    elasticsearch = Elasticsearch(engines.elasticsearch)
    for index in INDICES:
        elasticsearch.indices.create(index=f"{name}-{index}-1", **index_body())
        elasticsearch.indices.put_alias(index=f"{name}-{index}-1", name=f"{name}-{index}")
    admin = KafkaAdminClient(bootstrap_servers=engines.kafka)
    admin.create_topics([NewTopic(name, 2, 1)], wait_for_metadata=True)
    producer = KafkaProducer(bootstrap_servers=engines.kafka, acks="all")
    settings = SearchSettings(
        elasticsearch=engines.elasticsearch, kafka=engines.kafka, stream_heartbeat=0.5,
        streams_per_address=8,
    )  # fmt: skip
    with served(settings, name) as address:
        yield Flow(
            address, elasticsearch, producer, name, kafka=engines.kafka,
            elasticsearch_address=engines.elasticsearch,
        )  # fmt: skip
    producer.close()
    admin.delete_topics([name])
    admin.close()
    elasticsearch.indices.delete(index=",".join(f"{name}-{index}-1" for index in INDICES))
    elasticsearch.close()


@contextmanager
def served(settings: SearchSettings, name: str) -> Iterator[str]:
    """The service, with this topic of changes and the indices of this name; its address."""
    reader = connect(settings.elasticsearch, 10)
    aliases = {index: f"{name}-{index}" for index in INDICES}
    app = create_app(
        settings,
        client=reader,
        clock=clock_from(AS_OF),
        aliases=aliases,
        changes=name,
        registry=REGISTRY,
        present=clock_from(AS_OF),
    )
    with serving.served(server_of(app, settings), ends_within=30) as address:
        yield address


@dataclass
class Reader:
    """A client that reads NDJSON in a thread."""

    address: str
    parameters: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0
    open: bool = True

    def __enter__(self) -> "Reader":
        self._client = httpx.Client(timeout=httpx.Timeout(10, read=PATIENCE))
        assert wait_until(self._opened, timeout=PATIENCE)
        return self

    def _opened(self) -> bool:
        """Whether it has a place: one that a reader has just left is given back in a moment."""
        self.status, self.open = 0, True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert wait_until(lambda: self.status != 0, timeout=PATIENCE)
        return self.status != HTTPStatus.TOO_MANY_REQUESTS

    def _read(self) -> None:
        headers = {"accept": "application/x-ndjson", **self.headers}
        try:
            with self._client.stream(
                "GET", f"{self.address}/v1/stream", params=self.parameters, headers=headers
            ) as answer:
                self._socket = answer.extensions["network_stream"].get_extra_info("socket")
                lines = answer.iter_lines()
                next(lines, None)  # the first sign of life: the stream stands
                self.status = answer.status_code
                for line in lines:
                    if line.strip():
                        self.lines.append(json.loads(line))
        except (httpx.HTTPError, RuntimeError):
            return
        finally:
            self.open = False

    def __exit__(self, *_: object) -> None:
        # Closed beneath a thread that waits on it, a connection would stay open until that wait is
        # over, for its number may be another's by then; and so long its place would be taken.
        with suppress(OSError):  # the service has ended it
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._client.close()

    def titles(self, count: int) -> list[str]:
        """The titles told, once there are so many; a notice shows as its id."""
        assert wait_until(lambda: len(self.lines) >= count, timeout=PATIENCE), self.lines
        return [line["data"].get("title", line["data"]["id"]) for line in self.lines]
