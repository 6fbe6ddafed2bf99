"""Keys: under which a record meets those that may answer it, or buy with it. Pure.

Only who may be something to another is to meet it: what is looked at is what costs. So places are
told apart by what is asked for there (an offer stands where those ask whom it could answer), and
by the sort of thing that is bought.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from traverse_stream_processors.matching.facts import MOST_SHARED, Facts
from traverse_stream_processors.matching.meetings import Stand
from traverse_stream_processors.matching.roles import ON_DEMAND, Seeks
from traverse_stream_processors.matching.territory import level_of

# Half an overlapping grid: two points nearer than this share a cell, whichever way they lie.
_LAT_STEP: Final = 0.3  # degrees: 33 km
_LON_STEP: Final = 0.45  # 32 km at 50° north, more to the south

_NAMED: Final = frozenset(("epci", "dep", "reg"))
_WIDER: Final = frozenset(("epci", "department", "region", "state"))

# What is asked for: orders, money, what is shared, what helps an institution that is to buy; and
# partners for orders. These are what `answers` gives a weight to.
_ORDERS, _AID, _SHARED, _BUYING, _PARTNER = "f", "a", "s", "i", "p"
_OWN: Final = "o"  # a place by itself: the owner's
_ASKED: Final = {Seeks.ORDERS: (_ORDERS,), Seeks.PARTNER: (_ORDERS, _PARTNER), Seeks.AID: (_AID,)}


def answer_stands(facts: Facts) -> tuple[Stand, ...]:
    """Where a need meets what may answer it: by theme, `a` where the need lies and what the offer
    covers, `l` where the offer lies and what the need names (for a firm its EPCI and
    département); its own calls, which count for whoever is to buy, with its owner and those who buy
    with it."""
    asked, offered = _asked(facts), _offered(facts)
    finer = (*_finer(facts), facts.until[:7]) if asked or offered else ()
    found = []
    if asked:
        places = _asked_at(facts.within, facts.place, asked)
        if asked == (_BUYING,) and facts.owner:
            places = (*places, _OWN + facts.owner)
        found.append(Stand(places, facts.topics, finer, asks=True))
    if offered:
        at = _offered_at if len(facts.covers) <= MOST_SHARED else _offered_at.__wrapped__
        places = at(facts.within, facts.covers, offered)
        if _lets_a_contract(facts) and facts.owner:
            buyers = dict.fromkeys((facts.owner, *facts.buyers))
            places = (*places, *(_OWN + one for one in buyers))
        found.append(Stand(places, facts.topics, finer, asks=False))
    return tuple(found)


def _asked(facts: Facts) -> tuple[str, ...]:
    if not facts.asks:
        return ()
    return (_BUYING,) if facts.seeks is None else _ASKED.get(facts.seeks, (_SHARED,))


def _offered(facts: Facts) -> tuple[str, ...]:
    if facts.seeks in (Seeks.PARTNER, Seeks.ORDERS):
        return (_PARTNER,)
    if not facts.offers:
        return ()
    if facts.subtype in ON_DEMAND:
        return (_ORDERS, _AID, _SHARED, _BUYING)
    match facts.subtype:
        case "contract" | "concession":
            return (_ORDERS, _BUYING) if facts.owner_kind in _WIDER else (_ORDERS,)
        case "sourcing":
            return (_ORDERS,)
        case "project":
            return (_ORDERS, _BUYING)
        case "shared_resources":
            return (_SHARED, _BUYING)
        case _:
            return ()


def _lets_a_contract(facts: Facts) -> bool:
    return facts.offers and facts.subtype in ("contract", "concession")


def joint_stands(facts: Facts) -> tuple[Stand, ...]:
    """Where a purchase meets those of its sort that it could be made with: by theme, its commune
    and EPCI, and its neighbourhood; and in its département those that buy for all of it. Who said
    that they will buy ask; the ends of contracts are found."""
    purchase = facts.purchase
    if purchase is None:
        return ()
    finer = (*_finer(facts), purchase.end[:7])
    near, wide = _bought_at(facts.within, facts.place, facts.point, purchase.sort)
    if not near:
        return (Stand(wide, facts.topics, finer, asks=True),)
    return (
        Stand(near, facts.topics, finer, asks=not purchase.renewal),
        Stand(wide, facts.topics, finer, asks=False),
    )


# Many records lie in one place; there are 35,000 communes.
_shared = lru_cache(maxsize=50_000)


@_shared
def _asked_at(
    within: frozenset[str], place: tuple[str, ...], asked: tuple[str, ...]
) -> tuple[str, ...]:
    wide = [code for code in place if level_of(code) in _NAMED]
    if asked != (_BUYING,):
        wide += [code for code in within if level_of(code) in ("epci", "dep")]
    return _told_apart(asked, within, dict.fromkeys(wide))


@_shared
def _offered_at(
    within: frozenset[str], covers: frozenset[str], offered: tuple[str, ...]
) -> tuple[str, ...]:
    return _told_apart(offered, covers, [code for code in within if level_of(code) in _NAMED])


def _told_apart(
    roles: Iterable[str], applies: Iterable[str], lies: Iterable[str]
) -> tuple[str, ...]:
    return tuple(
        f"{role}{how}{code}"
        for role in roles
        for how, codes in (("a", applies), ("l", lies))
        for code in codes
    )


@_shared
def _bought_at(
    within: frozenset[str], place: tuple[str, ...], point: tuple[float, float] | None, sort: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where a purchase meets those nearby, nowhere when it is for a département or more; and where
    those in a département meet who buys for all of it."""
    local = all(level_of(code) in ("com", "cp", "epci") for code in place)
    wide = tuple(f"{sort}|{code}" for code in within if level_of(code) == "dep")
    if not local:
        return (), wide
    near = [code for code in within if level_of(code) in ("com", "epci")]
    if point:
        lat, lon = point
        for lat_shift in (0, 1):
            row = int((lat + 90) / _LAT_STEP + lat_shift) // 2
            for lon_shift in (0, 1):
                column = int((lon + 180) / _LON_STEP + lon_shift) // 2
                near.append(f"{lat_shift}{lon_shift}|{row}|{column}")
    return tuple(f"{sort}|{code}" for code in near), wide


def _finer(facts: Facts) -> tuple[str, ...]:
    """What tells those that meet apart, where they are too many."""
    code = facts.cpv[0] if facts.cpv else ""
    return (code[:3], code[:5], code)
