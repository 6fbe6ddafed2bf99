"""Builds `outlines.json.gz` in `traverse_schemas/reference/data/`: the outlines of départements.

    python schemas/build_outlines.py

Drawn from our own table of communes: every place belongs to the nearest commune, and what lies far
from all of them is the sea or another country. Where two départements meet, so do these outlines;
a coast lies about where its communes end. The same table gives the same octets.
"""

import argparse
import gzip
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.ndimage import distance_transform_edt, label
from scipy.spatial import Voronoi, cKDTree

sys.path.insert(0, str(Path(__file__).parent))

from traverse_schemas.reference.outlines import THOUSANDTH, holds, unpacked
from traverse_schemas.reference.territories import Territories

DATA = Path(__file__).parent / "traverse_schemas" / "reference" / "data"

_NOWHERE: Final = ""
_FAR: Final = 21.0  # km from every commune that has coordinates: no place of France is
_NEAR: Final = 5.0  # km beyond the last of them lies the coast, or the border
_STEP: Final = 3.0  # km between the points that stand for what is not France
_AROUND: Final = 60.0  # km
_COARSE: Final = 1.0  # km by which a line may be simpler than it is
_BESIDE: Final = 25  # points looked at, itself included
_SMALLEST: Final = 4  # points of a ring
_DEGREE: Final = 111.2  # km of latitude
_MIDDLE: Final = cos(radians(46.5))
_ENOUGH: Final = 0.99  # of the communes

Point = tuple[float, float]
Ring = list[Point]


def main() -> int:
    """Writes the table and reports its size; 0 when the outlines hold their communes."""
    parser = argparse.ArgumentParser(description="Construit les contours des départements.")
    parser.add_argument("--output", type=Path, default=DATA)
    arguments = parser.parse_args()
    communes = [
        one for one in Territories.load().communes() if one.exact and one.department[:2] < "97"
    ]
    places = {(one.lon, one.lat): one.department for one in communes}
    table = {
        department: [packed(ring) for ring in rings]
        for department, rings in sorted(outlines(places).items())
    }
    inside = sum(
        holds(unpacked(table[one.department]), one.lat, one.lon) for one in communes
    ) / len(communes)
    size = write(arguments.output / "outlines.json.gz", table)
    sys.stdout.write(
        f"{len(table)} départements, {size} octets, {inside:.1%} des communes à l'intérieur\n"
    )
    return 0 if inside >= _ENOUGH else 1


def outlines(places: dict[Point, str]) -> dict[str, list[Ring]]:
    """The lines around each département, by its communes' longitude and latitude."""
    points = _plausible(places)
    known = np.array([_flat(point) for point in points])
    labels = [places[point] for point in points]
    outside = _outside(known)
    cells = Voronoi(np.vstack([known, outside]))
    labels += [_NOWHERE] * len(outside)
    edges: dict[str, list[tuple[int, int, str]]] = {}
    meeting: dict[int, set[str]] = {}
    for (one, other), (start, end) in zip(cells.ridge_points, cells.ridge_vertices, strict=True):
        mine, theirs = labels[one], labels[other]
        if mine == theirs or start < 0:
            continue
        edges.setdefault(mine, []).append((start, end, theirs))
        edges.setdefault(theirs, []).append((start, end, mine))
        for vertex in (start, end):
            meeting.setdefault(vertex, set()).update((mine, theirs))
    edges.pop(_NOWHERE, None)
    found = {}
    for department, lines in edges.items():
        rings = [
            ([tuple(cells.vertices[at]) for at in _simpler(ring, cells.vertices, meeting)], beyond)
            for ring, beyond in _rings(lines)
        ]
        largest = max((ring for ring, _ in rings), key=len)
        # A hole with no other département in it is no hole: a large commune, a mountain.
        found[department] = [
            [_round(point) for point in ring]
            for ring, beyond in rings
            if len(ring) >= _SMALLEST
            and (ring is largest or beyond != {_NOWHERE} or not _within(ring, largest))
        ]
    return found


def _plausible(places: dict[Point, str]) -> list[Point]:
    """The points that have one of their own département beside them, or are all that it has
    (Paris): one that lies alone in another was matched to a place of the same name."""
    points = sorted(places)
    count = Counter(places.values())
    _, beside = cKDTree([_flat(point) for point in points]).query(
        [_flat(point) for point in points], k=_BESIDE
    )
    return [
        point
        for point, near in zip(points, beside.tolist(), strict=True)
        if count[places[point]] == 1 or sum(places[points[at]] == places[point] for at in near) > 1
    ]


def _outside(known: Any) -> Any:
    """Points of what is not France: what is far from every commune and open to the outside, and
    what lies near to that, as far as to where communes end. Empty land inside stays France."""
    (left, low), (right, high) = known.min(axis=0) - _AROUND, known.max(axis=0) + _AROUND
    grid = np.stack(
        np.meshgrid(np.arange(left, right, _STEP), np.arange(low, high, _STEP)), axis=-1
    )
    distance, _ = cKDTree(known).query(grid)
    parts, _ = label(distance > _FAR)
    outside = distance_transform_edt(parts != parts[0, 0], sampling=_STEP) <= _FAR - _NEAR
    return grid[outside & (distance > _NEAR)]


def _rings(lines: Sequence[tuple[int, int, str]]) -> Iterator[tuple[list[int], set[str]]]:
    """Edges chained into closed lines of vertices, with what lies beyond each."""
    beside: dict[int, list[tuple[int, str]]] = {}
    for start, end, what in lines:
        beside.setdefault(start, []).append((end, what))
        beside.setdefault(end, []).append((start, what))
    while beside:
        first = here = min(beside)
        ring: list[int] = []
        beyond: set[str] = set()
        while here in beside:
            ring.append(here)
            there, what = beside[here].pop()
            beside[there].remove((here, what))
            for vertex in (here, there):
                if not beside[vertex]:
                    del beside[vertex]
            beyond.add(what)
            here = there
            if here == first:
                break
        yield ring, beyond


def _simpler(ring: list[int], points: Any, meeting: dict[int, set[str]]) -> list[int]:
    """Fewer vertices. Where three areas meet a vertex stays, so that neighbours' lines agree."""
    fixed = [at for at, vertex in enumerate(ring) if len(meeting[vertex]) > 2] or [0]
    if len(fixed) == 1:
        fixed.append((fixed[0] + len(ring) // 2) % len(ring))
    turned = [*ring[fixed[0] :], *ring[: fixed[0]], ring[fixed[0]]]
    stops = sorted({(at - fixed[0]) % len(ring) for at in fixed} | {len(ring)})
    kept: list[int] = []
    for start, end in pairwise(stops):
        arc = turned[start : end + 1]
        forward = arc[0] <= arc[-1]
        simple = _straight(arc if forward else arc[::-1], points)
        kept += (simple if forward else simple[::-1])[:-1]
    return kept


def _straight(arc: list[int], points: Any) -> list[int]:
    """Douglas and Peucker (1973): without what lies nearer than `_COARSE` to the line."""
    if len(arc) < 3:
        return arc
    (x0, y0), (x1, y1) = points[arc[0]], points[arc[-1]]
    length = hypot(x1 - x0, y1 - y0)

    def off(vertex: int) -> float:
        x, y = points[vertex]
        if not length:
            return hypot(x - x0, y - y0)
        return float(abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length)

    at = max(range(1, len(arc) - 1), key=lambda one: off(arc[one]))
    if off(arc[at]) <= _COARSE:
        return [arc[0], arc[-1]]
    return [*_straight(arc[: at + 1], points)[:-1], *_straight(arc[at:], points)]


def _within(ring: Sequence[Point], other: Sequence[Point]) -> bool:
    x, y = ring[0]
    return holds([tuple(other)], y, x)


def _flat(point: Point) -> Point:
    """Longitude and latitude as kilometres."""
    return point[0] * _DEGREE * _MIDDLE, point[1] * _DEGREE


def _round(point: Any) -> Point:
    """Kilometres as thousandths of a degree of longitude and latitude."""
    x, y = point
    return round(x / _DEGREE / _MIDDLE * THOUSANDTH), round(y / _DEGREE * THOUSANDTH)


def packed(ring: Ring) -> list[int]:
    """The first point, then the steps from point to point, in thousandths of a degree."""
    flat = [int(number) for number in ring[0]]
    for (x0, y0), (x1, y1) in pairwise(ring):
        if (x0, y0) != (x1, y1):
            flat += [int(x1 - x0), int(y1 - y0)]
    return flat


def write(target: Path, table: dict[str, list[list[int]]]) -> int:
    """Writes the table, packed without a date; its octets."""
    packed_octets = io.BytesIO()
    with gzip.GzipFile(fileobj=packed_octets, mode="wb", mtime=0) as file:
        file.write(json.dumps(table, separators=(",", ":")).encode())
    target.write_bytes(packed_octets.getvalue())
    return len(packed_octets.getvalue())


if __name__ == "__main__":
    raise SystemExit(main())
