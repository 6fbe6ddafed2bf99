"""Facets: how many there are of each choice, each facet leaving its own filter out.

So that a choice already made does not hide the others: with `kind=call`, the facet of kinds still
counts projects and needs.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from traverse_schemas.reference.territories import Territories
from traverse_schemas.status import Status
from traverse_search_api import labels
from traverse_search_api.parameters import Facet
from traverse_search_api.status_query import status_filter

Query = dict[str, Any]

_TERMS: Final[dict[Facet, Query]] = {
    Facet.KIND: {"field": "kind", "size": 10},
    Facet.SUBTYPE: {"field": "subtype", "size": 20},
    Facet.THEME: {"field": "themes", "size": 50},
    Facet.INSTITUTION_KIND: {"field": "owner_kind", "size": 10},
    # All départements; the levels above and below are searched by name.
    Facet.TERRITORY: {"field": "within", "include": "dep:.*", "size": 120},
    # The 45 divisions of the CPV.
    Facet.CPV: {"field": "cpv_within", "include": "[0-9]{2}000000", "size": 50},
}


def facet_aggregations(
    wanted: Iterable[Facet], chosen: dict[Facet, Query], as_of: datetime, parts: Query
) -> dict[str, Query]:
    """One aggregation a facet, under the other facets' filters (`chosen`); `parts` counts those of
    the territory asked for (`territory_parts.parts_of`)."""
    found = {}
    for facet in wanted:
        own = Facet.TERRITORY if facet is Facet.PART else facet
        others = [query for name, query in chosen.items() if name is not own]
        condition: Query = {"bool": {"filter": others}} if others else {"match_all": {}}
        found[facet.value] = {"filter": condition, "aggs": {"values": _values(facet, as_of, parts)}}
    return found


def read_facets(
    aggregations: dict[str, Any], wanted: Iterable[Facet], territories: Territories
) -> dict[str, list[dict[str, Any]]]:
    """`{"kind": [{"value": "call", "label": "…", "count": 12}, …], …}`, the most frequent first."""
    return {
        facet.value: _read(
            aggregations[facet.value]["values"]["buckets"], _label(facet, territories)
        )
        for facet in wanted
        if facet.value in aggregations
    }


def _values(facet: Facet, as_of: datetime, parts: Query) -> Query:
    if facet is Facet.STATUS:
        clauses = {status.value: status_filter([status], as_of) for status in Status}
        return {"filters": {"filters": clauses}}
    return {"terms": parts if facet is Facet.PART else _TERMS[facet]}


def _read(
    buckets: list[dict[str, Any]] | dict[str, dict[str, Any]], label: Callable[[str], str]
) -> list[dict[str, Any]]:
    if isinstance(buckets, dict):
        pairs = [(value, bucket["doc_count"]) for value, bucket in buckets.items()]
        pairs.sort(key=lambda pair: -pair[1])
    else:
        pairs = [(bucket["key"], bucket["doc_count"]) for bucket in buckets]
    return [
        {"value": value, "label": label(value), "count": count} for value, count in pairs if count
    ]


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
