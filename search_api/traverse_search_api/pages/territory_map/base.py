"""The map beneath the counts, drawn from the reference tables: outlines of départements, and towns.

An image of its own, the same for everybody and for a whole day: a page that has it stays small.
Its greys let the page's ground through, so that one drawing serves light and dark.
"""

import itertools
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from traverse_schemas.reference.outlines import Ring, outline, outlined
from traverse_schemas.reference.territories import Territories
from traverse_search_api.pages.territory_map.window import (
    WIDTH,
    Window,
    communes_in,
    departments_in,
    window_of,
)

_GREY: Final = "#7f8c9a"
_FINE: Final = 0.9  # units: points of a line that are nearer to each other are left out
_DOTTED: Final = ("dep", "epci")


@lru_cache(maxsize=128)
def base_map(frame: str, territories: Territories) -> bytes:
    """The drawing of a territory as SVG; `frame` as `map_window.window_of` takes it."""
    window = window_of(frame, territories)
    shown = frozenset(departments_in(frame, territories))
    inside = (_outlined(window, number) for number in outlined() if number in shown)
    around = (_outlined(window, number) for number in outlined() if number not in shown)
    overseas = not any(outline(number) for number in shown)
    dotted = overseas or frame.partition(":")[0] in _DOTTED
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {window.height}">',
        _path("".join(around), 'fill-opacity=".12" stroke-opacity=".3" stroke-width=".7"'),
        _path("".join(inside), 'fill-opacity=".28" stroke-opacity=".75" stroke-width=".8"'),
        _towns(window, frame, territories) if dotted else "",
        "</svg>",
    ]
    return "".join(parts).encode()


def _path(lines: str, how: str) -> str:
    if not lines:
        return ""
    return f'<path d="{lines}" fill="{_GREY}" stroke="{_GREY}" stroke-linejoin="round" {how}/>'


def _outlined(window: Window, number: str) -> str:
    return "".join(_line(window, ring) for ring in outline(number))


def _line(window: Window, ring: Ring) -> str:
    """One closed line, in tenths of a unit's precision; "" when it lies outside of the window, or
    is too small to be seen."""
    points = [window.at(lat, lon) for lon, lat in ring]
    if not _meets(window, points):
        return ""
    kept = [points[0]]
    for x, y in points[1:]:
        if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= _FINE:
            kept.append((x, y))
    if len(kept) < 3:
        return ""
    tenths = [(round(x * 10), round(y * 10)) for x, y in kept]
    steps = (
        f"{_number(x1 - x0)}{_next(y1 - y0)}" for (x0, y0), (x1, y1) in itertools.pairwise(tenths)
    )
    x, y = tenths[0]
    return f"M{_number(x)}{_next(y)}l{_joined(steps)}z"


def _meets(window: Window, points: Iterable[tuple[float, float]]) -> bool:
    xs, ys = zip(*points, strict=True)
    return bool(max(xs) >= 0 and min(xs) <= WIDTH and max(ys) >= 0 and min(ys) <= window.height)


def _number(tenths: int) -> str:
    """`-4` -> `-.4`, `120` -> `12`."""
    whole, rest = divmod(abs(tenths), 10)
    text = f"{whole or ''}.{rest}" if rest else str(whole)
    return f"-{text}" if tenths < 0 else text


def _next(tenths: int) -> str:
    text = _number(tenths)
    return text if text.startswith("-") else f" {text}"


def _joined(steps: Iterable[str]) -> str:
    return "".join(step if step.startswith("-") else f" {step}" for step in steps).lstrip()


def _towns(window: Window, frame: str, territories: Territories) -> str:
    """A dot for each commune that has coordinates of its own."""
    dots = []
    for row in communes_in(frame, territories):
        if row.exact:
            x, y = window.at(row.lat, row.lon)
            dots.append(f"M{x:.1f} {y:.1f}h0")
    return (
        f'<path d="{"".join(dots)}" fill="none" stroke="{_GREY}" stroke-width="3" '
        'stroke-linecap="round"/>'
    )
