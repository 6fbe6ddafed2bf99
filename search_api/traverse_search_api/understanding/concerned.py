"""Which documents concern what was understood: places, trades, institutions. Pure."""

from collections.abc import Sequence
from typing import Any

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters.territory_query import in_zones, served, zones_inside
from traverse_search_api.understanding.governing_names import governing_siren
from traverse_search_api.understanding.trades import Trade

Query = dict[str, Any]


def of_places(codes: Sequence[str], territories: Territories, *, governs: bool = False) -> Query:
    """What lies there; and wherever it lies, what is of who `governs` there."""
    inside = list(codes)
    for code in codes:
        if code.startswith("cp:"):
            inside += served(code[3:], territories)
    zones = [zone for code in codes for zone in zones_inside(code, territories)]
    clauses: list[Query] = [{"terms": {"within": list(dict.fromkeys((*inside, *zones)))}}]
    clauses += in_zones(zones)
    # What is said of a whole town says nothing of its arrondissements: it may be in this one.
    towns = [town for code in codes if (town := _town_of(code, territories))]
    if towns:
        clauses.append({"terms": {"place": list(dict.fromkeys(towns))}})
    sirens = [governing_siren(code, territories) for code in codes] if governs else []
    if owners := list(filter(None, sirens)):
        clauses.append({"terms": {"owner_siren": owners}})
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses}}


def _town_of(code: str, territories: Territories) -> str | None:
    """The town of the arrondissement that a postal code serves."""
    number = code.removeprefix("cp:")
    district = territories.district_of_postal(number) if number != code else None
    return f"com:{district.present}" if district else None


def of_trades(trades: Sequence[Trade], naf: Sequence[str]) -> Query:
    """What is bought of these trades, and what names one of these NAF codes, with its dot or
    without."""
    forms = [form for code in naf for form in (code, code.replace(".", ""))]
    cpv = [code for trade in trades for code in trade.cpv]
    clauses: list[Query] = [{"terms": {"cpv_within": cpv}}] if cpv else []
    clauses += [{"terms": {"naf": forms}}] if forms else []
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses}}


def of_institution(digits: str) -> Query:
    """What an institution owns, or a firm holds."""
    holder: Query = (
        {"prefix": {"holders.id": digits}} if len(digits) == 9 else {"term": {"holders.id": digits}}
    )
    return {"bool": {"should": [{"term": {"owner_siren": digits[:9]}}, holder]}}
