"""Rebuilding an index from the log: everything is there, versions hold, searches and streams go
on."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from elasticsearch import AsyncElasticsearch, Elasticsearch

from tests import serving
from tests.documents import document
from tests.engines import RunningEngines
from tests.journey.harness import all_indices, all_topics, until
from tests.search_api.stream.flow import Reader
from traverse_infra.indices import read_alias
from traverse_infra.reindex import unfinished
from traverse_infra.reindex.rebuild import held, rebuild, release
from traverse_schemas.documents.document import OpportunityMessage, Stub
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.log.identity import partition_of
from traverse_schemas.log.topics import CHANGES, OPPORTUNITIES, PARTITIONS
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings
from traverse_stream_processors.indexing.bulk import BulkWriter
from traverse_stream_processors.indexing.index import operations
from traverse_stream_processors.log import LogWriter, Message

pytestmark = pytest.mark.engines


@pytest.fixture
def client(engines: RunningEngines) -> Iterator[Elasticsearch]:
    """Elasticsearch with the indices of this topic's generation."""
    ids = all_topics(engines.kafka)
    with Elasticsearch(engines.elasticsearch) as client:
        all_indices(client, ids[OPPORTUNITIES])
        yield client


def opportunity(identity: str, title: str, index: str = "public") -> OpportunityMessage:
    document = {"id": identity, "stub": False, "title": title}
    others = [other for other in ("public", "buyers") if other != index]
    return OpportunityMessage(id=identity, index=index, stubs=others, document=document)  # type: ignore[typeddict-item]


def write(bootstrap: str, *messages: OpportunityMessage) -> list[int]:
    """Put them on the log; the offsets are the versions."""

    async def send() -> list[int]:
        writer = LogWriter(bootstrap)
        await writer.start()
        try:
            return await writer.write([logged(message) for message in messages])
        finally:
            await writer.stop()

    return asyncio.run(send())


def logged(message: OpportunityMessage) -> Message:
    key = message["id"]
    return Message(
        OPPORTUNITIES, partition_of(key, PARTITIONS), key.encode(), orjson.dumps(message)
    )


def changed(identity: str, version: int) -> Message:
    """What the index step tells of a document that was written."""
    value = {"id": identity, "index": "public", "version": version}
    where = partition_of(identity, PARTITIONS)
    return Message(CHANGES, where, identity.encode(), orjson.dumps(value))


def test_a_rebuilt_index_holds_the_last_state_of_each_with_its_version(
    engines: RunningEngines, client: Elasticsearch
) -> None:
    before = set(client.indices.get_alias(name=PUBLIC_ALIAS))
    offsets = write(
        engines.kafka,
        opportunity("reindex1", "Ancien titre"),
        opportunity("reindex1", "Nouveau titre"),
        opportunity("reindex2", "Réservé", index="buyers"),
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
    assert client.get(index=ALIASES["buyers"], id="reindex2")["_source"]["title"] == "Réservé"
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


@contextmanager
def served(engines: RunningEngines) -> Iterator[str]:
    """The search service, by the aliases; its address."""
    settings = SearchSettings(
        elasticsearch=engines.elasticsearch, kafka=engines.kafka, search_timeout=60
    )
    config = uvicorn.Config(
        create_app(settings), log_level="error", access_log=False, timeout_graceful_shutdown=1
    )
    with serving.served(uvicorn.Server(config)) as address:
        yield address


class Live(threading.Thread):
    """Writes one document again and again, and a new one each time, as the index step does: to the
    log, then through the alias, then what changed; and searches for the first all the while."""

    def __init__(self, engines: RunningEngines) -> None:
        super().__init__()
        self.engines = engines
        self.stopping = threading.Event()
        self.written = self.searches = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:  # told by the test, not by a thread
            self.wrong.append(repr(error))

    async def _run(self) -> None:
        async with (
            AsyncElasticsearch(self.engines.elasticsearch) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._write(client))
            group.create_task(self._search(client))

    async def _write(self, client: AsyncElasticsearch) -> None:
        writer, bulk = LogWriter(self.engines.kafka), BulkWriter(client)
        await writer.start()
        while not self.stopping.is_set():
            passage = document(f"P{self.written}", f"Passage {self.written}")
            both = (
                opportunity("reindexlive", f"Titre {self.written}"),
                OpportunityMessage(id=passage["id"], index="public", stubs=[], document=passage),  # type: ignore[typeddict-item]
            )
            offsets = await writer.write([logged(message) for message in both])
            refused = await bulk.write(
                [
                    operation
                    for message, offset in zip(both, offsets, strict=True)
                    for operation in operations(message, orjson.dumps(message["document"]), offset)
                ]
            )
            if refused:
                self.wrong.append(repr(refused))
            await writer.write([changed(passage["id"], offsets[1])])
            self.written += 1
        await writer.stop()

    async def _search(self, client: AsyncElasticsearch) -> None:
        """What was once seen is never unseen: neither by a search nor by its id."""
        found = read = -1
        ids: dict[str, Any] = {"query": {"ids": {"values": ["reindexlive"]}}, "version": True}
        while not self.stopping.is_set():
            hits = (await client.search(index=PUBLIC_ALIAS, **ids))["hits"]["hits"]
            version = hits[0]["_version"] if hits else -1
            if version < found:
                self.wrong.append(f"found {version} after {found}")
            found = version
            with suppress(KeyError):
                answer = await client.options(ignore_status=404).get(
                    index=PUBLIC_ALIAS, id="reindexlive"
                )
                version = answer.get("_version", -1)
                if version < read:
                    self.wrong.append(f"read {version} after {read}")
                read = version
            self.searches += 1


def test_while_it_is_rebuilt_no_search_fails_none_is_stale_and_streams_tell_all_once(
    engines: RunningEngines, client: Elasticsearch
) -> None:
    """Who broke off before the aliases were swapped goes on after it where they were."""
    live, asked = Live(engines), {"q": "passage"}
    with served(engines) as address, Reader(address, asked) as stream:
        live.start()
        try:
            until(lambda: live.searches > 20 and len(stream.lines) > 20, "searches and a stream")
            place = stream.lines[10]["position"]
            for _ in range(2):
                written = live.written
                list(rebuild(engines.kafka, engines.elasticsearch))
                until(
                    lambda before=written: live.written > before + 20,  # type: ignore[misc]
                    "writes into the new index",
                )
        finally:
            live.stopping.set()
            live.join()
        assert live.wrong == []
        told = stream.titles(live.written)
        with Reader(address, asked, {"last-event-id": place}) as again:
            assert sorted(again.titles(live.written - 11)) == sorted(told[11:])
        assert sorted(stream.titles(0)) == sorted(f"Passage {n}" for n in range(live.written))
    client.indices.refresh(index=PUBLIC_ALIAS)
    found = client.get(index=PUBLIC_ALIAS, id="reindexlive")
    assert found["_source"]["title"] == f"Titre {live.written - 1}"


def test_who_reads_page_by_page_ends_with_the_former_index(
    engines: RunningEngines, client: Elasticsearch
) -> None:
    (former,) = read_alias(client, PUBLIC_ALIAS)[1]
    point = client.open_point_in_time(index=PUBLIC_ALIAS, keep_alive="2m")["id"]
    lines = rebuild(engines.kafka, engines.elasticsearch)
    assert any("lecteurs" in line for line in lines)  # and stops there
    assert client.search(pit={"id": point}, size=0)["hits"] is not None
    assert client.indices.exists(index=former)
    client.close_point_in_time(id=point)
    list(lines)
    assert not client.indices.exists(index=former)


def traverse(engines: RunningEngines, home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "traverse_infra.cli", *arguments],
        env={
            **os.environ,
            "TRAVERSE_HOME": str(home),
            "TRAVERSE_KAFKA": engines.kafka,
            "TRAVERSE_ELASTICSEARCH": engines.elasticsearch,
        },
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_in_the_middle_it_goes_on_where_it_was(
    engines: RunningEngines, client: Elasticsearch, tmp_path: Path
) -> None:
    topic_id = all_topics(engines.kafka)[OPPORTUNITIES]
    titles = [opportunity(f"reindexmany{number}", "Titre " * 20) for number in range(20_000)]
    write(engines.kafka, *titles)
    before = read_alias(client, PUBLIC_ALIAS)[1]
    first = traverse(engines, tmp_path, "reindex")

    def under_way() -> bool:
        assert first.poll() is None, first.communicate()
        state = unfinished.find(client, topic_id)
        return state is not None and bool(state.positions)

    until(under_way, "part of it copied")
    first.kill()
    first.communicate()
    assert read_alias(client, PUBLIC_ALIAS)[1] == before
    state = unfinished.find(client, topic_id)
    assert state is not None
    second = traverse(engines, tmp_path, "reindex")
    said, _ = second.communicate(timeout=180)
    assert second.returncode == 0
    assert "Reprise" in said
    assert read_alias(client, PUBLIC_ALIAS)[1] == [state.indices[PUBLIC_ALIAS]]
    assert unfinished.find(client, topic_id) is None
    found = client.count(index=PUBLIC_ALIAS, query={"prefix": {"id": "reindexmany"}})
    assert found["count"] == len(titles)


def test_an_index_held_by_one_that_was_killed_is_written_again_after_traverse_up(
    engines: RunningEngines, client: Elasticsearch
) -> None:
    """The index step waits meanwhile, and loses nothing."""
    message = opportunity("reindexheld", "Titre")
    (offset,) = write(engines.kafka, message)
    done: list[Any] = []

    async def index() -> None:
        async with AsyncElasticsearch(engines.elasticsearch) as asynchronous:
            document = orjson.dumps(message["document"])
            done.append(await BulkWriter(asynchronous).write(operations(message, document, offset)))

    writing = threading.Thread(target=lambda: asyncio.run(index()))
    with held(client, read_alias(client, PUBLIC_ALIAS)[1]):
        writing.start()
        writing.join(1)
        assert done == []
    release(client)  # as `traverse up` does
    writing.join(60)
    assert done == [[]]
    assert client.get(index=PUBLIC_ALIAS, id="reindexheld")["found"]
