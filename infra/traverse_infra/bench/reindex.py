"""Rebuilding the index beside direct bulks of the same documents, turn by turn.

A rebuild reads the log, makes the documents, writes them with their versions, and swaps; it is
timed from its beginning to the swap. Bulks go into an index that is as empty, and are timed from
the first to the last one searchable.
"""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import orjson

from traverse_infra.bench.figures import spread
from traverse_infra.bench.home import Home
from traverse_infra.bench.load import Event
from traverse_infra.bench.plan import Plan
from traverse_infra.bench.throughput import (
    BenchError,
    Document,
    bulk_turn,
    pipeline_turn,
    rest,
)
from traverse_infra.log.reading import read_topic
from traverse_infra.log.topics import end_offsets
from traverse_infra.reindex.rebuild import rebuild
from traverse_schemas.log.topics import OPPORTUNITIES

_SWAPPED = "Les alias"


def reindex_figures(
    home: Home, plan: Plan, events: Iterator[Event], say: Callable[[str], None]
) -> dict[str, Any]:
    """Messages a second of both, and the ratio of each turn, over all that the log holds; what is
    missing to `plan.events` is published first. Raises BenchError."""
    missing = plan.events - sum(end_offsets(home.kafka, OPPORTUNITIES).values())
    if missing > 0:
        say(f"Reconstruction : {missing} événements de plus…")
        pipeline_turn(home, list(islice(events, missing)))
    turns = plan.turns
    documents: list[Document] = [
        (message.key, orjson.dumps(orjson.loads(message.value or b"")["document"]))
        for message in read_topic(home.kafka, OPPORTUNITIES)
    ]
    rebuilds: list[float] = []
    bulks: list[float] = []
    for number in range(1, turns + 1):
        say(f"Reconstruction, tour {number} sur {turns} : {len(documents)} messages…")
        index = f"bench-reindex-{number}"
        home.make_index(index)
        bulks.append(bulk_turn(home, documents, index).per_second)
        home.client.indices.delete(index=index)
        rest(home)
        rebuilds.append(len(documents) / _rebuilt(home))
    return {
        "messages": len(documents),
        "rebuild_per_s": spread(rebuilds),
        "bulk_per_s": spread(bulks),
        "ratio": spread([mine / its for mine, its in zip(rebuilds, bulks, strict=True)]),
    }


def _rebuilt(home: Home) -> float:
    """Seconds of a rebuild until searches see it."""
    start = time.monotonic()
    took = 0.0
    for line in rebuild(home.kafka, home.elasticsearch):
        if line.startswith(_SWAPPED):
            took = time.monotonic() - start
    if not took:
        raise BenchError("La reconstruction n'a pas basculé les alias : voyez Elasticsearch.")
    return took
