"""Places: a record's typed codes with every level above, in codes and in words. Pure."""

from typing import Any

from traverse_schemas.records.models import Record
from traverse_schemas.reference.rows import TerritoryChain
from traverse_schemas.reference.territories import Territories

_SHOWN_LEVELS = (("epci", "epci"), ("department", "dep"), ("region", "reg"))


def locate(record: Record, territories: Territories) -> dict[str, Any]:
    """The document's `place`, `within`, `covers`, `territory`, `place_names`, `location`.

    The codes were checked by validate. A postal code stands for all its communes: the record may
    be in any of them.
    """
    within: dict[str, None] = {}
    names: dict[str, None] = {}
    first: TerritoryChain | None = None
    for code in record.place:
        chain = territories.chain(code)
        if chain is None:  # a zone that the operator has not loaded: it covers only itself
            within[code] = None
            continue
        first = first or chain
        within.update(dict.fromkeys(chain.codes))
        names.update(dict.fromkeys(step.name for step in chain.levels))
        if code.startswith("cp:"):
            for commune in territories.communes_of_postal(code[3:]):
                within[commune.code] = None
                names[commune.name] = None
    place: dict[str, Any] = {
        "place": list(record.place),
        "within": list(within),
        "covers": list(dict.fromkeys((*record.place, *record.eligible_area))),
        "territory": _territory(record.place[0], first),
        "place_names": list(names),
    }
    if record.location:
        place["location"] = {"lat": record.location.lat, "lon": record.location.lon}
    elif first is not None and first.code != "fr":
        # The middle of France is nowhere in particular: no point is better than a wrong one.
        place["location"] = {"lat": first.lat, "lon": first.lon}
    return place


def _territory(code: str, chain: TerritoryChain | None) -> dict[str, str]:
    """The first place in words, with the levels above it."""
    if chain is None:
        return {"code": code, "name": code.removeprefix("zone:"), "level": "zone"}
    shown = {"code": chain.code, "name": chain.name, "level": chain.levels[0].level}
    for field, level in _SHOWN_LEVELS:
        step = chain.first(level)
        if step is not None and step.code != chain.code:
            shown[field] = step.name
    return shown
