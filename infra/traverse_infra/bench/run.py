"""One run of the benchmark, from engines of its own to the figures."""

import random
import time
from collections.abc import Callable, Iterator
from itertools import chain, count, islice
from typing import Any

import psutil
from elasticsearch.helpers import scan

from traverse_infra.bench.gateway import gateway_figures
from traverse_infra.bench.growth import growth_figures
from traverse_infra.bench.home import Home, bench_home
from traverse_infra.bench.latency import latency
from traverse_infra.bench.load import Event, Load, repeated, retold
from traverse_infra.bench.machine import machine, memory
from traverse_infra.bench.peers import prepare_quixstreams, quixstreams_turn
from traverse_infra.bench.plan import Part, Plan
from traverse_infra.bench.reindex import reindex_figures
from traverse_infra.bench.retell import Round
from traverse_infra.bench.searches import search_figures
from traverse_infra.bench.streams import stream_figures, stream_filters, stream_load
from traverse_infra.bench.throughput import (
    BULK_INDEX,
    DOCUMENTS,
    OPPORTUNITY_INDICES,
    PASSTHROUGH_INDEX,
    BenchError,
    Document,
    PipelineTurn,
    Turn,
    bulk_turn,
    passthrough_turn,
    pipeline_turn,
)
from traverse_infra.bench.turns import shares, throughput_figures
from traverse_infra.errors import InfraError
from traverse_infra.settings import Settings
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.read_settings import read_settings
from traverse_stream_processors.settings import ProcessorSettings

Say = Callable[[str], None]

_LATENCY_ROUND, _STREAM_ROUND = 500, 700
"""Rounds that the throughput never comes to."""


def run(plan: Plan, load: Load, settings: Settings, say: Say) -> dict[str, Any]:
    """The figures, as `traverse bench --json` prints them. Raises TraverseError."""
    started = time.monotonic()
    events = repeated(load.events)
    with bench_home(settings, load, say) as home:
        figures: dict[str, Any] = {
            "machine": machine(home.settings, home.client.info()["version"]["number"]),
            "home": str(home.folder),
            # Events are signed in any case; `off` leaves the signatures unread.
            "signatures": read_settings(ProcessorSettings).signatures,
            "load": {"origin": load.origin, "events_before_repetition": len(load.events)},
        }
        if set(plan.parts) == {Part.STREAM}:
            say("Des documents d'abord (non mesuré)…")
            pipeline_turn(home, list(islice(events, plan.warm_events)))
        elif not set(plan.parts) <= {Part.GATEWAY, Part.GROWTH}:
            figures |= _throughput(home, plan, events, say)
        rest: dict[Part, Callable[[], dict[str, Any]]] = {
            Part.LATENCY: lambda: {"latency": _latency(home, plan, load, say)},
            Part.SEARCH: lambda: _search(home, plan, figures["memory"], say),
            Part.STREAM: lambda: {"stream": _stream(home, plan, load, say)},
            Part.GATEWAY: lambda: {"gateway": gateway_figures(home, plan, load, say)},
            Part.REINDEX: lambda: {"reindex": reindex_figures(home, plan, events, say)},
            Part.GROWTH: lambda: {"growth": growth_figures(home, plan, events, say)},
        }
        for part, measure in rest.items():
            if part in plan.parts:
                try:
                    figures |= measure()
                except InfraError as error:
                    # What was measured before is kept; the command says what is missing, and fails.
                    figures.setdefault("failed", {})[part.value] = str(error)
    figures["seconds"] = time.monotonic() - started
    return figures


def _throughput(home: Home, plan: Plan, events: Iterator[Event], say: Say) -> dict[str, Any]:
    home.make_topic(DOCUMENTS)
    home.make_index(PASSTHROUGH_INDEX)
    home.make_index(BULK_INDEX)
    quix = prepare_quixstreams(home, say) if plan.peers else None
    say("Mise en température (non mesurée)…")
    _turn(home, list(islice(events, plan.warm_events)), None)
    pipelines: list[PipelineTurn] = []
    others: dict[str, list[Turn]] = {}
    sizes = shares(plan.events, plan.turns) if Part.THROUGHPUT in plan.parts else []
    for number, size in enumerate(sizes, start=1):
        say(f"Débits, tour {number} sur {len(sizes)} : {size} événements…")
        pipeline, turns = _turn(home, list(islice(events, size)), quix)
        pipelines.append(pipeline)
        for name, turn in turns.items():
            others.setdefault(name, []).append(turn)
    memory_of = {"memory": _memory([*pipelines, *chain(*others.values())])}
    return {**memory_of, **(throughput_figures(pipelines, others) if pipelines else {})}


def _turn(
    home: Home, events: list[Event], quix: str | None
) -> tuple[PipelineTurn, dict[str, Turn]]:
    """Each contender once, over the same documents; all of them must be searchable afterwards."""
    pipeline = pipeline_turn(home, events)
    documents = pipeline.documents
    _check(home, OPPORTUNITY_INDICES, documents)
    turns = {"passthrough": passthrough_turn(home, documents)}
    _check(home, PASSTHROUGH_INDEX, documents)
    turns["bulk"] = bulk_turn(home, documents)
    _check(home, BULK_INDEX, documents)
    if quix:
        turns["quixstreams"] = quixstreams_turn(home, quix, len(documents))
    return pipeline, turns


def _check(home: Home, indices: str, documents: list[Document]) -> None:
    """What was written can be found. Raises BenchError."""
    ids = list({key.decode() for key, _ in documents})
    found = sum(
        home.client.count(index=indices, query={"ids": {"values": ids[start : start + 10_000]}})[
            "count"
        ]
        for start in range(0, len(ids), 10_000)
    )
    if found < len(ids):
        raise BenchError(
            f"Seuls {found} documents sur {len(ids)} sont cherchables dans {indices} : la mesure "
            "ne vaut rien, la perte est à chercher dans les journaux des traitements."
        )


def _latency(home: Home, plan: Plan, load: Load, say: Say) -> dict[str, dict[str, float]]:
    chosen = _published(home, load, "l", _LATENCY_ROUND)
    found = {}
    with home.services() as services:
        services.start("work", "work")
        for index, pace in enumerate(plan.paces):
            say(f"Latence à {pace} événements/s pendant {plan.seconds:.0f} s…")
            if index == 0:
                # The first event waits for the processes to start; it is no part of the figures.
                latency(home, chosen, 1, 1)
            latency(home, chosen, pace, plan.warm_seconds)
            found[str(pace)] = latency(home, chosen, pace, plan.seconds)
            services.check()
    return found


def _published(home: Home, load: Load, name: str, first_round: int) -> Iterator[Event]:
    """Events that each publish a record that all may see: as the pipeline saw their like."""
    public = {
        hit["_id"]
        for hit in scan(
            home.client,
            index=PUBLIC_ALIAS,
            query={"query": {"term": {"stub": False}}, "_source": False},
            size=5000,
        )
    }
    first = islice(repeated(load.events), len(load.events))
    likes = [
        index
        for index, event in enumerate(first)
        if event["type"].endswith(".published.v1")
        and opportunity_id(event["source"], event["subject"]) in public
    ]
    if not likes:
        raise BenchError(
            "Aucun événement de cette charge ne publie de dossier visible par tous : la latence "
            "ne peut pas être mesurée."
        )
    # A system of its own for each pass: no record was ever published before. And a round of its
    # own: a record merged into one of the throughput's things would have no document of its own.
    # Files tell of one buyer after the other; here all speak at the same time.
    random.Random(3).shuffle(likes)  # noqa: S311 -- the same order each time
    for number in count():
        told = Round(first_round + number)
        for index in likes:
            yield retold(load.events[index], told, f"{name}{number}")


def _search(
    home: Home, plan: Plan, memory_of: dict[str, dict[str, float]], say: Say
) -> dict[str, Any]:
    say("Recherche avec décomptes…")
    address = f"http://127.0.0.1:{home.search_port}"
    with home.services() as services:
        services.start("search", "serve", "search")
        services.await_answer(f"{address}/readyz", 60)
        found = search_figures(address, plan.search_rounds, max(1, plan.search_rounds // 4))
        taken = memory({"search": psutil.Process(services.pid("search"))})["search"]
    return {"search": found, "memory": {**memory_of, "search": taken}}


def _stream(home: Home, plan: Plan, load: Load, say: Say) -> dict[str, float]:
    say(f"{plan.streams} flux à {plan.stream_pace} événements/s pendant {plan.seconds:.0f} s…")
    address = f"http://127.0.0.1:{home.search_port}"
    chosen = _published(home, load, "s", _STREAM_ROUND)
    filters = stream_filters(home.client, plan.streams)
    allowed = {
        "TRAVERSE_STREAMS_PER_ADDRESS": str(plan.streams),
        "TRAVERSE_ADDRESS_RATE": str(100 * plan.streams),
    }
    with home.services(allowed) as services:
        services.start("search", "serve", "search")
        services.start("work", "work")
        services.await_answer(f"{address}/readyz", 60)
        # The first event waits for the processes to start; it is no part of the figures.
        latency(home, chosen, 1, 1)
        service = psutil.Process(services.pid("search"))
        pace, warm = plan.stream_pace, plan.stream_warm
        published = stream_load(home, chosen, pace, plan.seconds, warm)
        return stream_figures(address, service, filters, published)


def _memory(turns: list[Turn]) -> dict[str, dict[str, float]]:
    """The greatest that each process was seen with."""
    found: dict[str, dict[str, float]] = {}
    for turn in turns:
        for name, taken in turn.memory.items():
            known = found.setdefault(name, {})
            for kind, megabytes in taken.items():
                known[kind] = max(known.get(kind, 0), megabytes)
    return found
