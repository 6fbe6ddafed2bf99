"""Which part of the world a map of a territory shows, and where on it a place lies. Pure.

The projection is that of web maps (spherical Mercator).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import asinh, radians, tan
from typing import Final

from traverse_schemas.reference.outlines import outline, outlined
from traverse_schemas.reference.rows import Commune
from traverse_schemas.reference.territories import Territories

WIDTH: Final = 400
"""Of every map, in the units of its view box."""

_LOWEST, _HIGHEST = 0.7, 1.1  # height by width
_MARGIN: Final = 0.06  # of the width, on each side
_SMALLEST: Final = 0.003  # radians: some 20 km

Point = tuple[float, float]
"""Longitude and latitude in degrees (WGS 84)."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is shown: `left` and `top` are in radians of the projection, `scale` in units of the
    view box a radian."""

    left: float
    top: float
    scale: float
    height: int

    def at(self, lat: float, lon: float) -> tuple[float, float]:
        """Where a place lies: from the left and from above, in units of the view box."""
        x, y = _projected(lon, lat)
        return (x - self.left) * self.scale, (self.top - y) * self.scale

    def shows(self, lat: float, lon: float) -> bool:
        """Whether a place lies inside."""
        x, y = self.at(lat, lon)
        return 0 <= x <= WIDTH and 0 <= y <= self.height


@lru_cache(maxsize=256)
def window_of(frame: str, territories: Territories) -> Window:
    """The window that has all of a territory: `fr` (what lies in Europe), a région, a département
    or an EPCI."""
    points = [_projected(*point) for point in _extent(frame, territories)]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    west, east, south, north = min(xs), max(xs), min(ys), max(ys)
    wide = max(east - west, _SMALLEST)
    high = max(north - south, _SMALLEST)
    wide, high = max(wide, high / _HIGHEST), max(high, wide * _LOWEST)
    scale = WIDTH * (1 - 2 * _MARGIN) / wide
    height = round(high * scale + 2 * _MARGIN * WIDTH)
    left = (west + east - WIDTH / scale) / 2
    top = (south + north + height / scale) / 2
    return Window(left, top, scale, height)


def departments_in(frame: str, territories: Territories) -> tuple[str, ...]:
    """The numbers of the départements that a territory has a part in; for `fr`, of those in
    Europe."""
    level, _, value = frame.partition(":")
    match level:
        case "dep":
            return (value,)
        case "reg":
            return tuple(row.number for row in territories.departments() if row.region == value)
        case "epci" if (epci := territories.epci(value)) is not None:
            return epci.departments
    return outlined()


def communes_in(frame: str, territories: Territories) -> list[Commune]:
    """The communes of a territory, those of an EPCI by its members."""
    level, _, value = frame.partition(":")
    if level == "epci" and (epci := territories.epci(value)) is not None:
        return [row for member in epci.members if (row := territories.commune(member))]
    numbers = frozenset(departments_in(frame, territories))
    return [row for row in territories.communes() if row.department in numbers]


def _extent(frame: str, territories: Territories) -> Iterable[Point]:
    if not frame.startswith("epci:"):
        rings = [ring for number in departments_in(frame, territories) for ring in outline(number)]
        if rings:
            return [point for ring in rings for point in ring]
    rows = communes_in(frame, territories)
    return [(row.lon, row.lat) for row in rows if row.exact] or [(row.lon, row.lat) for row in rows]


def _projected(lon: float, lat: float) -> tuple[float, float]:
    return radians(lon), asinh(tan(radians(lat)))
