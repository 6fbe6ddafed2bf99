"""The thresholds: which is reached together and by nobody alone, on the day that its law holds."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from traverse_schemas.reference.thresholds import THRESHOLDS, crossed

SUPPLIES, WORKS, STATE = {"works": False}, {"works": True}, {"works": False, "state": True}


@pytest.mark.parametrize(
    ("amounts", "buying", "on", "amount"),
    [
        # Décret 2025-1386: 60 000 € for supplies and services since April, not January.
        ([25_000, 25_000], SUPPLIES, "2026-03-31", 40_000),
        ([25_000, 25_000], SUPPLIES, "2026-04-01", None),
        ([35_000, 25_000], SUPPLIES, "2026-04-01", 60_000),
        ([59_999.99], SUPPLIES, "2026-06-01", None),
        ([50_000, 40_000], SUPPLIES, "2026-06-01", 90_000),
        # Whoever reaches it alone does not reach it by the others.
        ([95_000, 95_000], SUPPLIES, "2026-06-01", None),
        ([120_000, 96_000], SUPPLIES, "2026-06-01", 216_000),
        ([120_000, 96_000], SUPPLIES, "2025-06-01", None),
        ([120_000, 101_000], SUPPLIES, "2025-06-01", 221_000),
        # Works below 100 000 € need no notice either.
        ([50_000, 45_000], WORKS, "2026-06-01", None),
        ([80_000, 80_000], WORKS, "2026-06-01", 100_000),
        ([80_000, 80_000], WORKS, "2025-06-01", 100_000),
        ([3_000_000, 2_404_000], WORKS, "2026-06-01", 5_404_000),
        # The State's formal threshold is the lower.
        ([100_000, 60_000], STATE, "2026-06-01", 140_000),
        ([71_000, 70_000], STATE, "2025-06-01", 90_000),
        # The nearest period where the day has none.
        ([120_000, 96_000], SUPPLIES, "2030-01-01", 216_000),
        ([120_000, 101_000], SUPPLIES, "2019-01-01", 221_000),
    ],
)
def test_the_threshold_of_the_day(
    amounts: list[float], buying: dict[str, bool], on: str, amount: int | None
) -> None:
    found = crossed(amounts, on=date.fromisoformat(on), **buying)
    assert (found.amount if found else None) == amount


def test_works_ask_for_a_call_and_a_notice_at_once() -> None:
    found = crossed([80_000, 80_000], works=True, on=date(2026, 6, 1))
    assert found is not None
    assert "mise en concurrence" in found.label
    assert "BOAMP" in found.label


def test_the_periods_of_a_threshold_follow_on_one_another() -> None:
    kinds: dict[object, list[tuple[date, date]]] = {}
    for row in THRESHOLDS:
        assert "art." in row.source
        kinds.setdefault((row.code, row.nature, row.state), []).append((row.since, row.until))
    for periods in kinds.values():
        for (_, until), (since, _) in pairwise(periods):
            assert since == until + timedelta(days=1)
