"""`traverse bench`: the figures of this machine, on real engines of its own."""

import os
import signal
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer

from traverse_infra.bench.plan import Part, Plan

_USUAL = tuple(part for part in Part if part not in (Part.STREAM, Part.GROWTH))
"""Streams are measured when they are asked for, since two thousand readers want the machine for
themselves; so is what an event costs among more and more, which takes half an hour."""


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _bench_link(largest: int, *, as_json: bool) -> None:
    from traverse_infra.bench.linking import SIZES, measure_linking
    from traverse_infra.bench.machine import computer
    from traverse_infra.bench.matching import measure_matching
    from traverse_infra.bench.own_process import measure_apart

    sizes = [size for size in SIZES if size <= largest] or [largest]

    # As `traverse work` starts the steps.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    figures = {
        "machine": computer(),
        "link": measure_apart(measure_linking, _say, sizes),
        "link_with_matching": measure_apart(measure_matching, _say, sizes),
    }
    if as_json:
        typer.echo(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode())


def bench(
    what: Annotated[
        Literal["all", "link", "growth", "stream", "search", "alerts"],
        typer.Argument(
            metavar="MESURE",
            help="all : tout, sur des moteurs à part ; link : le coût du rapprochement quand le "
            "nombre de dossiers croît, seul puis avec les réponses aux besoins, sans moteur ; "
            "growth : le coût d'un événement à chaque dixième de --events, d'un bout à l'autre ; "
            "stream : deux mille flux à la fois ; search : la recherche sur un million de "
            "documents (--documents) ; alerts : des alertes de nombreuses recherches "
            "enregistrées (--subscriptions).",
        ),
    ] = "all",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="En JSON, pour les programmes.")] = False,
    streams: Annotated[
        int, typer.Option(min=1, max=5000, help="Combien de flux pour « stream ».")
    ] = 2000,
    documents: Annotated[
        int, typer.Option(min=1000, help="Combien de documents pour « search ».")
    ] = 1_000_000,
    records: Annotated[
        int, typer.Option(min=100, help="Jusqu'à combien de dossiers pour « link ».")
    ] = 1_000_000,
    subscriptions: Annotated[
        int, typer.Option(min=1, help="Combien de recherches enregistrées pour « alerts ».")
    ] = 30_000,
    rate: Annotated[
        float, typer.Option(min=1, help="Combien de documents par seconde pour « alerts ».")
    ] = 100,
    events: Annotated[int, typer.Option(min=100, help="Combien d'événements en tout.")] = 100_000,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DOSSIER",
            help="Fichiers réels (decp, decp-v2, ted, fonds-vert) ; par défaut ../shared/data s'il "
            "existe, sinon la démonstration.",
        ),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Mesure aussi quixstreams, installé à part.")
    ] = False,
    only: Annotated[
        list[Part] | None,
        typer.Option(help="Ne mesure que cela (répétable)."),
    ] = None,
    turns: Annotated[
        int, typer.Option(min=1, max=20, help="En combien de tours les débits sont mesurés.")
    ] = 3,
    seconds: Annotated[
        float, typer.Option(min=1, max=600, help="Durée de la mesure de latence à chaque cadence.")
    ] = 30,
) -> None:
    """Mesure débits, latences et mémoire sur des moteurs à part, effacés à la fin."""
    from rich.console import Console

    from traverse_infra.bench.load import read_load
    from traverse_infra.bench.report import tables
    from traverse_infra.bench.run import run
    from traverse_infra.commands.engines import load_settings

    if what == "link":
        _bench_link(records, as_json=as_json)
        return
    # A stop asked from outside ends it like Ctrl-C: engines and files go.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    usual = Path("../shared/data")
    load = read_load(data or (usual if usual.is_dir() else None))
    if what == "alerts":
        from traverse_infra.bench.alerts import measure_alerts

        settings = load_settings()
        found = measure_alerts(subscriptions, rate, seconds, load, settings, _say)
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    if what == "search":
        from traverse_infra.bench.large_search import measure_search

        found = measure_search(documents, seconds, load, load_settings(), _say)
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    plan = Plan(
        events=events,
        growth_events=events,
        turns=turns,
        seconds=seconds,
        streams=streams,
        warm_events=min(15_000, events),
        peers=peers,
        parts=(Part(what),) if what in ("stream", "growth") else tuple(only or _USUAL),
    )
    figures = run(plan, load, load_settings(), _say)
    if as_json:
        typer.echo(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console()
        for table in tables(figures):
            console.print(table)
    for part, sentence in figures.get("failed", {}).items():
        _say(f"Erreur : {part} n'a pas été mesuré. {sentence}")
    if "failed" in figures:
        raise typer.Exit(1)
