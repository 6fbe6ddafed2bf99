"""Territory: whether something applies where a need is, and who is whose neighbour. Pure."""

from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

from traverse_stream_processors.matching.facts import Facts

_LEVELS: Final = ("com", "cp", "zone", "epci", "dep", "reg", "fr")
_APPLIES: Final = {
    "com": 1.0, "cp": 1.0, "zone": 1.0, "epci": 0.95, "dep": 0.85, "reg": 0.8, "fr": 0.7,
}  # fmt: skip
_PLACES: Final = {
    "com": "dans votre commune",
    "cp": "dans votre commune",
    "zone": "sur votre zone",
    "epci": "sur votre EPCI",
    "dep": "dans votre département",
    "reg": "dans votre région",
    "fr": "dans toute la France",
}
NEIGHBOURS_KM: Final = 30.0
"""Two places this near are neighbours: half an hour by road."""
_EARTH_KM: Final = 6371.0


class Reach(NamedTuple):
    """`score` is 0 to 1; `words` say it in French, for the one in need."""

    score: float
    words: str


_REACHES: Final = tuple(Reach(_APPLIES[level], _PLACES[level]) for level in _LEVELS)
_WITHIN: Final = Reach(0.85, "sur le territoire du besoin")


@lru_cache(maxsize=100_000)
def level_of(code: str) -> str:
    """`"epci:200054807"` -> `"epci"`."""
    return code.partition(":")[0]


@lru_cache(maxsize=100_000)
def _order_of(code: str) -> int:
    """The place of its level among them, the finest first."""
    return _LEVELS.index(level_of(code))


def reach(need: Facts, offer: Facts) -> Reach | None:
    """Whether an offer reaches a need: it covers the need's place, at whatever level; or it lies
    within the place that the need names; a firm also goes to its own EPCI and département."""
    covered = offer.covers & need.within
    if covered:
        return _REACHES[min(map(_order_of, covered))]
    if not offer.within.isdisjoint(need.place):
        return _WITHIN
    if need.subtype == "business":
        shared = {level_of(code) for code in offer.within & need.within}
        if "epci" in shared:
            return Reach(0.85, f"sur votre EPCI, à {offer.territory}")
        if "dep" in shared:
            return Reach(0.7, f"dans votre département, à {offer.territory}")
    return None


def neighbours(left: Facts, right: Facts) -> Reach | None:
    """Whether two buyers could buy together: one territory, one within the other, or near."""
    levels = set(map(level_of, left.within & right.within))
    if "com" in levels or "cp" in levels:
        return Reach(1.0, "dans la même commune")
    if "epci" in levels:
        return Reach(0.95, "dans le même EPCI")
    if not set(_wide(left.place)).isdisjoint(_wide(right.place)):
        return Reach(0.85, "dans le même département")
    if not left.within.isdisjoint(_wide(right.place)):
        return Reach(0.85, f"{left.territory} est dans {right.territory}")
    if not right.within.isdisjoint(_wide(left.place)):
        return Reach(0.85, f"{right.territory} est dans {left.territory}")
    if left.point and right.point and is_local(left.place) and is_local(right.place):
        away = kilometres(left.point, right.point)
        if away <= NEIGHBOURS_KM:
            return Reach(round(0.9 - 0.2 * away / NEIGHBOURS_KM, 3), f"à {max(1, round(away))} km")
    return None


def kilometres(left: tuple[float, float], right: tuple[float, float]) -> float:
    """The distance of two points (degrees) along a great circle (haversine)."""
    lat, other = radians(left[0]), radians(right[0])
    half = sin((other - lat) / 2) ** 2
    half += cos(lat) * cos(other) * sin(radians(right[1] - left[1]) / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))


def _wide(place: tuple[str, ...]) -> list[str]:
    """Départements and smaller: that two are in one région makes no neighbours."""
    return [code for code in place if level_of(code) in ("epci", "dep")]


def is_local(place: tuple[str, ...]) -> bool:
    """Whether the point of such places says where it is: the middle of a département does not."""
    return all(level_of(code) in ("com", "cp", "epci") for code in place)
