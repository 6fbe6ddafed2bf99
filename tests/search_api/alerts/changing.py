"""Indices and a topic of changes of their own, and a watcher over them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from elasticsearch import Elasticsearch
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from tests.engines import RunningEngines
from tests.search_api.accounts.people import CHAMBER, MARSEILLE
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.document import INDICES
from traverse_schemas.documents.index_mapping import index_body
from traverse_search_api.access.reader import Reader
from traverse_search_api.alerts.followed import FollowedSearches
from traverse_search_api.alerts.ledger import Alert, Ledger
from traverse_search_api.alerts.subscription import Subscription
from traverse_search_api.alerts.watch import Watcher
from traverse_search_api.changes.change_log import ChangeLog
from traverse_search_api.engines.elasticsearch_client import Indices, connect
from traverse_search_api.filters.zones import load_territories
from traverse_search_api.words.synonym_book import SynonymBook

AS_OF = "2026-03-12T10:00:00Z"
READERS = {MARSEILLE: Reader(MARSEILLE, buyer=True), CHAMBER: Reader(CHAMBER)}


def left(one: dict[str, Any]) -> dict[str, Any]:
    """What remains of a document that is withdrawn, or in another index now."""
    return {"id": one["id"], "stub": True}


@dataclass
class Changing:
    """Writes documents as the index step does: the bulk, then the change."""

    elasticsearch: Elasticsearch
    producer: KafkaProducer
    kafka: str
    topic: str
    aliases: dict[str, str]
    version: int = 0
    address: str = ""
    homes: dict[str, str] = field(default_factory=dict)

    def write(self, *documents: dict[str, Any]) -> None:
        """Documents, as they are now; a stub takes its place wherever one was."""
        for one in documents:
            self.version += 1
            held = one.get("visibility") or self.homes.get(one["id"], "public")
            before = self.homes.get(one["id"], held)
            self._index(held, one)
            if before != held:
                self._index(before, left(one))
            self.homes[one["id"]] = held
            value = {"id": one["id"], "index": held, "version": self.version}
            self.producer.send(self.topic, json.dumps(value).encode(), partition=0)
        self.producer.flush()
        self.elasticsearch.indices.refresh(index=",".join(self.aliases.values()))

    def _index(self, name: str, one: dict[str, Any]) -> None:
        self.elasticsearch.index(
            index=self.aliases[name], id=one["id"], document=one, version=self.version,
            version_type="external",
        )  # fmt: skip


@contextmanager
def changing(engines: RunningEngines) -> Iterator[Changing]:
    name = f"alerts-{uuid4().hex[:12]}"
    aliases = {index: f"{name}-{index}" for index in INDICES}
    elasticsearch = Elasticsearch(engines.elasticsearch, request_timeout=120)
    for index in aliases.values():
        elasticsearch.indices.create(index=index, **index_body())
    admin = KafkaAdminClient(bootstrap_servers=engines.kafka)
    admin.create_topics([NewTopic(name, 2, 1)], wait_for_metadata=True)
    producer = KafkaProducer(bootstrap_servers=engines.kafka, acks="all")
    yield Changing(
        elasticsearch, producer, engines.kafka, name, aliases, address=engines.elasticsearch
    )
    producer.close()
    admin.delete_topics([name])
    admin.close()
    elasticsearch.indices.delete(index=",".join(aliases.values()))
    elasticsearch.close()


@dataclass
class Watch:
    """A watcher that a test turns by hand."""

    watcher: Watcher
    rows: dict[str, Subscription]
    ledger: Ledger
    changes: Changing

    async def all(self) -> list[Alert]:
        """Do all that there is to do; the alerts that came of it."""
        before = {one.id for one in self.alerts()}
        self.watcher.refreshed = float("-inf")
        watcher = self.watcher
        await watcher.step()
        while watcher.at is None or not watcher.at.reaches(await watcher.log.end()):
            await watcher.step()
        return [one for one in self.alerts() if one.id not in before]

    def alerts(self) -> list[Alert]:
        """Every alert that waits for its delivery."""
        found = []
        for name, _ in self.ledger.waiting():
            self.ledger.gather(name, 0, together=False)
        for one in self.ledger.due(1e12, 10_000):
            found += self.ledger.alerts(one.id)
        return found


@contextmanager
def watching(
    changes: Changing, path: Path, *rows: Subscription, as_of: str = AS_OF
) -> Iterator[Watch]:
    ledger = Ledger(path)
    table = {row.id: row for row in rows}
    client = connect(changes.address, 60)
    territories = load_territories(None)
    watcher = Watcher(
        log=ChangeLog(changes.kafka, changes.topic),
        indices=Indices(client, client, changes.aliases, 50),
        ledger=ledger,
        searches=FollowedSearches(territories, SynonymBook()),
        rows=lambda: table,
        reader_of=lambda row: READERS.get(row.siren),
        clock=clock_from(as_of),
    )
    yield Watch(watcher, table, ledger, changes)
    ledger.close()
