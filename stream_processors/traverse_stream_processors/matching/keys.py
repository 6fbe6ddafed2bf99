"""Keys: under which a record meets those that may answer it, or buy with it. Pure.

Only who may be something to another is to meet it: what is looked at is what costs. So places are
told apart by what is asked for there (an offer stands where those ask whom it could answer), and
by the sort of thing that is bought. Whatever `reach` or `neighbours` accepts meets; where one
record names very many territories, it stands at the wide ones that hold them.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.matching.calendar import quarter_of
from traverse_stream_processors.matching.facts import MOST_SHARED, Facts
from traverse_stream_processors.matching.lots import codes_of
from traverse_stream_processors.matching.meetings import Stand
from traverse_stream_processors.matching.purchases import FIRST_DAY, LAST_DAY
from traverse_stream_processors.matching.roles import ON_DEMAND, WIDER, Seeks
from traverse_stream_processors.matching.sides import Finer
from traverse_stream_processors.matching.territory import is_local, level_of

# Half an overlapping grid: two points nearer than this share a cell, whichever way they lie.
_LAT_STEP: Final = 0.3  # degrees: 33 km
_LON_STEP: Final = 0.45  # 32 km at 50° north, more to the south

MOST_PLACES: Final = 100
"""A record that names more stands at the départements, régions or France that hold them."""

_MOST_BUYERS: Final = 1000  # of a groupement that are told of its contract wherever they lie
_LIES_IN: Final = frozenset(("epci", "dep"))
_HOLDING: Final = ("dep", "reg", "fr")
_MOST_HOLDING: Final = 20
_ANY_ZONE: Final = "zone:"  # no table says what holds a zone

_DIGITS: Final = (3, 4, 5, 6, 8)  # of the CPV: group, class, category, and finer
_CLASS: Final = 4
_ALL, _WHOLE = "*", "="  # beside the parts of a code: all of these, and what is not told apart
_MOST_QUARTERS: Final = 8

# What is asked for: orders, money, what is shared, what helps an institution that is to buy; and
# partners for orders. These are what `answers` gives a weight to.
_ORDERS, _AID, _SHARED, _BUYING, _PARTNER = "f", "a", "s", "i", "p"
_OWN: Final = "o"  # a place by itself: the owner's
_ASKED: Final = {Seeks.ORDERS: (_ORDERS,), Seeks.PARTNER: (_ORDERS, _PARTNER), Seeks.AID: (_AID,)}


class LastStands:
    """Where records stand, remembered of the last two: of one that comes, and of what it was
    before, it is asked several times in turn."""

    def __init__(self, stands_of: Callable[[Facts], tuple[Stand, ...]]) -> None:
        self._stands_of = stands_of
        self._last: tuple[tuple[Facts, tuple[Stand, ...]], ...] = ()

    def __call__(self, facts: Facts) -> tuple[Stand, ...]:
        for known, stands in self._last:
            if known is facts:
                return stands
        found = self._stands_of(facts)
        self._last = ((facts, found), *self._last[:1])
        return found


def answer_stands(facts: Facts) -> tuple[Stand, ...]:
    """Where a need meets what may answer it: by theme, `a` where the need lies and what the offer
    covers, `l` where the offer lies and what the need names (for a firm its EPCI and
    département); its own calls, which count for whoever is to buy, with its owner and those who buy
    with it."""
    asked, offered = _asked(facts), _offered(facts)
    found = []
    if asked:
        at = _asked_at if len(facts.within) <= MOST_SHARED else _asked_at.__wrapped__
        places = at(facts.within, facts.place, asked)
        if asked == (_BUYING,) and facts.owner:
            places = (*places, _OWN + facts.owner)
        found.append(Stand(places, facts.topics, asks=True))
    if offered:
        few = len(facts.covers) + len(facts.within) <= MOST_SHARED
        at = _offered_at if few else _offered_at.__wrapped__
        places = at(facts.within, facts.covers, offered)
        if _lets_a_contract(facts) and facts.owner:
            buyers = dict.fromkeys((facts.owner, *facts.buyers[:_MOST_BUYERS]))
            places = (*places, *(_OWN + one for one in buyers))
        found.append(Stand(places, facts.topics, asks=False))
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
            return (_ORDERS, _BUYING) if facts.owner_kind in WIDER else (_ORDERS,)
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
    """Where a purchase meets those of its sort that it could be made with: by theme, its communes
    and EPCI, and its neighbourhood; and in its département those that buy for all of it. Who said
    that they will buy ask, and the ends of contracts are found; in a département who buys for all
    of it asks."""
    purchase = facts.purchase
    if purchase is None:
        return ()
    at = _bought_at if len(facts.within) <= MOST_SHARED else _bought_at.__wrapped__
    near, wide, local = at(facts.within, facts.place, facts.point, purchase.sort)
    return (
        Stand(near, facts.topics, asks=not purchase.renewal),
        Stand(wide, facts.topics, asks=not local),
    )


# Many records lie in one place; there are 35,000 communes.
_shared = lru_cache(maxsize=50_000)


@_shared
def _asked_at(
    within: frozenset[str], place: tuple[str, ...], asked: tuple[str, ...]
) -> tuple[str, ...]:
    named = [code for code in place if level_of(code) in ("com", "epci", "dep", "reg")]
    if any(level_of(code) in ("reg", "fr") for code in place):
        named += _parts(place)
    applies: Iterable[str] = within
    if len(within) > MOST_PLACES:
        # What covers one of so many places mostly lies in its département.
        applies = [code for code in within if level_of(code) in _HOLDING]
        named += [code for code in within if level_of(code) == "dep"]
    elif asked != (_BUYING,):
        named += [code for code in within if level_of(code) in ("epci", "dep")]
    if any(level_of(code) == "zone" for code in within):
        applies = (*applies, _ANY_ZONE)
    return _told_apart(asked, applies, dict.fromkeys(named))


@_shared
def _offered_at(
    within: frozenset[str], covers: frozenset[str], offered: tuple[str, ...]
) -> tuple[str, ...]:
    # A need that names what this covers lies in it.
    lies = [code for code in within if level_of(code) in _LIES_IN]
    lies += [code for code in within - covers if level_of(code) == "com"]
    if not any(level_of(code) == "dep" for code in lies):
        lies += [code for code in within if level_of(code) == "reg"]
    if len(covers) <= MOST_PLACES and len(lies) <= MOST_PLACES:
        return _told_apart(offered, covers, lies)
    wide = [code for code in lies if level_of(code) in _HOLDING]
    return _told_apart(offered, _holding(covers | within), wide)


def _parts(place: tuple[str, ...]) -> list[str]:
    """The départements of the régions that a need names, and all régions too where it names France:
    few needs do, and what is offered stands at one place less."""
    regions = {code[4:] for code in place if level_of(code) == "reg"}
    tables = Territories.load()
    found = []
    if "fr" in place:
        found = [region.code for region in tables.regions()]
        regions |= {region.number for region in tables.regions()}
    return [*found, *(one.code for one in tables.departments() if one.region in regions)]


def _holding(codes: Iterable[str]) -> set[str]:
    """The départements in which these lie, or the régions or France where they are many: what lies
    in one of these codes lies there too."""
    chains = [chain for code in codes if (chain := Territories.load().chain(code)) is not None]
    found: set[str] = set()
    for level in _HOLDING:
        above = _HOLDING[_HOLDING.index(level) :]
        found = {code for chain in chains for code in _first_of(chain.codes, above)}
        if len(found) <= _MOST_HOLDING:
            break
    return found | {_ANY_ZONE for code in codes if level_of(code) == "zone"}


def _first_of(codes: Iterable[str], levels: Iterable[str]) -> list[str]:
    """The codes of the first of these levels that has any."""
    for level in levels:
        if found := [code for code in codes if level_of(code) == level]:
            return found
    return []


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
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Where a purchase meets those nearby; where those in a département meet who buys for all of
    it; and whether it is one of the former."""
    local = is_local(place)
    few = len(within) <= MOST_PLACES
    near = [code for code in within if level_of(code) in (("com", "epci") if few else ("epci",))]
    if len(near) > MOST_PLACES:
        near = []
    if point and local:
        lat, lon = point
        for lat_shift in (0, 1):
            row = int((lat + 90) / _LAT_STEP + lat_shift) // 2
            for lon_shift in (0, 1):
                column = int((lon + 180) / _LON_STEP + lon_shift) // 2
                near.append(f"{lat_shift}{lon_shift}|{row}|{column}")
    wide = [code for code in within if level_of(code) == "dep"]
    return _of_sort(sort, near), _of_sort(sort, wide), local and few


def _of_sort(sort: str, places: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{sort}|{place}" for place in places)


def by_subject(facts: Facts, topic: str) -> Finer:
    """What tells those that meet to answer apart, where they are too many: the group, class,
    category and code of each of its CPV codes; where these say less than a class, or it has none,
    of the codes of the topic that are nearest to its words too."""
    return _steps(_codes(facts, topic), ())


def by_subject_and_time(facts: Facts, topic: str) -> Finer:
    """What tells purchases apart: the same, then each quarter in which it may be bought."""
    purchase = facts.purchase
    quarters = _quarters(purchase.start, purchase.end) if purchase else ("",)
    return _steps(_codes(facts, topic), quarters)


def _codes(facts: Facts, topic: str) -> tuple[str, ...]:
    codes = facts.cpv
    if facts.lots:
        codes = tuple(dict.fromkeys((*codes, *codes_of(facts.lots, topic))))
    if _says_a_class(codes):
        return codes
    near = facts.texts.codes_of(topic)
    return (*codes, *near) if codes else near or ("",)


def _says_a_class(codes: tuple[str, ...]) -> bool:
    return any(len(code) >= _CLASS for code in codes)


_Parts = tuple[tuple[str, "CodeSteps"], ...]


class CodeSteps:
    """The steps by which codes are told apart, `below`, and where they look for others, `looks`;
    worked out where it is crowded.

    A code that ends at the step before is all of what is finer: it looks for all of it, and whoever
    is finer looks for it beside its own.
    """

    __slots__ = ("_codes", "_last", "_step", "below", "looks")

    below: tuple[tuple[str, "CodeSteps"], ...]
    looks: tuple[tuple[str, "CodeSteps"], ...]

    def __init__(self, codes: tuple[str, ...] | None, last: tuple[str, ...], step: int = 0) -> None:
        """`last` are told apart after the codes; without codes (None) nothing else is."""
        self._codes = codes
        self._last = last
        self._step = step

    def __getattr__(self, name: str) -> Any:
        """Work out the steps the first time that they are asked for; from then on they are
        there."""
        if name not in ("below", "looks"):
            raise AttributeError(name)
        parts, own, looked = self._parts()
        self.below = (*parts, *own)
        self.looks = (*parts, *looked)
        return getattr(self, name)

    def _parts(self) -> tuple[_Parts, _Parts, _Parts]:
        """The steps that are below and looked at; those that are only below, and only looked at."""
        step, last = self._step, self._last
        if step == len(_DIGITS):
            return tuple((one, _steps((), (), step)) for one in last), (), ()
        if self._codes is None:
            return (("", _steps(None, last, step + 1)),), (), ()
        above = _DIGITS[step - 1] if step else 0
        parts: dict[str, list[str]] = {}
        own: dict[str, None] = {}
        looked: dict[str, None] = {}
        for code in self._codes:
            if above >= _CLASS:
                if len(code) <= above:
                    own[code + _WHOLE] = own[code + _ALL] = looked[code + _ALL] = None
                    continue
                own[code[:above] + _ALL] = looked[code[:above] + _WHOLE] = None
            parts.setdefault(code[: _DIGITS[step]], []).append(code)
        return (
            tuple((part, _steps(tuple(codes), last, step + 1)) for part, codes in parts.items()),
            tuple((part, _steps(None, last, step + 1)) for part in own),
            tuple((part, _steps(None, last, step + 1)) for part in looked),
        )


# Many records have the same codes, and more the same below a step.
_steps = lru_cache(maxsize=50_000)(CodeSteps)


@lru_cache(maxsize=20_000)
def _quarters(start: str, end: str) -> tuple[str, ...]:
    """The quarters from a day to another, eight at most; of what has no end, or no beginning, those
    of the year at the end that it has."""
    first, last = quarter_of(start), quarter_of(end)
    if end == LAST_DAY:
        last = first + 3 if start != FIRST_DAY else first
    elif start == FIRST_DAY:
        first = last - 3
    return tuple(map(str, range(first, min(last, first + _MOST_QUARTERS - 1) + 1)))


def rank_of_answer(facts: Facts) -> str:
    """Of too many that nothing tells apart the last stay: those that are open the longest."""
    return facts.until or f"9999{facts.first_time}"


def rank_of_purchase(facts: Facts) -> str:
    """Of too many that nothing tells apart the last stay: those told last."""
    return facts.first_time


_TELLING: Final = ("audience", "cpv", "first_time", "lots", "purchase", "until")


def told_apart_alike(left: Facts, right: Facts) -> bool:
    """Whether two tellings of one record are told apart from others alike, where they stand under
    the same topics, and come by the same ranks."""
    if any(getattr(left, one) != getattr(right, one) for one in _TELLING):
        return False
    return _says_a_class(left.cpv) or left.texts == right.texts
