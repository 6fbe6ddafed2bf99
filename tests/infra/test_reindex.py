"""Rebuilding an index from the log: everything is there, versions hold, searches go on."""

import asyncio
from collections.abc import Iterator

import orjson
import pytest
from elasticsearch import Elasticsearch

from tests.engines import RunningEngines
from traverse_infra.indices import prepare_indices
from traverse_infra.reindex import rebuild
from traverse_infra.topics import apply_topics
from traverse_schemas.document import OpportunityMessage, Stub
from traverse_schemas.identity import partition_of
from traverse_schemas.index_mapping import PRIVATE_ALIAS, PUBLIC_ALIAS
from traverse_schemas.topics import OPPORTUNITIES, PARTITIONS
from traverse_stream_processors.log import LogWriter, Message

pytestmark = pytest.mark.engines


@pytest.fixture
def client(engines: RunningEngines) -> Iterator[Elasticsearch]:
    """Elasticsearch with the indices of this topic's generation."""
    topics = apply_topics(engines.kafka)
    with Elasticsearch(engines.elasticsearch) as client:
        prepare_indices(client, topics.ids[OPPORTUNITIES])
        yield client


def opportunity(identity: str, title: str, index: str = "public") -> OpportunityMessage:
    document = {"id": identity, "stub": False, "title": title}
    others = [other for other in ("public", "private") if other != index]
    return OpportunityMessage(id=identity, index=index, stubs=others, document=document)  # type: ignore[typeddict-item]


def write(bootstrap: str, *messages: OpportunityMessage) -> list[int]:
    """Put them on the log; the offsets are the versions."""

    async def send() -> list[int]:
        writer = LogWriter(bootstrap)
        await writer.start()
        try:
            return await writer.write(
                [
                    Message(
                        OPPORTUNITIES,
                        partition_of(message["id"], PARTITIONS),
                        message["id"].encode(),
                        orjson.dumps(message),
                    )
                    for message in messages
                ]
            )
        finally:
            await writer.stop()

    return asyncio.run(send())


def test_a_rebuilt_index_holds_the_last_state_of_each_with_its_version(
    engines: RunningEngines, client: Elasticsearch
) -> None:
    before = set(client.indices.get_alias(name=PUBLIC_ALIAS))
    offsets = write(
        engines.kafka,
        opportunity("reindex1", "Ancien titre"),
        opportunity("reindex1", "Nouveau titre"),
        opportunity("reindex2", "Réservé", index="private"),
        OpportunityMessage(
            id="reindex3", index="public", stubs=[], document=Stub(id="reindex3", stub=True)
        ),
    )
    lines = list(rebuild(engines.kafka, engines.elasticsearch))
    assert any("alias" in line for line in lines)
    after = set(client.indices.get_alias(name=PUBLIC_ALIAS))
    assert len(after) == 1
    assert after.isdisjoint(before)
    assert not any(client.indices.exists(index=index) for index in before)
    found = client.get(index=PUBLIC_ALIAS, id="reindex1")
    assert found["_source"]["title"] == "Nouveau titre"
    assert found["_version"] == offsets[1]
    assert client.get(index=PRIVATE_ALIAS, id="reindex2")["_source"]["title"] == "Réservé"
    assert client.get(index=PUBLIC_ALIAS, id="reindex2")["_source"]["stub"] is True
    assert client.get(index=PUBLIC_ALIAS, id="reindex3")["_source"]["stub"] is True


def test_rebuilding_twice_gives_the_same(engines: RunningEngines, client: Elasticsearch) -> None:
    write(engines.kafka, opportunity("reindex4", "Titre"))
    for _ in range(2):
        list(rebuild(engines.kafka, engines.elasticsearch))
        found = client.get(index=PUBLIC_ALIAS, id="reindex4")
        assert found["_source"]["title"] == "Titre"


def test_a_document_that_was_never_indexable_does_not_stop_a_rebuild(
    engines: RunningEngines, client: Elasticsearch
) -> None:
    bad = opportunity("reindex5", "Titre")
    bad["document"]["surprise"] = 1  # type: ignore[typeddict-unknown-key]
    write(engines.kafka, bad, opportunity("reindex6", "Titre"))
    lines = list(rebuild(engines.kafka, engines.elasticsearch))
    assert any("refusés" in line for line in lines)
    assert client.get(index=PUBLIC_ALIAS, id="reindex6")["found"]
    assert not client.exists(index=PUBLIC_ALIAS, id="reindex5")
