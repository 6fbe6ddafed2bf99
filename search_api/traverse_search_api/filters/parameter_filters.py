"""Each parameter of a search as one filter; facets can then leave their own out."""

from datetime import datetime
from typing import Any

from traverse_schemas.documents.indexed import OWNER_NAME
from traverse_schemas.documents.status import french_day
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import Reader
from traverse_search_api.deadlines import deadline_query
from traverse_search_api.filters.status_query import index_text, status_filter
from traverse_search_api.filters.territory_query import territory_filter
from traverse_search_api.moments import end_instant, first_instant, read_moment
from traverse_search_api.parameters import Facet, SearchParameters

Query = dict[str, Any]


def readable_filters(as_of: datetime, reader: Reader) -> tuple[list[Query], list[Query]]:
    """What always holds for a reader, as (filters, exclusions).

    No stub, nothing expired at `as_of`, and only what this reader may read: the indices asked hold
    little else, and this says it again.
    """
    return [reader.filter()], never_shown(as_of)


def never_shown(as_of: datetime) -> list[Query]:
    """What nobody is shown at `as_of`: stubs, and what has expired."""
    return [{"term": {"stub": True}}, {"range": {"expires": {"lt": french_day(as_of).isoformat()}}}]


def choice_filters(
    parameters: SearchParameters, as_of: datetime, territories: Territories
) -> dict[Facet, Query]:
    """The filters that a facet of the same name sets. Raises InvalidParameterError."""
    found: dict[Facet, Query] = {}
    for facet, field, values in (
        (Facet.KIND, "kind", parameters.kind),
        (Facet.SUBTYPE, "subtype", parameters.subtype),
        (Facet.THEME, "themes", parameters.theme),
        (Facet.INSTITUTION_KIND, "owner_kind", parameters.institution_kind),
        (Facet.CPV, "cpv_within", parameters.cpv),
    ):
        if values:
            found[facet] = {"terms": {field: [str(value) for value in values]}}
    if parameters.status:
        found[Facet.STATUS] = status_filter(parameters.status, as_of)
    if parameters.territory:
        found[Facet.TERRITORY] = territory_filter(
            parameters.territory, parameters.reach, territories
        )
    return found


def other_filters(parameters: SearchParameters) -> dict[str, Query]:
    """The filters that no facet shows, by name: owner, distance, dates, amounts."""
    filters: dict[str, Query] = {}
    if parameters.institution:
        filters["institution"] = _owner(parameters.institution)
    if parameters.near:
        filters["near"] = {
            "geo_distance": {
                "distance": f"{parameters.radius:g}km",
                "location": parameters.near.model_dump(),
            }
        }
    first, last = (
        read_moment(text) if text is not None else None
        for text in (parameters.deadline_from, parameters.deadline_to)
    )
    if first is not None or last is not None:
        filters["deadline"] = deadline_query(first, last)
    published = _period(
        "published_at", {"gte_day": parameters.published_from, "lt_day": parameters.published_to}
    )
    if published:
        filters["published"] = published
    amount = {"gte": parameters.amount_min, "lte": parameters.amount_max}
    bounds = {name: value for name, value in amount.items() if value is not None}
    if bounds:
        filters["amount"] = {"range": {"amount": bounds}}
    return filters


def _owner(asked: tuple[str, ...]) -> Query:
    sirens = [text for text in asked if text.isdigit()]
    names = [text for text in asked if not text.isdigit()]
    clauses: list[Query] = [{"terms": {"owner_siren": sirens}}] if sirens else []
    clauses += [{"match": {OWNER_NAME: {"query": name, "operator": "and"}}} for name in names]
    return {"bool": {"should": clauses}}


def _period(field: str, asked: dict[str, str | None]) -> Query | None:
    """One range. An instant is inclusive at both ends; a day is whole, as its bound says."""
    bounds: dict[str, str] = {}
    for name, text in asked.items():
        if text is None:
            continue
        bound = name.removesuffix("_day")
        moment = read_moment(text)
        instant = first_instant(moment) if bound.startswith("g") else end_instant(moment)
        if isinstance(moment, datetime):
            bound = bound[0] + "te"
        bounds[bound] = index_text(instant)
    return {"range": {field: bounds}} if bounds else None
