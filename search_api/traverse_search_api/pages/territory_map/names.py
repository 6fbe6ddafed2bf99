"""Where names are written on a map, so that none covers a circle or another name. Pure."""

from collections.abc import Iterable
from functools import lru_cache
from heapq import nlargest
from typing import Final, NamedTuple

from traverse_schemas.reference.territories import Territories
from traverse_search_api.pages.territory_map.window import WIDTH, Window, communes_in, window_of

_LETTER: Final = 7.0  # units that a letter takes
_LINE: Final = 13
_TOWNS: Final = 8

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Place(NamedTuple):
    """Where a text stands: `anchor` says whether `x` is its `start`, `middle` or `end`."""

    x: float
    y: float
    anchor: str


class Names:
    """What is taken on a map, name by name: the first to come choose."""

    def __init__(self, window: Window, circles: Iterable[tuple[float, float, float]]) -> None:
        """`circles` are taken from the start: x, y and radius of each."""
        self._height = window.height
        self._taken: list[Box] = [(x - r, y - r, x + r, y + r) for x, y, r in circles]

    def is_free(self, x: float, y: float) -> bool:
        """Whether nothing stands at a point yet."""
        return self._fits((x - 3, y - 3, x + 3, y + 3))

    def place(self, name: str, x: float, y: float, radius: float) -> Place | None:
        """Below, above, right or left of a circle; None where there is no room."""
        wide, beside = len(name) * _LETTER, radius + 4
        for at, left in (
            (Place(x, y + radius + _LINE - 1, "middle"), x - wide / 2),
            (Place(x, y - radius - 5, "middle"), x - wide / 2),
            (Place(x + beside, y + 4, "start"), x + beside),
            (Place(x - beside, y + 4, "end"), x - beside - wide),
        ):
            box = (left, at.y - _LINE + 3, left + wide, at.y + 3)
            if self._fits(box):
                self._taken.append(box)
                return Place(round(at.x, 1), round(at.y, 1), at.anchor)
        return None

    def above_all(self, name: str, x: float, y: float, radius: float) -> Place:
        """Below a circle, or above it at the lowest edge, whatever stands there: for a name that is
        shown for a moment."""
        half = len(name) * _LETTER / 2
        lowest = y + radius + _LINE > self._height
        middle = min(max(x, half), WIDTH - half)
        return Place(
            round(middle, 1), round(y - radius - 5 if lowest else y + radius + 12, 1), "middle"
        )

    def _fits(self, box: Box) -> bool:
        inside = box[0] >= 0 and box[2] <= WIDTH and box[1] >= 0 and box[3] <= self._height
        return inside and not any(_overlap(box, other) for other in self._taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@lru_cache(maxsize=256)
def chief_towns(frame: str, territories: Territories) -> tuple[tuple[str, float, float], ...]:
    """The most peopled towns of a territory: name, x and y."""
    window = window_of(frame, territories)
    rows = nlargest(
        _TOWNS,
        (row for row in communes_in(frame, territories) if row.exact),
        key=lambda row: (row.population, row.insee),
    )
    return tuple(
        (row.name, round(x, 1), round(y, 1))
        for row in rows
        for x, y in [window.at(row.lat, row.lon)]
    )
