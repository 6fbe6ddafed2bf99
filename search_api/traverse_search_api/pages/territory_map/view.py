"""The map beside a list of results, as data for its template: one circle for each part of the
territory in view, as big as what is published there, and a link to its list. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, pi, sin, sqrt
from typing import Any, Final

from traverse_schemas.french.numbers import number
from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters.territory_parts import FRANCE, frame_of
from traverse_search_api.pages import words
from traverse_search_api.pages.address import Given, instead, page_address, without
from traverse_search_api.pages.territory_map.names import Names, Place, chief_towns
from traverse_search_api.pages.territory_map.window import WIDTH, Window, departments_in, window_of
from traverse_search_api.parameters import Facet

_LEAST, _MOST = 15.0, 30.0  # radius of a circle, in units: a finger finds the smallest one
_CROWDED: Final = 17.0  # the greatest radius where there are many
_COVERED: Final = 0.25  # of the map, by circles of the greatest radius
_CIRCLES: Final = 24
# Ever further from a place, all around it: some 120 units at last.
_SPIRAL: Final = [
    (step * 0.3 * cos(step * 0.8), step * 0.3 * sin(step * 0.8)) for step in range(400)
]
_APART: Final = 2.0
_DOT: Final = 2.0
_LONGEST: Final = 27

Count = Mapping[str, Any]
"""One of a facet: `value`, `label`, `count`."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A part of the territory: `x` and `y` its middle, from the left and from above; `from_x` and
    `from_y` where the place itself lies, when the circle had to make room. `name_at` is where its
    name is written; one that is `shy` has no room, and is shown to who points at the circle."""

    address: str
    label: str
    name: str
    count: str
    x: float
    y: float
    radius: float
    from_x: float
    from_y: float
    moved: bool
    chosen: bool
    name_at: Place
    shy: bool = False


@dataclass(frozen=True, slots=True)
class Town:
    """A dot with a name, to find one's way by."""

    name: str
    x: float
    y: float
    name_at: Place


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the territory that is not drawn: a text that leads to its list."""

    label: str
    address: str
    count: str


@dataclass(frozen=True, slots=True)
class MapView:
    """The map: `base` is the address of the drawing beneath, `trail` leads outwards, `rest` are
    the parts that are not drawn, and `rest_title` what these are."""

    title: str
    base: str
    width: int
    height: int
    circles: list[Circle]
    towns: list[Town]
    trail: list[Part]
    rest: list[Part]
    rest_title: str


def map_view(answer: Mapping[str, Any], asked: Given, territories: Territories) -> MapView | None:
    """The map of what the contract's answer to a search counted; None when it counted nothing.

    What all lies in one région is shown there, when no territory was asked for.
    """
    facets: Mapping[str, list[Count]] = answer["facets"]
    places = (*asked.get("territory", ()), *_named_territories(answer))
    frame = frame_of(places, territories)
    parts = list(facets.get(Facet.PART.value, ()))
    if not places and len(parts) == 1:
        frame = str(parts[0]["value"])
        inside = {f"dep:{number}" for number in departments_in(frame, territories)}
        parts = [one for one in facets.get(Facet.TERRITORY.value, ()) if one["value"] in inside]
    if not parts:
        return None
    window = window_of(frame, territories)
    drawn, rest = _sorted_out(parts, window, territories)
    chain = territories.chain(frame)
    circles = _placed(drawn, window, asked, territories)
    names = Names(window, [(one.x, one.y, one.radius) for one in circles])
    named = [_named(one, names) for one in circles]
    return MapView(
        title=chain.name if chain else frame,
        base=f"/carte/{frame}.svg",
        width=WIDTH,
        height=window.height,
        circles=named,
        towns=_towns(frame, names, {one.name for one in circles}, territories),
        trail=_trail(frame, asked, territories) if places else [],
        rest=[_part(one, asked) for one in rest],
        rest_title="Outre-mer" if frame == FRANCE else "Autres communes",
    )


def _named_territories(answer: Mapping[str, Any]) -> list[str]:
    """Those that the words of the search name, where they are clear."""
    return [
        code
        for one in answer["understood"]
        if one["parameter"] == "territory" and one["value"]
        for code in one["value"].split(",")
    ]


def _sorted_out(
    parts: Sequence[Count], window: Window, territories: Territories
) -> tuple[list[Count], list[Count]]:
    """What is drawn, and what has no room or lies elsewhere; the most frequent first."""
    drawn: list[Count] = []
    rest: list[Count] = []
    for part in parts:
        chain = territories.chain(str(part["value"]))
        seen = chain is not None and window.shows(chain.lat, chain.lon)
        (drawn if seen and len(drawn) < _CIRCLES else rest).append(part)
    return drawn, rest


def _placed(
    parts: Sequence[Count], window: Window, asked: Given, territories: Territories
) -> list[Circle]:
    """The circles, each as near to its place as the bigger ones leave room."""
    most = max((part["count"] for part in parts), default=1)
    room = sqrt(_COVERED * WIDTH * window.height / (pi * max(1, len(parts))))
    greatest = min(max(room, _CROWDED), _MOST)
    circles: list[Circle] = []
    for part in parts:
        chain = territories.chain(str(part["value"]))
        if chain is None:
            continue
        at = window.at(chain.lat, chain.lon)
        radius = round(_LEAST + (greatest - _LEAST) * sqrt(part["count"] / most), 1)
        x, y = _free(at, radius, circles, window)
        link = _part(part, asked)
        circles.append(
            Circle(
                address=link.address,
                label=f"{link.label} : {words.count(part['count'], 'publication', 'publications')}",
                name=_short(link.label),
                count=_brief(part["count"]),
                x=round(x, 1),
                y=round(y, 1),
                radius=radius,
                from_x=round(at[0], 1),
                from_y=round(at[1], 1),
                moved=hypot(x - at[0], y - at[1]) > radius,
                chosen=part["value"] in asked.get("territory", ()),
                name_at=Place(round(x, 1), round(y, 1), "middle"),
            )
        )
    return circles


def _named(circle: Circle, names: Names) -> Circle:
    beside = circle.name, circle.x, circle.y, circle.radius
    place = names.place(*beside)
    if place is None:
        return replace(circle, name_at=names.above_all(*beside), shy=True)
    return replace(circle, name_at=place)


def _free(
    at: tuple[float, float], radius: float, others: Sequence[Circle], window: Window
) -> tuple[float, float]:
    """The nearest place that touches no other circle, looked for along a spiral."""
    taken = [(one.x, one.y, (radius + one.radius + _APART) ** 2) for one in others]
    right, lowest = WIDTH - radius, window.height - radius
    for across, down in _SPIRAL:
        x = min(max(at[0] + across, radius), right)
        y = min(max(at[1] + down, radius), lowest)
        if all((x - ox) ** 2 + (y - oy) ** 2 >= least for ox, oy, least in taken):
            return x, y
    return at


def _towns(
    frame: str, names: Names, drawn: Collection[str], territories: Territories
) -> list[Town]:
    """The chief towns, where circles and their names leave room."""
    found = []
    for name, x, y in chief_towns(frame, territories):
        if name not in drawn and names.is_free(x, y):
            place = names.place(name, x, y, _DOT)
            if place is not None:
                found.append(Town(name, x, y, place))
    return found


def _part(part: Count, asked: Given) -> Part:
    target = instead(asked, "territory", str(part["value"]))
    return Part(str(part["label"]), page_address(target), number(part["count"]))


def _trail(frame: str, asked: Given, territories: Territories) -> list[Part]:
    """The way out: France, then each level down to the one above what is in view."""
    chain = territories.chain(frame)
    if chain is None or frame == FRANCE:
        return []
    above = {step.level: step for step in reversed(chain.levels[1:])}
    return [
        Part(
            step.name,
            page_address(
                without(asked, "territory")
                if step.code == FRANCE
                else instead(asked, "territory", step.code)
            ),
            "",
        )
        for level in ("fr", "reg", "dep")
        if (step := above.get(level)) is not None
    ]


def _brief(count: int) -> str:
    """`830` -> « 830 », `1240` -> « 1,2 k », `12400` -> « 12 k »: no wider than a circle."""
    if count < 1_000:
        return str(count)
    thousands = count / 1_000
    text = f"{thousands:.1f}" if thousands < 9.95 else f"{thousands:.0f}"
    return f"{text.removesuffix('.0').replace('.', ',')}\u202fk"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1].rstrip() + "…"
