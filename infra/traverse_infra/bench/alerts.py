"""How soon after a document can be searched its alerts are ready, with many saved searches.

Documents are written as the index step writes them, at a steady pace: a bulk, then the changes. A
poller tells when a search first shows each; its alerts are ready when the ledger has them. The
clocks are one. Writer, poller and notifier share a process, and so its lock: nothing here is
flattered.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from kafka import KafkaProducer

from traverse_infra.bench.figures import latency_figures
from traverse_infra.bench.home import Home, bench_home
from traverse_infra.bench.load import Load
from traverse_infra.bench.machine import machine
from traverse_infra.errors import InfraError
from traverse_infra.settings import Settings
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.french.analysis import STOP_WORDS
from traverse_schemas.log.engine_access import elasticsearch_client, kafka_client
from traverse_schemas.log.identity import opportunity_id, utc_text
from traverse_schemas.log.topics import CHANGES, PARTITIONS
from traverse_schemas.reference.rows import TerritoryChain
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import Reader
from traverse_search_api.alerts.followed import FollowedSearches
from traverse_search_api.alerts.ledger import Batch, Ledger
from traverse_search_api.alerts.subscription import Channel, Subscription
from traverse_search_api.alerts.watch import Watcher
from traverse_search_api.changes.change_log import ChangeLog
from traverse_search_api.engines.elasticsearch_client import Indices, connect
from traverse_search_api.filters.zones import load_territories
from traverse_search_api.words.synonym_book import SynonymBook

Say = Callable[[str], None]

_SOURCE: Final = "urn:siren:211300553:mesure"
_READERS: Final = 500
_EVERY: Final = 0.1  # seconds between two writes
_POLL: Final = 0.02
_WARM: Final = 5.0  # seconds that are not counted
_PATIENCE: Final = 120.0


class NotReadyError(InfraError):
    """Alerts were not ready long after everything was written."""


class _TimedLedger(Ledger):
    """Notes when each document was judged, and its alerts were there."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.ready: dict[str, float] = {}
        self.alerts_made = 0

    def write(self, batch: Batch) -> int:
        """See Ledger.write."""
        new = super().write(batch)
        now = time.monotonic()
        self.alerts_made += new
        for one in batch.known.values():
            self.ready.setdefault(one.opportunity, now)
        return new


@dataclass
class _Watched:
    """The documents that were written and are not searchable yet, and since when the rest are."""

    waiting: set[str] = field(default_factory=set)
    seen: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def measure_alerts(  # noqa: PLR0917 -- each of another type
    subscriptions: int, rate: float, seconds: float, load: Load, settings: Settings, say: Say
) -> dict[str, Any]:
    """The figures in milliseconds. Raises NotReadyError."""
    chance = random.Random(7)  # noqa: S311 -- the same searches each time
    words = _words(load)
    places = _places(chance)
    rows = {row.id: row for row in _rows(subscriptions, words, places, chance)}
    with bench_home(settings, load, say) as home:
        found = asyncio.run(_measure(home, rows, words, places, (rate, seconds), load, say))
        return {
            "machine": machine(home.settings, home.client.info()["version"]["number"]),
            "subscriptions": subscriptions,
            "events_per_second": rate,
            "seconds": seconds,
            **found,
        }


async def _measure(  # noqa: PLR0917 -- each of another type
    home: Home,
    rows: dict[str, Subscription],
    words: Sequence[str],
    places: Sequence[TerritoryChain],
    pace: tuple[float, float],
    load: Load,
    say: Say,
) -> dict[str, Any]:
    client = connect(home.elasticsearch, 60)
    log = ChangeLog(home.kafka)
    ledger = _TimedLedger(home.folder / "state" / "bench-notify.sqlite")
    territories = load_territories(None)
    watcher = Watcher(
        log=log,
        indices=Indices(client, client, ALIASES, 50),
        ledger=ledger,
        searches=FollowedSearches(territories, SynonymBook()),
        rows=lambda: rows,
        reader_of=lambda row: Reader(row.siren, buyer=True),
        clock=clock_from(load.as_of),
    )
    stop = threading.Event()
    watched = _Watched()
    try:
        say(f"{len(rows)} recherches enregistrées sont lues…")
        started = time.monotonic()
        await watcher.begin()
        loading = time.monotonic() - started
        say(f"{pace[0]:g} documents par seconde pendant {pace[1]:g} s…")
        documents = _documents(words, places, random.Random(11))  # noqa: S311
        writer = asyncio.create_task(asyncio.to_thread(_write, home, documents, pace, watched))
        poller = asyncio.create_task(asyncio.to_thread(_poll, home, watched, stop))
        steps = asyncio.create_task(_steps(watcher))
        written = await writer
        deadline = time.monotonic() + _PATIENCE
        while any(one not in ledger.ready or one not in watched.seen for one in written):
            if steps.done():
                steps.result()
            if time.monotonic() > deadline:
                raise NotReadyError("Des alertes manquent encore deux minutes après la fin.")
            await asyncio.sleep(0.1)
        steps.cancel()
        with suppress(asyncio.CancelledError):
            await steps
        stop.set()
        await poller
    finally:
        stop.set()
        alerts = ledger.alerts_made
        await log.close()
        await client.close()
        ledger.close()
    first = min(written.values()) + _WARM
    delays = [
        max(0.0, ledger.ready[one] - watched.seen[one])
        for one, at in written.items()
        if at >= first
    ]
    whole = [ledger.ready[one] - at for one, at in written.items() if at >= first]
    return {
        "loading_seconds": round(loading, 1),
        "documents": len(delays),
        "alerts_per_document": round(alerts / max(1, len(written)), 1),
        "alerts": alerts,
        "after_searchable": latency_figures(delays),
        "after_written": latency_figures(whole),
    }


async def _steps(watcher: Watcher) -> None:
    while True:
        await watcher.step()


def _places(chance: random.Random) -> list[TerritoryChain]:
    """Communes as people live in them: the large ones often."""
    territories = Territories.load()
    communes = territories.communes()
    chosen = chance.choices(communes, weights=[one.population for one in communes], k=5000)
    chains = (territories.chain(f"com:{one.insee}") for one in chosen)
    return [chain for chain in chains if chain is not None]


def _words(load: Load) -> list[str]:
    """The words of the load's titles, those in many titles as often: as people would ask."""
    found = []
    for event in load.events[:20_000]:
        data = event.get("data") or {}
        record = data.get("record", data) if isinstance(data, dict) else {}
        title = str(record.get("title", "")) if isinstance(record, dict) else ""
        found += [
            word
            for word in title.lower().replace("'", " ").split()
            if word.isalpha() and len(word) > 3 and word not in STOP_WORDS
        ]
    return found or ["travaux", "cantine", "voirie", "école"]


def _rows(
    count: int, words: Sequence[str], places: Sequence[TerritoryChain], chance: random.Random
) -> Iterator[Subscription]:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        # Most follow their commune, or what is around it; who follows a whole département says
        # what, and who follows all of France more of it.
        search: dict[str, list[str]] = {}
        shape = chance.random()
        if shape < 0.85:
            commune = chance.choice(places)
            level = commune.first("com" if shape < 0.45 else "epci" if shape < 0.65 else "dep")
            search["territory"] = [level.code if level else commune.code]
        if shape > 0.25:
            count = chance.randint(1, 2) if shape < 0.85 else 3
            search["q"] = [" ".join(chance.choice(words) for _ in range(count))]
        if chance.random() < 0.5:
            search["kind"] = ["call"]
        if chance.random() < 0.2:
            search["cpv"] = [chance.choice(("45", "15", "71", "72", "90"))]
        yield Subscription(
            id=f"{number:032x}",
            siren=_siren(number % _READERS),
            name="mesure",
            search=search,
            channel=Channel.FEED,
            secret="measured",  # noqa: S106
            created=created,
        )


def _siren(number: int) -> str:
    """A SIREN by its last digit (Luhn), of nobody in particular."""
    body = f"9{number:07}"
    total = 0
    for place, char in enumerate(reversed(body)):
        digit = int(char) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return body + str(-total % 10)


def _documents(
    words: Sequence[str], places: Sequence[TerritoryChain], chance: random.Random
) -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        chain = chance.choice(places)
        cpv = chance.choice(("45000000", "15000000", "71000000", "72000000", "90000000"))
        text = [chance.choice(words) for _ in range(24)]
        subject = f"mesure-{number}"
        now = utc_text(datetime.now(UTC))
        owner = {"siren": "211300553", "name": "Ville", "kind": "commune", "role": "owner"}
        yield {
            "id": opportunity_id(_SOURCE, subject), "stub": False, "kind": "call",
            "subtype": "contract", "title": " ".join(text[:8]), "description": " ".join(text[8:]),
            "language": "fr", "visibility": "public", "institutions": [owner],
            "owner_siren": "211300553", "owner_kind": "commune", "place": [chain.code],
            "within": list(chain.codes), "covers": [chain.code], "place_names": [chain.name],
            "territory": {"code": chain.code, "name": chain.name, "level": "commune"},
            "themes": [], "cpv": [cpv], "cpv_within": [cpv], "state": "active",
            "published_at": now, "updated_at": now, "links": [], "references": [subject],
            "sources": [{"source": _SOURCE, "subject": subject, "updated_at": now}],
        }  # fmt: skip
        number += 1


def _write(
    home: Home, documents: Iterator[dict[str, Any]], pace: tuple[float, float], watched: _Watched
) -> dict[str, float]:
    """Write at the pace (a second, seconds); gives when each document was written."""
    rate, seconds = pace
    written: dict[str, float] = {}
    producer = KafkaProducer(**kafka_client(home.kafka), acks="all", linger_ms=5)
    with Elasticsearch(**elasticsearch_client(home.elasticsearch), request_timeout=60) as client:
        start = time.monotonic()
        count = 0
        while (elapsed := time.monotonic() - start) < seconds + _WARM:
            batch = [next(documents) for _ in range(int(elapsed * rate) - count)]
            if batch:
                _write_batch(client, producer, batch, count, watched)
                now = time.monotonic()
                written.update((one["id"], now) for one in batch)
                count += len(batch)
            time.sleep(_EVERY)
    producer.close()
    return written


def _write_batch(
    client: Elasticsearch,
    producer: KafkaProducer,
    batch: Sequence[dict[str, Any]],
    count: int,
    watched: _Watched,
) -> None:
    actions = [
        {
            "_index": PUBLIC_ALIAS, "_id": one["id"], "_version": count + place + 1,
            "version_type": "external", "_source": one,
        }
        for place, one in enumerate(batch)
    ]  # fmt: skip
    with watched.lock:
        watched.waiting.update(one["id"] for one in batch)
    bulk(client, actions)
    for place, one in enumerate(batch):
        value = {"id": one["id"], "index": "public", "version": count + place + 1}
        producer.send(CHANGES, orjson.dumps(value), partition=(count + place) % PARTITIONS)
    producer.flush()


def _poll(home: Home, watched: _Watched, stop: threading.Event) -> None:
    """Note when a search first shows each document."""
    with Elasticsearch(**elasticsearch_client(home.elasticsearch), request_timeout=60) as client:
        while not stop.is_set():
            with watched.lock:
                ids = list(watched.waiting)[:1000]
            if ids:
                answer = client.search(
                    index=PUBLIC_ALIAS, size=len(ids), query={"terms": {"id": ids}},
                    source=False, track_total_hits=False,
                )  # fmt: skip
                now = time.monotonic()
                found = {hit["_id"] for hit in answer["hits"]["hits"]}
                with watched.lock:
                    watched.waiting -= found
                watched.seen.update(dict.fromkeys(found, now))
            stop.wait(_POLL)
