"""Facets: how many there are of each choice, each facet leaving its own filter out.

So that a choice already made does not hide the others: with `kind=call`, the facet of kinds still
counts projects and needs.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.counted import CPV_DIVISIONS, DEPARTMENTS
from traverse_schemas.documents.status import Status
from traverse_schemas.reference.territories import Territories
from traverse_search_api import labels
from traverse_search_api.parameters import Facet
from traverse_search_api.query.status_counts import read_statuses, status_aggregations

Query = dict[str, Any]

_TERMS: Final[dict[Facet, Query]] = {
    Facet.KIND: {"field": "kind", "size": 10},
    Facet.SUBTYPE: {"field": "subtype", "size": 20},
    Facet.THEME: {"field": "themes", "size": 50},
    Facet.INSTITUTION_KIND: {"field": "owner_kind", "size": 10},
    # All départements; the levels above and below are searched by name.
    Facet.TERRITORY: {"field": DEPARTMENTS, "size": 120},
    # The 45 divisions of the CPV.
    Facet.CPV: {"field": CPV_DIVISIONS, "size": 50},
}
_ALL: Final = "all"


def facet_aggregations(
    wanted: Iterable[Facet], chosen: dict[Facet, Query], as_of: datetime, parts: Query
) -> dict[str, Query]:
    """The facets by what narrows them: `all` filters chosen, and for each facet that has one the
    others. `parts` counts those of the territory asked for (`territory_parts.parts_of`)."""
    found: dict[str, Query] = {}
    for facet in wanted:
        own = Facet.TERRITORY if facet is Facet.PART else facet
        others = [query for name, query in chosen.items() if name is not own]
        condition: Query = {"bool": {"filter": others}} if others else {"match_all": {}}
        group = own.value if own in chosen else _ALL
        counts = found.setdefault(group, {"filter": condition, "aggs": {}})["aggs"]
        if facet is Facet.STATUS:
            counts |= status_aggregations(as_of)
        else:
            counts[facet.value] = {"terms": parts if facet is Facet.PART else _TERMS[facet]}
    return found


def read_facets(
    aggregations: dict[str, Any], wanted: Iterable[Facet], territories: Territories
) -> dict[str, list[dict[str, Any]]]:
    """`{"kind": [{"value": "call", "label": "…", "count": 12}, …], …}`, the most frequent first."""
    if not aggregations:
        return {}
    counts = {name: one for group in aggregations.values() for name, one in group.items()}
    return {
        facet.value: _read(_counts(facet, counts), _label(facet, territories)) for facet in wanted
    }


def _counts(facet: Facet, counts: dict[str, Any]) -> list[tuple[str, int]]:
    if facet is Facet.STATUS:
        found = read_statuses(counts)
        # As a filter, "open" includes what closes soon.
        still = found.get(Status.OPEN, 0) + found.get(Status.CLOSING_SOON, 0)
        found |= {Status.OPEN: still} if still else {}
        # In the order of their list, where as many have them.
        pairs = [(status.value, found[status]) for status in Status if status in found]
        return sorted(pairs, key=lambda pair: -pair[1])
    return [(one["key"], one["doc_count"]) for one in counts[facet.value]["buckets"]]


def _read(counts: list[tuple[str, int]], label: Callable[[str], str]) -> list[dict[str, Any]]:
    return [{"value": value, "label": label(value), "count": count} for value, count in counts]


def _label(facet: Facet, territories: Territories) -> Callable[[str], str]:
    match facet:
        case Facet.KIND:
            return labels.kind_label
        case Facet.SUBTYPE:
            return labels.subtype_label
        case Facet.STATUS:
            return labels.status_label
        case Facet.THEME:
            return labels.theme_label
        case Facet.INSTITUTION_KIND:
            return labels.institution_kind_label
        case Facet.CPV:
            return labels.cpv_label
        case Facet.TERRITORY | Facet.PART:
            return lambda code: labels.territory_label(code, territories)
