"""A search service over a real Elasticsearch, in an index of its own."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from fastapi.testclient import TestClient
from pydantic import SecretStr

from tests.engines import RunningEngines
from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.document import PUBLIC_INDEX
from traverse_schemas.documents.index_mapping import ALIASES, index_body
from traverse_schemas.documents.indexed import indexed
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.registry.registry import Registry
from traverse_search_api.app import create_app
from traverse_search_api.engines.elasticsearch_client import connect
from traverse_search_api.groupings.groupings import GroupingRows
from traverse_search_api.institutions.readership import Counts, Readership, ReadershipTable
from traverse_search_api.settings import SearchSettings

AS_OF = "2026-03-12T10:00:00Z"
CURSOR_KEY = "a key of the tests"
NO_CHANGES = "traverse.changes.of-nobody"  # a topic that is nowhere: streams are refused


@dataclass(frozen=True)
class Service:
    """The service and the indices behind it, by audience."""

    client: TestClient
    elasticsearch: Elasticsearch
    indices: dict[str, str]
    readership: Readership

    def reads(self, siren: str) -> int:
        """How often what an institution publishes was read."""
        assert self.client.portal is not None
        counts = self.client.portal.call(self.readership.of, siren)
        assert counts is not None
        return counts.reads

    @property
    def index(self) -> str:
        """The public index."""
        return self.indices[PUBLIC_INDEX]

    def add(self, *documents: dict[str, Any]) -> None:
        """Writes documents into the indices of their audiences; stubs, and what has no index here,
        into the public one, where searches must pass over it. Searchable on return."""
        bulk(
            self.elasticsearch,
            [
                {
                    "_index": self.indices.get(one.get("visibility", PUBLIC_INDEX), self.index),
                    "_id": one["id"],
                    "_source": indexed(one),
                }
                for one in documents
            ],
            refresh=True,
        )

    def ask(self, **parameters: Any) -> dict[str, Any]:
        """The answer of a search that must succeed."""
        answer = self.client.get("/v1/opportunities", params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def subjects(self, **parameters: Any) -> list[str]:
        """The subjects of what was found, in order."""
        items = self.ask(size=100, **parameters)["items"]
        return [item["sources"][0]["subject"] for item in items]

    def tokens(self, analyzer: str, text: str) -> list[str]:
        """What the index makes of a text."""
        found = self.elasticsearch.indices.analyze(index=self.index, analyzer=analyzer, text=text)
        return [token["token"] for token in found["tokens"]]


def sums_on(topic: MemoryTopic) -> ReadershipTable:
    """The table of reads over a topic in memory."""
    return CompactedTable(
        MemoryTableLog(topic),
        encode=lambda row: row.model_dump_json().encode(),
        decode=Counts.model_validate_json,
    )


class NoGroupings:
    """Where no grouping has been proposed."""

    def rows(self, patience: float = 0) -> dict[str, Any]:
        return {}

    def close(self) -> None: ...


@contextmanager
def fresh_indices(
    engines: RunningEngines, audiences: Collection[str]
) -> Iterator[tuple[Elasticsearch, dict[str, str]]]:
    """An empty index for each of these audiences: a client, and the names by audience."""
    names = {audience: f"search-{audience}-{uuid4().hex[:12]}" for audience in audiences}
    elasticsearch = Elasticsearch(engines.elasticsearch, request_timeout=120)
    for name in names.values():
        elasticsearch.indices.create(index=name, **index_body())
    yield elasticsearch, names
    elasticsearch.indices.delete(index=",".join(names.values()))
    elasticsearch.close()


@contextmanager
def serving(
    engines: RunningEngines,
    as_of: str,
    audiences: Collection[str] = (PUBLIC_INDEX,),
    registry: Registry | None = None,
    *,
    groupings: GroupingRows | None = None,
    accepted: str = "traverse.accepted.of-nobody",
) -> Iterator[Service]:
    """Fresh indices of these audiences and a service that reads them, at that date, and a topic of
    accepted events."""
    # Patient: tests share the machine.
    settings = SearchSettings(
        elasticsearch=engines.elasticsearch,
        kafka=engines.kafka,
        home=engines.settings.home,
        address_rate=10**6,
        search_timeout=60,
        search_patience=50,
        cursor_key=SecretStr(CURSOR_KEY),
    )
    clock = clock_from(as_of)
    readership = Readership(sums_on(MemoryTopic()), clock)
    with fresh_indices(engines, audiences) as (elasticsearch, names):
        reader = connect(engines.elasticsearch, settings.search_timeout)
        app = create_app(
            settings, registry=registry, client=reader, clock=clock, present=clock,
            aliases={**ALIASES, **names}, groupings=groupings or NoGroupings(),
            readership=readership, changes=NO_CHANGES, accepted=accepted,
        )  # fmt: skip
        with TestClient(app) as client:
            yield Service(client, elasticsearch, names, readership)
            assert client.portal is not None
            client.portal.call(reader.close)


@pytest.fixture(scope="module")
def service(engines: RunningEngines) -> Iterator[Service]:
    """A fresh index and a service that reads it, for one module."""
    with serving(engines, AS_OF) as service:
        yield service
