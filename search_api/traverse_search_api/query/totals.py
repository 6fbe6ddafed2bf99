"""Totals: how many were found, and whether that is exact."""

from typing import Any, Final

EXACT_TOTAL: Final = 100_000
"""Totals are exact up to here; beyond, the answer says "at least so many"."""


def total_of(found: dict[str, Any], shown: int = 0) -> tuple[int, bool]:
    """The total of an answer of Elasticsearch and whether it is exact; `shown` were found before,
    and are not among those that it counts."""
    total = found["hits"]["total"]
    number = total["value"] + shown
    return min(number, EXACT_TOTAL), total["relation"] == "eq" and number <= EXACT_TOTAL
