"""Many streams at once, each with a filter of its own: how late each message comes, what one costs.

Every stream's filter passes about one event in fifty. A message's delay counts from the moment at
which its event was due to be published (see `latency`), through the whole pipeline, to the moment
at which the reader has the line.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import httpx
import orjson
import psutil
from elasticsearch import Elasticsearch

from traverse_infra.bench.figures import latency_figures, schedule
from traverse_infra.bench.home import Home
from traverse_infra.bench.load import Event
from traverse_infra.errors import InfraError
from traverse_producers.kafka_transport import KafkaTransport
from traverse_producers.sender import Sender
from traverse_schemas.identity import opportunity_id
from traverse_schemas.index_mapping import PUBLIC_ALIAS

_SHARE: Final = (0.01, 0.03)
_AT_ONCE: Final = 100  # streams that connect at the same time
_SETTLE: Final = 5.0
_FAR: Final = datetime(2100, 1, 1, tzinfo=UTC)


class StreamsFailedError(InfraError):
    """Streams could not be opened, or nothing came."""


def stream_filters(client: Elasticsearch, count: int) -> list[dict[str, str]]:
    """So many different filters, each of which about 2 % of the documents pass.

    Raises StreamsFailedError where the documents have no territory of that share.
    """
    answer = client.search(
        index=PUBLIC_ALIAS,
        size=0,
        track_total_hits=True,
        query={"term": {"stub": False}},
        aggregations={"within": {"terms": {"field": "within", "size": 2000}}},
    )
    total = answer["hits"]["total"]["value"]
    least, most = (share * total for share in _SHARE)
    places = [
        bucket["key"]
        for bucket in answer["aggregations"]["within"]["buckets"]
        if least <= bucket["doc_count"] <= most
    ]
    if not places:
        raise StreamsFailedError(
            "Aucun territoire ne porte environ 2 % de cette charge : les flux ne peuvent pas être "
            "mesurés ; donnez avec --data les fichiers réels."
        )
    # The far end of the publication dates makes each filter another one, and leaves nothing out.
    return [
        {
            "territory": places[number % len(places)],
            "reach": "within",
            "published_to": (_FAR + timedelta(seconds=number)).isoformat(),
        }
        for number in range(count)
    ]


class Load(NamedTuple):
    """What is published while the streams stand: events, and when each is due (seconds)."""

    home: Home
    events: list[Event]
    due: list[float]


def stream_load(home: Home, events: Iterator[Event], per_second: float, seconds: float) -> Load:
    """So many events a second for so many seconds."""
    due = schedule(per_second, seconds)
    return Load(home, [next(events) for _ in due], due)


def stream_figures(
    address: str, service: psutil.Process, filters: list[dict[str, str]], load: Load
) -> dict[str, float]:
    """Delays in milliseconds, what came, and the service's memory for one stream (KiB).

    Raises StreamsFailedError.
    """
    before = service.memory_info().rss
    readers = _Readers(address)
    memory, processor = asyncio.run(readers.measure(filters, load, service))
    if not readers.delays:
        raise StreamsFailedError("Aucun message n'est arrivé sur les flux : voyez les journaux.")
    return {
        **latency_figures(readers.delays),
        "streams": len(filters),
        "messages": len(readers.delays),
        "passed_share": len(readers.delays) / len(filters) / len(load.events),
        "kib_per_stream": (memory - before) / len(filters) / 1024,
        "service_processor_share": processor / (load.due[-1] + _SETTLE),
    }


class _Readers:
    """The readers of all streams, in one process of their own."""

    def __init__(self, address: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx.AsyncClient(
            base_url=address,
            timeout=httpx.Timeout(60, read=None),  # a stream may be silent for long
            limits=limits,
        )
        self._opening = asyncio.Semaphore(_AT_ONCE)
        self._opened = asyncio.Semaphore(0)
        self.moments: dict[str, float] = {}
        self.delays: list[float] = []

    async def measure(
        self, filters: list[dict[str, str]], load: Load, service: psutil.Process
    ) -> tuple[int, float]:
        """Open all, publish, close all: the service's memory (octets) and processor time (s)."""
        async with self._client:
            readers = [asyncio.create_task(self._read(each)) for each in filters]
            for _ in filters:
                opened = asyncio.create_task(self._opened.acquire())
                first = asyncio.FIRST_COMPLETED
                done, _rest = await asyncio.wait({opened, *readers}, return_when=first)
                if opened not in done:
                    await done.pop()  # its error
            used = sum(service.cpu_times()[:2])
            await asyncio.to_thread(self._send, load)
            await asyncio.sleep(_SETTLE)
            memory = service.memory_info().rss
            used = sum(service.cpu_times()[:2]) - used
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
        return memory, used

    async def _read(self, parameters: Mapping[str, str]) -> None:
        headers = {"accept": "application/x-ndjson"}
        await self._opening.acquire()
        async with self._client.stream(
            "GET", "/v1/stream", params=parameters, headers=headers
        ) as answer:
            if not answer.is_success:
                await answer.aread()
                raise StreamsFailedError(f"Un flux est refusé : {answer.text[:200]}")
            lines = answer.aiter_lines()
            await anext(lines)
            self._opening.release()
            self._opened.release()
            async for line in lines:
                moment = self.moments.get(orjson.loads(line)["data"]["id"]) if line else None
                if moment is not None:
                    self.delays.append(time.monotonic() - moment)

    def _send(self, load: Load) -> None:
        home = load.home
        with Sender(KafkaTransport(home.kafka), keys=home.keys) as publisher:
            begin = time.monotonic() + 0.1
            for moment, event in zip(load.due, load.events, strict=True):
                time.sleep(max(0.0, begin + moment - time.monotonic()))
                identity = opportunity_id(event["source"], event["subject"])
                self.moments[identity] = begin + moment
                publisher.send(event)
