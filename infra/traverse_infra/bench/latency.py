"""From publishing to searchable, at a steady pace, each event by its own clock.

The schedule is open: an event is due when it is due, whatever became of those before it. Its clock
starts at that moment, so that a publisher that falls behind cannot hide it, and stops when an
answer to a search on the public alias has the event's id.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from elasticsearch import Elasticsearch

from traverse_infra.bench.figures import latency_figures, percentile, schedule
from traverse_infra.bench.home import Home
from traverse_infra.bench.load import Event
from traverse_infra.errors import InfraError
from traverse_producers.sender import Sender
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.log.identity import opportunity_id

_POLL = 0.02
_MOST_IDS = 2000
_PATIENCE = 180
"""Seconds without an event that becomes searchable: the first waits for processes that start, which
takes long on a machine with much else to do."""


class NeverSearchableError(InfraError):
    """Events that were published did not become searchable."""


class Run(NamedTuple):
    """Seconds from due to searchable by event, and between two looks at the index."""

    latencies: list[float]
    gaps: list[float]


def latency(
    home: Home, events: Iterator[Event], per_second: float, seconds: float
) -> dict[str, float]:
    """The figures in milliseconds of so many events a second for so many seconds.

    Raises NeverSearchableError.
    """
    run = _run(home, events, schedule(per_second, seconds))
    return {
        **latency_figures(run.latencies),
        "events": len(run.latencies),
        "poll_p50": percentile(run.gaps, 0.5) * 1000,
        "poll_max": max(run.gaps) * 1000,
    }


def _run(home: Home, events: Iterator[Event], due: list[float]) -> Run:
    waiting: dict[str, float] = {}
    chosen = [next(events) for _ in due]
    with Sender(KafkaTransport(home.kafka), keys=home.keys) as publisher:
        failures: list[BaseException] = []
        begin = time.monotonic() + 0.1

        def send_all() -> None:
            try:
                for moment, event in zip(due, chosen, strict=True):
                    time.sleep(max(0.0, begin + moment - time.monotonic()))
                    waiting[opportunity_id(event["source"], event["subject"])] = begin + moment
                    publisher.send(event)
            except BaseException as error:
                failures.append(error)  # raised by the one who waits for this thread

        sender = threading.Thread(target=send_all, name="bench-publisher")
        sender.start()
        try:
            run = _poll(home.client, waiting, sender.is_alive)
        except NeverSearchableError:
            if failures:
                raise failures[0] from None
            raise
        sender.join()
        if failures:
            raise failures[0]
    return run


def _poll(client: Elasticsearch, waiting: dict[str, float], sending: Callable[[], bool]) -> Run:
    run = Run([], [])
    last = time.monotonic()
    moved = last
    while True:
        more = sending()
        ids = list(waiting)[:_MOST_IDS]
        if not ids and not more:
            return run
        found = _searchable(client, ids) if ids else []
        now = time.monotonic()
        run.gaps.append(now - last)
        for identity in found:
            run.latencies.append(now - waiting.pop(identity))
        if found or more:
            moved = now
        elif now - moved > _PATIENCE:
            raise NeverSearchableError(
                f"{len(ids)} événements publiés ne sont pas cherchables après {_PATIENCE} s : "
                "voyez les journaux des traitements et « traverse rejected list »."
            )
        last = now
        time.sleep(_POLL)


def _searchable(client: Elasticsearch, ids: list[str]) -> list[str]:
    answer = client.search(
        index=PUBLIC_ALIAS,
        size=len(ids),
        query={"bool": {"filter": [{"terms": {"id": ids}}]}},
        source=False,
        track_total_hits=False,
        filter_path="hits.hits._id",
    )
    return [hit["_id"] for hit in answer.get("hits", {}).get("hits", [])]
