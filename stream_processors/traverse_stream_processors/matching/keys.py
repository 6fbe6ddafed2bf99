"""Keys: under which a record meets those that may answer it, or buy with it. Pure."""

from functools import lru_cache
from typing import Final

from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.meetings import Stand
from traverse_stream_processors.matching.territory import level_of

# Half an overlapping grid: two points nearer than this share a cell, whichever way they lie.
_LAT_STEP: Final = 0.3  # degrees: 33 km
_LON_STEP: Final = 0.45  # 32 km at 50° north, more to the south

_NAMED: Final = frozenset(("epci", "dep", "reg"))


def answer_stand(facts: Facts) -> Stand | None:
    """Where a need meets what may answer it: by theme, `a` where the need lies and what the offer
    covers, `l` where the offer lies and what the need names (for a firm its EPCI and
    département)."""
    if facts.asks:
        places = _asked_at(facts.within, facts.place, facts.seeks is not None)
    elif facts.offers:
        places = _offered_at(facts.within, facts.covers)
    else:
        return None
    return Stand(places, facts.topics, (*_finer(facts), facts.until[:7]))


def joint_stand(facts: Facts) -> Stand | None:
    """Where a purchase meets those it could be made with: by theme, its commune, EPCI and
    département, or région for who is wider, and its neighbourhood."""
    if facts.purchase is None:
        return None
    places = _bought_at(facts.within, facts.place, facts.point)
    return Stand(places, facts.topics, (*_finer(facts), facts.purchase.end[:7]))


# Many records lie in one place.
_shared = lru_cache(maxsize=10_000)


@_shared
def _asked_at(within: frozenset[str], place: tuple[str, ...], firm: bool) -> tuple[str, ...]:
    wide = [code for code in place if level_of(code) in _NAMED]
    if firm:
        wide += [code for code in within if level_of(code) in ("epci", "dep")]
    return (*(f"a{code}" for code in within), *(f"l{code}" for code in dict.fromkeys(wide)))


@_shared
def _offered_at(within: frozenset[str], covers: frozenset[str]) -> tuple[str, ...]:
    wide = (f"l{code}" for code in within if level_of(code) in _NAMED)
    return (*(f"a{code}" for code in covers), *wide)


@_shared
def _bought_at(
    within: frozenset[str], place: tuple[str, ...], point: tuple[float, float] | None
) -> tuple[str, ...]:
    levels = {level_of(code) for code in place}
    local = levels <= {"com", "cp", "epci"}
    up_to = ("com", "epci", "dep") if local else ("dep", "reg")
    found = [code for code in within if level_of(code) in up_to]
    if point and local:
        lat, lon = point
        for lat_shift in (0, 1):
            row = int((lat + 90) / _LAT_STEP + lat_shift) // 2
            for lon_shift in (0, 1):
                column = int((lon + 180) / _LON_STEP + lon_shift) // 2
                found.append(f"{lat_shift}{lon_shift}|{row}|{column}")
    return tuple(found)


def _finer(facts: Facts) -> tuple[str, ...]:
    """What tells those that meet apart, where they are too many."""
    code = facts.cpv[0] if facts.cpv else ""
    return (code[:3], code[:5], code)
