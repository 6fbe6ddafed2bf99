"""Ladders: under which keys a record meets those that may answer it, or buy with it. Pure.

As in linking's blocking, a key that is too crowded is refined (by CPV group, class, code, then by
the month), whoever came first; what is still crowded then is not compared.
"""

from collections.abc import Iterator

from traverse_stream_processors.linking.blocking import Ladder, key_of
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.territory import level_of

# Half an overlapping grid: two points nearer than this share a cell, whichever way they lie.
_LAT_STEP, _LON_STEP = 0.3, 0.45  # degrees: 33 km, and 32 km at 50° north


def answer_ladders(facts: Facts) -> list[Ladder]:
    """Where a need meets what may answer it.

    By theme and place: `a` where the need lies and what the offer covers, `l` where the offer lies
    and what the need names (for a firm also its EPCI and département).
    """
    if not (facts.asks or facts.offers):
        return []
    reached: list[str] = []
    if facts.asks:
        reached += [f"a|{code}" for code in sorted(facts.within)]
        reached += [f"l|{code}" for code in facts.place if level_of(code) != "com"]
    if facts.asks and facts.seeks is not None:
        reached += [f"l|{code}" for code in _own_area(facts)]
    if facts.offers:
        reached += [f"a|{code}" for code in sorted(facts.covers)]
        reached += [f"l|{code}" for code in sorted(facts.within) if level_of(code) != "fr"]
    refinements = (*_finer(facts), facts.until[:7])
    return [
        Ladder(key_of(f"{topic}|{place}"), refinements)
        for place in dict.fromkeys(reached)
        for topic in facts.topics
    ]


def joint_ladders(facts: Facts) -> list[Ladder]:
    """Where a purchase meets those it could be made with: by theme and EPCI, wider territory, or
    neighbourhood."""
    if facts.purchase is None:
        return []
    refinements = (*_finer(facts), facts.purchase.end[:7])
    return [
        Ladder(key_of(f"{topic}|{place}"), refinements)
        for place in dict.fromkeys(_meeting_places(facts))
        for topic in facts.topics
    ]


def _meeting_places(facts: Facts) -> Iterator[str]:
    levels = {level_of(code) for code in facts.place}
    up_to = {"com", "cp", "epci", "dep"} if levels <= {"com", "cp", "epci"} else {"dep", "reg"}
    for code in sorted(facts.within):
        if level_of(code) in up_to:
            yield code
    if facts.point and levels <= {"com", "cp", "epci"}:
        lat, lon = facts.point
        for lat_shift in (0, 1):
            for lon_shift in (0, 1):
                row = int((lat + 90) / _LAT_STEP + lat_shift) // 2
                column = int((lon + 180) / _LON_STEP + lon_shift) // 2
                yield f"~{lat_shift}{lon_shift}|{row}|{column}"


def _finer(facts: Facts) -> tuple[str, ...]:
    code = facts.cpv[0] if facts.cpv else ""
    return (code[:3], code[:5], code)


def _own_area(facts: Facts) -> list[str]:
    return [code for code in sorted(facts.within) if level_of(code) in ("epci", "dep")]
