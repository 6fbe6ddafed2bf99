"""A home of the benchmark's own: engines, topics and indices that are erased at the end."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from traverse_infra.bench.load import Load
from traverse_infra.engines.ports import free_ports
from traverse_infra.engines.runner import Engines
from traverse_infra.indices import prepare_indices
from traverse_infra.log.reading import lags
from traverse_infra.log.topics import apply_topics
from traverse_infra.members import cast_signature, ensure_members, open_registry
from traverse_infra.services import Services
from traverse_infra.settings import Settings
from traverse_producers.signing_keys import KeyFolder
from traverse_schemas.clock import SystemClock
from traverse_schemas.documents.index_mapping import index_body
from traverse_schemas.log.engine_access import elasticsearch_client, kafka_client
from traverse_schemas.log.topics import OPPORTUNITIES, PARTITIONS
from traverse_stream_processors.log import LogWriter, Message

_AT_ONCE = 2000


class Home:
    """The engines of one benchmark run, with everything that the pipeline needs."""

    def __init__(self, folder: Path, settings: Settings, load: Load, say: Callable[[str], None]):
        self.folder = folder
        self.settings = settings.model_copy(
            update={
                "home": folder,
                "engines": settings.engines_folder,
                "kafka": "127.0.0.1:0",
                "elasticsearch": "http://127.0.0.1:0",
            }
        )
        self.engines = Engines(self.settings)
        self.engines.up(say)
        self.kafka = self.engines.kafka
        self.elasticsearch = self.engines.elasticsearch
        self.client = Elasticsearch(**elasticsearch_client(self.elasticsearch), request_timeout=60)
        topics = apply_topics(self.kafka)
        prepare_indices(self.client, topics.ids[OPPORTUNITIES], begun=False)
        with open_registry(self.kafka) as table:
            signers = ensure_members(
                table, self.settings.keys, load.institutions, SystemClock().now()
            )
        self.sign = cast_signature(signers)
        self.keys = KeyFolder(self.settings.keys)
        self.search_port = next(iter(free_ports(1)))
        self._environment = {
            "TRAVERSE_HOME": str(folder),
            "TRAVERSE_KAFKA": self.kafka,
            "TRAVERSE_ELASTICSEARCH": self.elasticsearch,
            "TRAVERSE_AS_OF": load.as_of,
            "TRAVERSE_SEARCH_PORT": str(self.search_port),
        }

    def services(self, more: Mapping[str, str] | None = None) -> Services:
        """Services of ours on these engines, to use in a `with` block; `more` are settings."""
        return Services(self.folder / "logs", {**self._environment, **(more or {})})

    def close(self) -> None:
        self.client.close()
        self.engines.erase()

    def write(self, messages: Iterable[Message]) -> None:
        """Put messages on the log; returns when all are there."""
        asyncio.run(_write(self.kafka, iter(messages)))

    def make_topic(self, name: str) -> None:
        """A topic like those of the journey, with the broker's own settings."""
        admin = KafkaAdminClient(**kafka_client(self.kafka))
        try:
            admin.create_topics([NewTopic(name, PARTITIONS, 1)], wait_for_metadata=True)
        finally:
            admin.close()

    def make_index(self, name: str) -> None:
        """An index with the settings and the mapping of the opportunities'."""
        self.client.indices.create(index=name, **index_body())

    def searchable(self, indices: str) -> int:
        """How many writes into these indices searches see by now.

        The greatest sequence number that a search sees says it, repeated writes of one document
        included.
        """
        # Of one index alone, Elasticsearch looks it up instead of reading every document.
        searches: list[dict[str, Any]] = []
        for index in indices.split(","):
            last = {"last": {"max": {"field": "_seq_no"}}}
            searches += [
                {"index": index, "request_cache": False},
                {"size": 0, "track_total_hits": False, "aggs": last},
            ]
        answers = self.client.msearch(searches=searches)["responses"]
        found = [answer["aggregations"]["last"]["value"] for answer in answers]
        return sum(0 if last is None else int(last) + 1 for last in found)

    def all_done(self) -> bool:
        """Whether no step has anything left to read."""
        return not any(lags(self.kafka).values())

    def written(self, indices: str) -> int:
        """How many writes Elasticsearch has taken into these indices, searchable or not yet."""
        answer = self.client.indices.stats(
            index=indices, level="shards", filter_path="indices.*.shards.*.seq_no.max_seq_no"
        )
        return sum(
            copy["seq_no"]["max_seq_no"] + 1
            for index in answer.get("indices", {}).values()
            for shard in index["shards"].values()
            for copy in shard
        )

    def quiet(self) -> bool:
        """Whether Elasticsearch merges nothing, and has nothing to merge."""
        # What waits for a thread is not among an index's current merges.
        pools = self.client.nodes.stats(
            metric="thread_pool", filter_path="nodes.*.thread_pool.merge"
        )
        return not any(
            node["thread_pool"]["merge"]["active"] + node["thread_pool"]["merge"]["queue"]
            for node in pools["nodes"].values()
        )


@contextmanager
def bench_home(settings: Settings, load: Load, say: Callable[[str], None]) -> Iterator[Home]:
    """A home in a temporary folder, erased at the end whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="traverse-bench-"))
    folder.chmod(0o755)  # Elasticsearch may run as another user
    home = None
    try:
        home = Home(folder, settings, load, say)
        yield home
    finally:
        if home is not None:
            home.close()
        shutil.rmtree(folder, ignore_errors=True)


def python_module(module: str, config: Mapping[str, object]) -> Sequence[str]:
    """The command that runs a module of ours with a JSON argument."""
    return (sys.executable, "-m", module, orjson.dumps(config).decode())


async def _write(bootstrap: str, messages: Iterator[Message]) -> None:
    writer = LogWriter(bootstrap)
    await writer.start()
    try:
        while chunk := list(islice(messages, _AT_ONCE)):
            await writer.write(chunk)
    finally:
        await writer.stop()
