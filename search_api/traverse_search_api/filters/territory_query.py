"""Which documents concern a territory: what lies in it, and what covers it from above."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.place import is_territory, territory_guesses
from traverse_search_api.errors import AmbiguousPlaceError, UnknownPlaceError
from traverse_search_api.filters.zones import Atlas

Query = dict[str, Any]


NEAR: Final = {"com": 0.5, "cp": 0.5, "epci": 0.3, "dep": 0.2, "reg": 0.1}
"""What lying in the same commune, EPCI, département, région adds to a score's factor; a document
of the commune has all of them, so that the nearest comes first."""


_SHARED: Final = 0.25  # what a postal code adds that it shares with others: less than lying in it


class Place(NamedTuple):
    """A territory asked for. `codes` are itself (for a postal code, its communes too, or the one
    arrondissement of Paris, Lyon or Marseille that it serves); `applying` are those, every level
    above and the zones that hold them; `sharing` are postal codes that it has with others: what
    names nothing else may lie in it; `zones` are the operator's that lie wholly in it."""

    codes: tuple[str, ...]
    applying: tuple[str, ...]
    sharing: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


def resolve_place(asked: str, territories: Territories) -> Place:
    """A typed or bare code as a place.

    Raises UnknownPlaceError when no territory has it, AmbiguousPlaceError when several do
    (13001 is Aix-en-Provence for INSEE and Marseille 1er for the post; 93 is a département and a
    région).
    """
    level, colon, value = asked.strip().partition(":")
    code = f"{level.lower()}:{value.strip().upper()}" if colon else level
    if not colon and level.lower() != "fr":
        code = _guess(level, territories)
    code = code.lower() if code.lower() == "fr" or code.startswith("zone:") else code
    if code.startswith("zone:") and is_territory(code):
        return _zone(code, territories)
    chain = territories.chain(code)
    if chain is None:
        raise UnknownPlaceError(asked)
    codes = [chain.code]
    if code.startswith("cp:"):
        codes += served(code[3:], territories)
    return Place(
        tuple(codes),
        tuple(dict.fromkeys((*codes, *chain.codes, *_zones_over(chain.code, territories)))),
        _sharing(chain.code, territories),
        zones_inside(chain.code, territories),
    )


def served(postal_code: str, territories: Territories) -> list[str]:
    """What a postal code serves, as typed codes: its communes, the most peopled first; of a town
    that has arrondissements, the one arrondissement, for the town is more than that."""
    district = territories.district_of_postal(postal_code)
    if district is not None:
        return [f"com:{district.insee}"]
    return [row.code for row in territories.communes_of_postal(postal_code)]


@lru_cache(maxsize=4096)
def _sharing(code: str, territories: Territories) -> tuple[str, ...]:
    """The postal codes of a commune or of an EPCI that serve others besides."""
    level, _, value = code.partition(":")
    epci = territories.epci(value) if level == "epci" else None
    members = epci.members if epci else (value,) if level == "com" else ()
    rows = (territories.former(one) or territories.commune(one) for one in members)
    codes = dict.fromkeys(f"cp:{postal}" for row in rows if row for postal in row.postal_codes)
    chains = ((each, territories.chain(each)) for each in codes)
    return tuple(each for each, chain in chains if chain and code not in chain.codes)


def _zones_over(code: str, territories: Territories) -> tuple[str, ...]:
    """The operator's zones that hold a commune (an arrondissement's town), all of an EPCI, or any
    commune that a postal code serves. What is larger is in no zone."""
    if not isinstance(territories, Atlas):
        return ()
    level, _, value = code.partition(":")
    if level == "com" and (row := territories.commune(value)):
        return territories.holding((row.code,))
    if level == "epci" and (epci := territories.epci(value)):
        return territories.holding(f"com:{member}" for member in epci.members)
    if level == "cp":
        rows = territories.communes_of_postal(value)
        return tuple(dict.fromkeys(z for row in rows for z in territories.holding((row.code,))))
    return ()


def _zone(code: str, territories: Territories) -> Place:
    """An operator's zone: its communes, and what covers them; just its name where none is loaded,
    since records may name it."""
    zone = territories.zone(code) if isinstance(territories, Atlas) else None
    if zone is None or not isinstance(territories, Atlas):
        return Place((code,), (code,))
    above: dict[str, None] = dict.fromkeys((code, *zone.communes))
    sharing: dict[str, None] = {}
    for commune in zone.communes:
        chain = territories.chain(commune)
        above.update(dict.fromkeys(chain.codes if chain else ()))
        sharing.update(dict.fromkeys(_sharing(commune, territories)))
    above.update(dict.fromkeys(territories.holding(zone.communes)))
    inside = zones_inside(code, territories)
    return Place((code, *zone.communes), tuple(above), tuple(sharing), inside)


def zones_inside(code: str, territories: Territories) -> tuple[str, ...]:
    """The operator's zones that lie wholly in a territory, both as typed codes."""
    # Of all of France there is no need to ask.
    return territories.inside(code) if isinstance(territories, Atlas) and code != "fr" else ()


def in_zones(zones: Iterable[str]) -> list[Query]:
    """What names one of these zones (typed codes) as its own: one clause, or none."""
    names = [code.removeprefix("zone:") for code in dict.fromkeys(zones)]
    return [{"terms": {"zones": names}}] if names else []


def territory_filter(asked: tuple[str, ...], reach: str, territories: Territories) -> Query:
    """Documents of any of the territories.

    `within`: located inside one. `applies`: also those whose own or eligible area is one of them,
    a level above (what a région offers applies to each of its communes), a zone that holds it, or
    a postal code that it shares.
    """
    places = [resolve_place(code, territories) for code in asked]
    inside = list(dict.fromkeys(code for place in places for code in (*place.codes, *place.zones)))
    every = (code for place in places for code in (*place.applying, *place.sharing))
    above = list(dict.fromkeys(every)) if reach == "applies" else []
    clauses: list[Query] = [{"terms": {"within": inside}}]
    clauses += in_zones(code for code in (*inside, *above) if code.startswith("zone:"))
    if above:
        clauses.append({"terms": {"covers": above}})
    return {"bool": {"should": clauses}}


def nearness(asked: Iterable[str], territories: Territories) -> list[Query]:
    """One function of a score for each level of the territories: the nearest first.

    Takes codes that `resolve_place` takes; raises as it does.
    """
    weights: dict[str, float] = {}
    for code in asked:
        place = resolve_place(code, territories)
        for level in place.applying:
            weight = NEAR.get(level.partition(":")[0])
            if weight:
                weights[level] = weight
        weights.update(dict.fromkeys(place.codes, NEAR["com"]))
        for shared in place.sharing:
            weights.setdefault(shared, _SHARED)
    return [
        {"filter": {"term": {"within": code}}, "weight": weight}
        for code, weight in list(weights.items())[:_MOST_NEAR]
    ]


_MOST_NEAR: Final = 60


def _guess(bare: str, territories: Territories) -> str:
    known = [
        (code, chain.name)
        for code in territory_guesses(bare)
        if (chain := territories.chain(code)) is not None
    ]
    if len(known) > 1:
        raise AmbiguousPlaceError(bare, tuple(known))
    return known[0][0] if known else bare
