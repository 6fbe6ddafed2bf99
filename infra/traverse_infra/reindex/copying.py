"""Copies `traverse.opportunities` into indices: what the next portion is read from the log while
Elasticsearch takes this one."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, Self

import orjson
from elasticsearch import AsyncElasticsearch, OrjsonSerializer

from traverse_infra.log.reading import LogReader
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import OPPORTUNITIES
from traverse_stream_processors.indexing.bulk import BulkWriter, Refused
from traverse_stream_processors.indexing.index import Operation, operations_into

_PORTION = 4000
_BULK = 500
_AT_ONCE = 2


class Copied(NamedTuple):
    """A portion that Elasticsearch has: how many messages, the next offsets of the partitions that
    it read in, and which documents were refused (`Operation.alias` is the index's name here)."""

    messages: int
    positions: dict[int, int]
    refused: list[Refused]


class Copier:
    """Copies on from where it last was. Use it in a `with` block."""

    def __init__(
        self,
        bootstrap: str,
        elasticsearch: str,
        indices: Mapping[str, str],
        start: Mapping[int, int],
    ) -> None:
        """`indices` by the names that messages call them by, `start` the first offsets to read."""
        self._indices = indices
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reindex")
        self._client = AsyncElasticsearch(
            **elasticsearch_client(elasticsearch),
            serializer=OrjsonSerializer(),
            request_timeout=120,
            max_retries=0,
        )
        self._reader = LogReader(bootstrap, OPPORTUNITIES, start)

    def copy(self) -> Iterator[Copied]:
        """Everything up to the end that the log has now, portion by portion. Waits for an
        Elasticsearch that is away. Raises EngineAwayError, IndexUnavailableError."""
        messages = self._reader.news()
        bulk = BulkWriter(self._client)
        ahead = self._thread.submit(self._portion, messages)
        while (portion := ahead.result())[0]:
            count, found, positions = portion
            ahead = self._thread.submit(self._portion, messages)
            yield Copied(count, positions, self._runner.run(_write(bulk, found)))

    def _portion(
        self, messages: Iterator[LogMessage]
    ) -> tuple[int, list[Operation], dict[int, int]]:
        count = 0
        found: list[Operation] = []
        positions: dict[int, int] = {}
        for message in islice(messages, _PORTION):
            count += 1
            positions[message.partition] = message.offset + 1
            if message.value is not None:
                said = orjson.loads(message.value)
                document = orjson.dumps(said["document"])
                found += operations_into(self._indices, said, document, message.offset)
        return count, found, positions

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._reader.close()
        self._runner.run(self._client.close())
        self._runner.close()


async def _write(bulk: BulkWriter, found: Sequence[Operation]) -> list[Refused]:
    """Versions make the order of the bulks of no matter."""
    bulks = iter([found[start : start + _BULK] for start in range(0, len(found), _BULK)])
    refused: list[Refused] = []

    async def send() -> None:
        for each in bulks:
            refused.extend(await bulk.write(each))

    await asyncio.gather(*(send() for _ in range(_AT_ONCE)))
    return refused
