"""The outlines of the départements of metropolitan France, for maps: good to some kilometres.

Source: `data/README.md`. Overseas there are none.
"""

from collections.abc import Sequence
from functools import lru_cache

from traverse_schemas.reference.tables import read

THOUSANDTH = 1_000

Ring = tuple[tuple[float, float], ...]
"""A closed line: longitude and latitude of each point, in degrees (WGS 84)."""


def outline(department: str) -> tuple[Ring, ...]:
    """The lines around a département ("13", "2A"), the main land and its islands; none where the
    table has none. Raises BrokenReferenceError."""
    return _outlines().get(department, ())


def outlined() -> tuple[str, ...]:
    """The départements that have an outline. Raises BrokenReferenceError."""
    return tuple(_outlines())


def unpacked(rows: Sequence[Sequence[int]]) -> tuple[Ring, ...]:
    """The lines of a département as the data file has them: the first point, then steps, in
    thousandths of a degree."""
    found: list[Ring] = []
    for row in rows:
        x = y = 0
        points = []
        for across, up in zip(row[::2], row[1::2], strict=True):
            x, y = x + across, y + up
            points.append((x / THOUSANDTH, y / THOUSANDTH))
        found.append(tuple(points))
    return tuple(found)


def holds(rings: Sequence[Ring], lat: float, lon: float) -> bool:
    """Whether a point lies inside of the lines: a ray from it crosses them an odd number of
    times."""
    inside = False
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
            if (y0 > lat) != (y1 > lat) and lon < (x1 - x0) * (lat - y0) / (y1 - y0) + x0:
                inside = not inside
    return inside


@lru_cache(maxsize=1)
def _outlines() -> dict[str, tuple[Ring, ...]]:
    return {code: unpacked(rows) for code, rows in read("outlines.json.gz").items()}
