"""How many a second: the pipeline, a bare Faust pass-through and direct bulks, turn by turn.

The clock of a turn runs until a search sees the last write: from the first output that is seen
(which is not counted), the input lying there as the process starts; of the pipeline, from before
its input is sent to steps that are ready. So starting a process is not in the figure, and waiting
for Elasticsearch to refresh is.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import orjson
import psutil
from elasticsearch import AsyncElasticsearch, OrjsonSerializer

from traverse_infra.bench.figures import Seen, rate
from traverse_infra.bench.home import Home, python_module
from traverse_infra.bench.load import Event, octets_and_key
from traverse_infra.bench.machine import memory, processor_seconds, steps_of
from traverse_infra.bench.passthrough import bulk_body
from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import InfraError
from traverse_infra.log.reading import read_topic
from traverse_infra.log.topics import end_offsets
from traverse_infra.services import Services
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.identity import partition_of
from traverse_schemas.log.topics import (
    ACCEPTED,
    INBOUND,
    OPPORTUNITIES,
    PARTITIONS,
    REJECTED,
)
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.log import Message

DOCUMENTS = "bench.documents"
PASSTHROUGH_INDEX = "bench-passthrough"
BULK_INDEX = "bench-bulk"
OPPORTUNITY_INDICES = ",".join(ALIASES.values())

BATCH_SIZE = 500
BATCH_WAIT = 0.05
BULK_CLIENTS = 2
_LOOK_EVERY = 0.05
_STILL = 1.0  # seconds without a new document before the log is asked whether all is done
_TIMEOUT = 900
FIRST: Final = 100
"""Events of a turn of the pipeline that come alone, before the clock starts."""


Document = tuple[bytes, bytes]
"""(id, JSON)"""


class BenchError(InfraError):
    """A measurement came to nothing, or lost something."""


@dataclass(slots=True)
class Turn:
    """One turn of one contender: items a second, start-up (s), processor seconds by process."""

    per_second: float
    items: int
    startup: float = 0.0
    processor: dict[str, float] = field(default_factory=dict)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(slots=True)
class PipelineTurn(Turn):
    """What the pipeline made of its events besides."""

    accepted: int = 0
    rejected: int = 0
    documents: list[Document] = field(default_factory=list)


def pipeline_turn(home: Home, events: Sequence[Event]) -> PipelineTurn:
    """`traverse work` over these events. The first few come alone: once they can be found, the
    step that links has read what it has to know, and the clock starts before the rest is sent."""
    messages = [inbound(event, home.sign) for event in events]
    home.write(messages[:FIRST])
    rest(home)
    with home.services() as services:
        started = time.monotonic()
        services.start("work", "work")
        first = watch(services, lambda: home.searchable(OPPORTUNITY_INDICES), home.all_done)[-1]
        before = {
            name: end_offsets(home.kafka, name) for name in (ACCEPTED, REJECTED, OPPORTUNITIES)
        }
        steps = {**engines_of(home), **steps_of(psutil.Process(services.pid("work")))}
        processor = processor_seconds(steps)
        start = Seen(time.monotonic(), first.items)
        home.write(messages[FIRST:])
        looks = watch(services, lambda: home.searchable(OPPORTUNITY_INDICES), home.all_done)
        used = difference(processor_seconds(steps), processor)
        taken = memory(steps)
    made = {name: _grown(home, name, before[name]) for name in before}
    total = looks[-1].items
    seconds = (total - start.items) / rate_of(start, total, looks)
    return PipelineTurn(
        per_second=(len(events) - FIRST) / seconds,
        items=len(events) - FIRST,
        startup=start.at - started,
        processor=used,
        memory=taken,
        accepted=made[ACCEPTED],
        rejected=made[REJECTED],
        documents=[
            (message.key, orjson.dumps(orjson.loads(message.value or b"")["document"]))
            for message in read_topic(home.kafka, OPPORTUNITIES, before[OPPORTUNITIES])
        ],
    )


def passthrough_turn(home: Home, documents: Sequence[Document]) -> Turn:
    """The bare Faust worker over these documents, which lie on their topic when it starts."""
    config = {
        "kafka": home.kafka,
        "elasticsearch": home.elasticsearch,
        "topic": DOCUMENTS,
        "index": PASSTHROUGH_INDEX,
        "folder": str(home.folder / "passthrough"),
        "batch_size": BATCH_SIZE,
        "batch_wait": BATCH_WAIT,
    }
    home.write(on_documents_topic(documents))
    command = python_module("traverse_infra.bench.passthrough", config)
    return process_turn(home, "passthrough", command, PASSTHROUGH_INDEX, len(documents))


def process_turn(home: Home, name: str, command: Sequence[str], index: str, documents: int) -> Turn:
    """A program that brings `documents` from their topic into an index, one write each."""
    written = home.searchable(index)
    rest(home)
    with home.services() as services:
        started = time.monotonic()
        services.run(name, command)
        start = _first(services, lambda: home.written(index) - written)
        processes = {**engines_of(home), name: psutil.Process(services.pid(name))}
        processor = processor_seconds(processes)
        looks = watch(
            services,
            lambda: home.searchable(index) - written,
            lambda: home.searchable(index) - written >= documents,
        )
        used = difference(processor_seconds(processes), processor)
        return Turn(
            rate_of(start, documents, looks),
            documents,
            start.at - started,
            used,
            memory({name: processes[name]}),
        )


def bulk_turn(home: Home, documents: Sequence[Document], index: str = BULK_INDEX) -> Turn:
    """Bulks straight from Python, two at a time, in this process."""
    written = home.searchable(index)
    rest(home)
    processes = {**engines_of(home), "bulk": psutil.Process()}
    processor = processor_seconds(processes)
    start = Seen(time.monotonic(), 0)
    asyncio.run(_bulk(home.elasticsearch, documents, index))
    looks = watch(None, lambda: home.searchable(index) - written, lambda: True, len(documents))
    used = difference(processor_seconds(processes), processor)
    return Turn(rate_of(start, len(documents), looks), len(documents), 0, used)


def engines_of(home: Home) -> dict[str, psutil.Process]:
    """The processes of Kafka and Elasticsearch."""
    return {
        status.name.lower(): psutil.Process(status.pid)
        for status in home.engines.status()
        if status.pid is not None
    }


def rest(home: Home) -> None:
    """Until Elasticsearch has nothing left to merge of what came before."""
    wait_until(home.quiet, timeout=60)


def on_documents_topic(documents: Iterable[Document]) -> Iterable[Message]:
    """The documents as messages."""
    return (
        Message(DOCUMENTS, partition_of(key.decode(), PARTITIONS), key, document)
        for key, document in documents
    )


def inbound(event: Event, sign: Callable[[bytes, str], bytes]) -> Message:
    """An event, signed, as it arrives."""
    octets, key = octets_and_key(event)
    headers = ((SIGNATURE_HEADER, sign(octets, event["source"])),)
    return Message(INBOUND, partition_of(key.decode(), PARTITIONS), key, octets, headers)


async def _bulk(address: str, documents: Sequence[Document], index: str) -> None:
    rest_of = iter(documents)

    async def send() -> None:
        async with AsyncElasticsearch(
            # A machine that others use may keep a bulk waiting.
            address,
            serializer=OrjsonSerializer(),
            request_timeout=120,
        ) as client:
            while chunk := list(islice(rest_of, BATCH_SIZE)):
                answer = await client.bulk(
                    index=index, operations=bulk_body(chunk), filter_path="errors"
                )
                if answer["errors"]:
                    raise BenchError("Elasticsearch refuse des documents du banc d'essai.")

    await asyncio.gather(*(send() for _ in range(BULK_CLIENTS)))


def _first(services: Services, count: Callable[[], int]) -> Seen:
    """The first look that sees something."""

    def look() -> Seen | None:
        services.check()
        seen = count()
        return Seen(time.monotonic(), seen) if seen > 0 else None

    found = wait_until(look, timeout=_TIMEOUT, pause=lambda _: time.sleep(_LOOK_EVERY))
    if found is None:
        raise BenchError("Rien n'est sorti du traitement mesuré : voyez ses journaux.")
    return found


def watch(
    services: Services | None,
    count: Callable[[], int],
    done: Callable[[], bool],
    expected: int | None = None,
) -> list[Seen]:
    """Looks until all is done; the last look sees all."""
    looks = [Seen(time.monotonic(), count())]
    changed = looks[0].at
    while True:
        if services is not None:
            services.check()
        time.sleep(_LOOK_EVERY)
        seen = count()
        looks.append(Seen(time.monotonic(), seen))
        if looks[-1].items != looks[-2].items:
            changed = looks[-1].at
        if expected is not None and seen >= expected:
            return looks
        if expected is None and looks[-1].at - changed > _STILL and done():
            looks.append(Seen(time.monotonic(), count()))
            # A refresh may have come between the two questions.
            if looks[-1].items == looks[-2].items:
                return looks
        if looks[-1].at - looks[0].at > _TIMEOUT:
            raise BenchError(f"Pas fini après {_TIMEOUT} s : {seen} écritures cherchables.")


def rate_of(start: Seen, total: int, looks: Sequence[Seen]) -> float:
    """`figures.rate`. Raises BenchError when the turn was over before it could be watched."""
    try:
        return rate(start, total, looks)
    except ValueError as error:
        raise BenchError(
            f"Un tour de {total} documents est trop court pour être mesuré : demandez plus "
            "d'événements (--events) ou moins de tours (--turns)."
        ) from error


def _grown(home: Home, topic: str, before: Mapping[int, int]) -> int:
    return sum(end_offsets(home.kafka, topic).values()) - sum(before.values())


def difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """What was added of each since."""
    return {name: seconds - before[name] for name, seconds in after.items()}
