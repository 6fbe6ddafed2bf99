"""The tables of the benchmark."""

from inspect import signature
from typing import Any, get_args

from rich.console import Console

from traverse_infra.bench.report import tables
from traverse_infra.commands.work import work

FIGURES: dict[str, Any] = {
    "machine": dict.fromkeys(
        ("cpu", "cores", "memory_gb", "kernel", "python", "java", "elasticsearch"), "x"
    ),
    "signatures": "required",
    "spread": {
        name: {"min": 1000.0, "median": 2000.0, "max": 3000.0}
        for name in ("pipeline", "passthrough", "bulk", "quixstreams")
    },
    "ratios": {"pipeline_to_passthrough": 0.625},
    "latency": {"50": {"p50": 311.0, "p95": 522.0, "p99": 633.0, "max": 744.0}},
    "search": {
        f"{name}p{share}_ms": 4.5
        for name in ("", "took_", "added_", "own_", "http_")
        for share in (50, 95)
    },
    "gateway": {
        **{
            name: {"min": 2100.0, "median": 2345.0, "max": 2400.0}
            for name in ("events_per_s", "bare_producer_events_per_s", "ratio")
        },
        **{
            name: {"p50": 4.5, "p95": 27.5, "p99": 33.0, "max": 41.0}
            for name in ("post_ms", "kafka_ms")
        },
        "processor_us_per_event": 251.0,
        "bare_processor_us_per_event": 87.0,
    },
    "growth": {
        "windows": [
            {
                "events": 100_000,
                "per_second": 812.3,
                "us_an_event": {"index": 613.0, "elasticsearch": 808.0, "kafka": 100.0},
                "rss_mb": {"index": 1234.0},
            }
        ],
        "rate_last_to_first": 0.87,
    },
    "memory": {"kafka": {"rss_mb": 411.0, "pss_mb": 400.0}, "search": {"rss_mb": 99.0}},
}


def shown(figures: dict[str, Any]) -> str:
    console = Console(width=80, record=True)
    with console.capture() as captured:
        for table in tables(figures):
            console.print(table)
    return captured.get()


def test_every_figure_is_on_the_page() -> None:
    """In 80 columns, nothing cut."""
    text = shown(FIGURES)
    for figure in ("2000", "0.62", "311", "522", "633", "4.5", "411", "99", "2345", "27.5", "251",
                   "100000", "812", "1521", "613", "808", "1234", "0.87"):  # fmt: skip
        assert figure in text
    assert "…" not in text


def test_every_process_of_the_work_has_its_row() -> None:
    """Whatever process the work consists of was seen with some memory, and is named."""
    steps = get_args(signature(work).parameters["step"].annotation.__origin__)
    names = [step for step in steps if step != "all"]
    text = shown(FIGURES | {"memory": {name: {"rss_mb": 7000.0 + number} for number, name in
                                       enumerate(names)}})  # fmt: skip
    assert [number for number in range(len(names)) if str(7000 + number) not in text] == []


def test_parts_that_were_not_measured_are_left_out() -> None:
    """`--only search` shows no rates and no latency."""
    text = shown({name: FIGURES[name] for name in ("machine", "signatures", "search", "memory")})
    assert "Recherche avec décomptes" in text
    assert "Débits" not in text
    assert "De la publication" not in text
