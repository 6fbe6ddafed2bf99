"""The arithmetic of the figures: percentiles, spreads, rates, schedules. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

Spread = dict[str, float]


class Seen(NamedTuple):
    """One look at a counter: when (seconds, any origin) and how much was there."""

    at: float
    items: int


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed (nearest
    rank). Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float]) -> Spread:
    """Least, median and greatest of repeated measurements."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"min": ordered[0], "median": median, "max": ordered[-1]}


def rate(start: Seen, total: int, looks: Sequence[Seen]) -> float:
    """Items a second from `start` to the first of the `looks` that sees all `total`.

    What was there already at the start is not counted. Raises ValueError when that was all, or
    when no look sees all.
    """
    if start.items >= total:
        raise ValueError(f"all {total} were there at the start")
    end = next((look.at for look in looks if look.items >= total), None)
    if end is None or end <= start.at:
        raise ValueError(f"no look sees all {total} after the start")
    return (total - start.items) / (end - start.at)


def schedule(per_second: float, seconds: float) -> list[float]:
    """When each event is due, in seconds from the start: evenly, whatever became of the others."""
    return [index / per_second for index in range(int(per_second * seconds))]


def latency_figures(seconds: Sequence[float]) -> Spread:
    """p50, p95, p99 and the greatest, in milliseconds."""
    figures = {
        name: percentile(seconds, share) * 1000
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
    return {**figures, "max": max(seconds) * 1000}
