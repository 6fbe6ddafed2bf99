"""The figures as tables, in French."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.table import Table

_CONTENDERS = {
    "pipeline": "Traverse, de l'arrivée à la recherche",
    "passthrough": "Faust seul (lire, indexer, acquitter)",
    "bulk": "Envoi direct depuis Python",
    "quixstreams": "quixstreams et son puits Elasticsearch",
}
_PROCESSES = {
    "kafka": "Kafka",
    "elasticsearch": "Elasticsearch",
    "validate": "Étape valider et enrichir",
    "index": "Étape relier et indexer",
    "notify": "Étape alerter",
    "check": "Vérification de l'index",
    "search": "Service de recherche",
    "passthrough": "Faust seul",
    "quixstreams": "quixstreams",
}


def tables(figures: Mapping[str, Any]) -> Iterator[Table]:
    """The tables of what was measured, the machine first."""
    yield _machine({**figures["machine"], "signatures": figures["signatures"]})
    if "spread" in figures:
        yield _rates(figures)
    if "latency" in figures:
        yield _latency(figures["latency"])
    if "search" in figures:
        yield _search(figures["search"])
    if "stream" in figures:
        yield _stream(figures["stream"])
    if "gateway" in figures:
        yield from _gateway(figures["gateway"])
    if "growth" in figures:
        yield _growth(figures["growth"])
    if "reindex" in figures:
        yield _reindex(figures["reindex"])
    if "memory" in figures:
        yield _memory(figures["memory"])


def _machine(machine: Mapping[str, Any]) -> Table:
    table = _table("Machine", "", "")
    for name, label in (
        ("cpu", "Processeur"),
        ("cores", "Cœurs"),
        ("memory_gb", "Mémoire (Gio)"),
        ("kernel", "Noyau"),
        ("python", "Python"),
        ("java", "Java"),
        ("elasticsearch", "Elasticsearch"),
        ("signatures", "Signatures"),
    ):
        table.add_row(label, str(machine[name]))
    return table


def _rates(figures: Mapping[str, Any]) -> Table:
    table = _table("Débits (par seconde)", "", "Moindre", "Médiane", "Meilleur", "Traverse / lui")
    for name, each in figures["spread"].items():
        ratio = figures["ratios"].get(f"pipeline_to_{name}")
        table.add_row(
            _CONTENDERS[name],
            *(f"{each[kind]:.0f}" for kind in ("min", "median", "max")),
            "" if ratio is None else f"{ratio:.2f}",
        )
    # What joins others makes several documents of one event.
    ratio = figures["ratios"].get("pipeline_documents_to_passthrough")
    if ratio is not None:
        table.add_row("Documents de Traverse / Faust nu", "", "", "", f"{ratio:.2f}")
    return table


def _latency(latency: Mapping[str, Mapping[str, float]]) -> Table:
    table = _table("De la publication à la recherche (ms)", "", "p50", "p95", "p99", "max")
    for pace, each in latency.items():
        table.add_row(
            f"{pace} événements/s", *(f"{each[kind]:.0f}" for kind in ("p50", "p95", "p99", "max"))
        )
    return table


def _search(search: Mapping[str, float]) -> Table:
    table = _table("Recherche avec décomptes (ms)", "", "p50", "p95")
    for name, label in (
        ("", "Réponse HTTP"),
        ("took_", "Elasticsearch (took)"),
        ("added_", "Le reste, HTTP d’Elasticsearch compris"),
        ("own_", "Part du service, attente d’Elasticsearch ôtée"),
        ("http_", "HTTP entre le service et qui demande"),
    ):
        table.add_row(label, f"{search[f'{name}p50_ms']:.1f}", f"{search[f'{name}p95_ms']:.1f}")
    return table


def _gateway(gateway: Mapping[str, Any]) -> Iterator[Table]:
    table = _table("Passerelle, lots de 100 (événements/s)", "", "Moindre", "Médiane", "Meilleur")
    for name, label, form in (
        ("events_per_s", "Passerelle, clés et signatures", ".0f"),
        ("bare_producer_events_per_s", "kafka-python seul", ".0f"),
        ("ratio", "Passerelle / lui", ".2f"),
    ):
        each = gateway[name]
        table.add_row(label, *(format(each[kind], form) for kind in ("min", "median", "max")))
    for name, label in (
        ("processor_us_per_event", "Passerelle, processeur (µs par événement)"),
        ("bare_processor_us_per_event", "kafka-python seul, processeur (µs)"),
    ):
        table.add_row(label, "", f"{gateway[name]:.0f}", "")
    yield table
    table = _table("Un événement, 50 par seconde (ms)", "", "p50", "p95", "p99", "max")
    for name, label in (("post_ms", "POST /v1/events"), ("kafka_ms", "Accusé de Kafka")):
        each = gateway[name]
        table.add_row(label, *(f"{each[kind]:.1f}" for kind in ("p50", "p95", "p99", "max")))
    yield table


def _stream(stream: Mapping[str, float]) -> Table:
    table = _table(
        "De la publication aux flux (ms)", "", "p50", "p95", "p99", "max", "Passent", "Kio par flux"
    )
    table.add_row(
        f"{stream['streams']} flux",
        *(f"{stream[kind]:.0f}" for kind in ("p50", "p95", "p99", "max")),
        f"{100 * stream['passed_share']:.1f} %",
        f"{stream['kib_per_stream']:.0f}",
    )
    return table


def _growth(figures: Mapping[str, Any]) -> Table:
    """The processor time of an event in all processes, and what grows most with what is known."""
    title = f"Quand les dossiers croissent (à la fin {figures['rate_last_to_first']:.2f} du début)"
    table = _table(title, "Événements", "Par s", "µs en tout", "Relier", "Elasticsearch", "Mio")
    for each in figures["windows"]:
        taken = each["us_an_event"]
        rss = each["rss_mb"].get("index", 0.0)
        shown = (each["per_second"], sum(taken.values()), taken.get("index", 0.0))
        more = (taken["elasticsearch"], rss)
        table.add_row(str(each["events"]), *(f"{value:.0f}" for value in (*shown, *more)))
    return table


def _reindex(figures: Mapping[str, Any]) -> Table:
    title = f"Reconstruction de l'index ({figures['messages']} messages, par seconde)"
    table = _table(title, "", "Moindre", "Médiane", "Meilleur")
    for name, label, form in (
        ("rebuild_per_s", "traverse reindex", ".0f"),
        ("bulk_per_s", "Envoi direct depuis Python", ".0f"),
        ("ratio", "traverse reindex / lui", ".2f"),
    ):
        each = figures[name]
        table.add_row(label, *(format(each[kind], form) for kind in ("min", "median", "max")))
    return table


def _memory(memory: Mapping[str, Mapping[str, float]]) -> Table:
    table = _table("Mémoire (Mio)", "", "RSS", "PSS")
    for name, taken in memory.items():
        pss = taken.get("pss_mb")
        table.add_row(
            _PROCESSES[name], f"{taken['rss_mb']:.0f}", "" if pss is None else f"{pss:.0f}"
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index and len(columns) > 2 else "left")
    return table
