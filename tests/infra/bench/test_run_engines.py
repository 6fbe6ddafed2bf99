"""A whole benchmark in small, on real engines of its own."""

from pathlib import Path
from typing import Any

import pytest

from tests.engines import engine_settings
from tests.stream_processors.factory import event
from traverse_infra.bench.load import Load
from traverse_infra.bench.plan import Part, Plan
from traverse_infra.bench.run import run
from traverse_infra.bench.throughput import FIRST

pytestmark = [pytest.mark.engines, pytest.mark.long]

EVENTS = 4000  # the pass-through must be seen before it is done, on a fast machine too
SIREN = event()["source"].split(":")[2]
PLAN = Plan(
    events=EVENTS, turns=1, paces=(20, 40), seconds=2, warm_seconds=1, warm_events=2000,
    search_rounds=2, growth_events=2000, growth_windows=2,
    parts=(Part.THROUGHPUT, Part.LATENCY, Part.SEARCH, Part.REINDEX, Part.GROWTH),
)  # fmt: skip


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run for all tests here."""
    load = Load(
        events=[event(id=f"e{number}", subject=f"r{number}") for number in range(500)],
        as_of="2026-03-12",
        origin="test",
        institutions=[{"siren": SIREN, "name": "Ville d'essai", "kind": "commune"}],
    )
    said: list[str] = []
    found = run(PLAN, load, engine_settings(tmp_path_factory.mktemp("unused")), said.append)
    assert said
    assert found.get("failed", {}) == {}
    return found


def test_every_figure_is_there_and_positive(figures: dict[str, Any]) -> None:
    """The keys that scripts rely on."""
    for name in (
        "pipeline_events_per_s", "faust_passthrough_events_per_s", "bulk_documents_per_s"
    ):  # fmt: skip
        assert figures[name] > 0
    for pace in ("20", "40"):
        each = figures["latency"][pace]
        assert 0 < each["p50"] <= each["p95"] <= each["p99"] <= each["max"]
        assert each["events"] == int(pace) * PLAN.seconds
    reindex = figures["reindex"]
    assert reindex["messages"] >= EVENTS
    assert 0 < reindex["ratio"]["min"] <= reindex["ratio"]["max"]
    search = figures["search"]
    assert 0 < search["added_p50_ms"] <= search["p50_ms"] <= search["p95_ms"]
    assert search["took_p50_ms"] <= search["took_p95_ms"]
    assert {"kafka", "elasticsearch", "validate", "index", "search"} <= figures["memory"].keys()
    assert all(taken["rss_mb"] > 10 for taken in figures["memory"].values())
    assert figures["machine"]["cores"] >= 1
    first, last = figures["growth"]["windows"]
    assert (first["events"], last["events"]) == (1000, 2000)
    assert figures["growth"]["rate_last_to_first"] == last["per_second"] / first["per_second"] > 0
    for name in ("kafka", "elasticsearch", "validate", "index"):
        assert last["us_an_event"][name] > 0


def test_nothing_is_lost_and_each_turn_counts(figures: dict[str, Any]) -> None:
    """Every event is accepted, and becomes a document that every contender wrote."""
    counted = EVENTS - PLAN.turns * FIRST
    assert figures["counts"] == {
        "events": counted, "accepted": counted, "rejected": 0, "documents": counted
    }  # fmt: skip
    assert {name: len(turns) for name, turns in figures["turns"].items()} == {
        "pipeline": 1, "passthrough": 1, "bulk": 1
    }  # fmt: skip
    assert set(figures["ratios"]) == {
        "pipeline_to_passthrough", "pipeline_to_bulk", "pipeline_documents_to_passthrough"
    }  # fmt: skip


def test_nothing_of_it_stays_on_the_machine(figures: dict[str, Any]) -> None:
    """Engines and files of the benchmark are gone."""
    assert not Path(figures["home"]).exists()
