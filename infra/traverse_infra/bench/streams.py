"""Many streams at once, each with a filter of its own: how late each message comes, what one costs.

Every stream's filter passes about one event in fifty. A message's delay counts from the moment at
which its event was due to be published (see `latency`), through the whole pipeline, to the moment
at which the reader has the line. The first events are not measured: engines that have just started
compile what they run. What comes of a document again is counted as a message and has no
delay: another event changed it, which is not known here.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import httptools
import orjson
import psutil
from elasticsearch import Elasticsearch

from traverse_infra.bench.figures import latency_figures, schedule
from traverse_infra.bench.home import Home
from traverse_infra.bench.load import Event
from traverse_infra.errors import InfraError
from traverse_producers.sender import Sender
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.log.identity import opportunity_id

_SHARE: Final = (0.018, 0.045)  # of all documents
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
    """What is published while the streams stand: events, when each is due, and from when on they
    are measured (seconds)."""

    home: Home
    events: list[Event]
    due: list[float]
    warm: float


class Costs(NamedTuple):
    """The service's memory (octets) and processor time, and that of the readers (seconds)."""

    memory: int
    service: float
    readers: float


def stream_load(
    home: Home, events: Iterator[Event], per_second: float, seconds: float, warm: float
) -> Load:
    """So many events a second for so many seconds, after as many for `warm` seconds."""
    due = schedule(per_second, warm + seconds)
    return Load(home, [next(events) for _ in due], due, warm)


def stream_figures(
    address: str, service: psutil.Process, filters: list[dict[str, str]], load: Load
) -> dict[str, float]:
    """Delays in milliseconds, what came, and the service's memory for one stream (KiB).

    Raises StreamsFailedError.
    """
    before = service.memory_info().rss
    readers = _Readers(address)
    costs = asyncio.run(readers.measure(filters, load, service))
    if not readers.delays:
        raise StreamsFailedError("Aucun message n'est arrivé sur les flux : voyez les journaux.")
    return {
        **latency_figures(readers.delays),
        "streams": len(filters),
        "messages": readers.messages,
        "passed_share": readers.messages / len(filters) / len(load.events),
        "kib_per_stream": (costs.memory - before) / len(filters) / 1024,
        "service_processor_share": costs.service / (load.due[-1] + _SETTLE),
        "readers_processor_share": costs.readers / (load.due[-1] + _SETTLE),
    }


class _Readers:
    """The readers of all streams, in this process: they must cost little, or what is late is they
    (an HTTP client for programs takes half a millisecond a message)."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        self._opening = asyncio.Semaphore(_AT_ONCE)
        self.moments: dict[str, float] = {}
        self.delays: list[float] = []
        self.messages = 0

    async def measure(
        self, filters: list[dict[str, str]], load: Load, service: psutil.Process
    ) -> Costs:
        """Open all, publish, close all."""
        streams = await asyncio.gather(*(self._open(each) for each in filters))
        try:
            used, own = sum(service.cpu_times()[:2]), time.process_time()
            await asyncio.to_thread(self._send, load)
            await asyncio.sleep(_SETTLE)
            for stream in streams:
                stream.check()
            return Costs(
                service.memory_info().rss,
                sum(service.cpu_times()[:2]) - used,
                time.process_time() - own,
            )
        finally:
            for stream in streams:
                stream.close()

    async def _open(self, parameters: Mapping[str, str]) -> "_Stream":
        async with self._opening:
            host, port = self._address.hostname or "", self._address.port or 80
            _, stream = await asyncio.get_running_loop().create_connection(
                lambda: _Stream(self._came), host, port
            )
            stream.ask(f"{host}:{port}", f"/v1/stream?{urlencode(parameters)}")
            await asyncio.wait_for(stream.opened, 60)
            return stream

    def _came(self, line: bytes, known: set[str]) -> None:
        self.messages += 1
        identity = orjson.loads(line)["data"]["id"]
        moment = self.moments.get(identity)
        if moment is not None and identity not in known:
            known.add(identity)
            self.delays.append(time.monotonic() - moment)

    def _send(self, load: Load) -> None:
        home = load.home
        with Sender(KafkaTransport(home.kafka), keys=home.keys) as publisher:
            begin = time.monotonic() + 0.1
            for moment, event in zip(load.due, load.events, strict=True):
                time.sleep(max(0.0, begin + moment - time.monotonic()))
                identity = opportunity_id(event["source"], event["subject"])
                if moment >= load.warm:
                    self.moments[identity] = begin + moment
                publisher.send(event)


class _Stream(asyncio.Protocol):
    """One stream: each line goes to `came`, with the ids that came before; but not the first, which
    says that it stands, nor those that only say that it still does."""

    def __init__(self, came: Callable[[bytes, set[str]], None]) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._came = came
        self._known: set[str] = set()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def ask(self, host: str, path: str) -> None:
        """Send the request, once the connection is made."""
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/x-ndjson\r\n\r\n"
        self._transport.write(head.encode())  # type: ignore[union-attr]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        *lines, self._rest = (self._rest + body).split(b"\n")
        if self._parser.get_status_code() != 200:
            self._fail(f"Un flux est refusé : {body[:200].decode(errors='replace')}")
            return
        if lines and not self.opened.done():
            self.opened.set_result(None)
            del lines[0]
        for line in filter(None, lines):
            self._came(line, self._known)

    def connection_lost(self, _: Exception | None) -> None:
        self._ended = True
        self._fail("Un flux s'est fermé avant de s'ouvrir.")

    def check(self) -> None:
        """Raises StreamsFailedError when the service closed it."""
        if self._ended:
            raise StreamsFailedError(
                "Le service a fermé un flux pendant la mesure : voyez son journal."
            )

    def close(self) -> None:
        """Leave."""
        self.opened.cancel()
        if self._transport is not None:
            self._transport.close()

    def _fail(self, sentence: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(StreamsFailedError(sentence))
