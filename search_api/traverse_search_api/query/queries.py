"""The whole Elasticsearch search for some parameters: pure, tested as dicts without a server."""

from datetime import datetime
from typing import Any, Final

from traverse_schemas.reference.territories import Territories
from traverse_schemas.visibility import Visibility
from traverse_search_api.access.reader import Reader
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.filters.parameter_filters import (
    choice_filters,
    other_filters,
    readable_filters,
)
from traverse_search_api.filters.status_query import index_text
from traverse_search_api.filters.territory_parts import frame_of, parts_of
from traverse_search_api.filters.territory_query import nearness
from traverse_search_api.parameters import Facet, SearchParameters, Sort
from traverse_search_api.query.facets import facet_aggregations
from traverse_search_api.query.status_counts import open_filter
from traverse_search_api.query.totals import EXACT_TOTAL
from traverse_search_api.text.finding import HOLDS
from traverse_search_api.text.plan import TextPlan
from traverse_search_api.text.query import is_marked, marking_query, text_query

Query = dict[str, Any]

# What an item shows: `items.item_of` reads no other field.
ITEM_FIELDS: Final = [
    "id", "kind", "subtype", "title", "description", "institutions", "owner_kind", "territory",
    "location", "themes", "cpv", "amount", "deadline", "deadlines", "published_at", "updated_at",
    "sources", "links", "outcome", "notified", "end_max", "stage", "visibility",
]  # fmt: skip

OPEN_BOOST: Final = 0.3
FRESH_BOOST: Final = 0.15
FRESH_DAYS: Final = 180
_NAMED_BOOST: Final = 20.0
"""The score of what was addressed to the reader by name: that of a good match."""


def search_body(
    parameters: SearchParameters,
    as_of: datetime,
    territories: Territories,
    plan: TextPlan,
    reader: Reader,
) -> Query:
    """The search of a reader for a first page, without its place in the pages (`paging` adds that).

    Filters that a facet shows go into `post_filter` when facets are wanted, so that each facet can
    leave its own out. One hit more than a page is asked for: it tells whether there is a next one.
    Raises InvalidParameterError.
    """
    chosen = choice_filters(parameters, as_of, territories)
    always, never = readable_filters(as_of, reader)
    text = unrevealing(text_query(plan), reader)
    if not parameters.explain:
        # Elasticsearch runs each named part once more over each hit, to say whether it holds.
        text = unnamed(text)
    filters = [*always, *other_filters(parameters).values()]
    body: Query = {
        "size": parameters.size + 1,
        "track_total_hits": EXACT_TOTAL,
        "_source": [*ITEM_FIELDS, "within"] if parameters.explain else ITEM_FIELDS,
        "sort": sort_of(parameters),
    }
    if parameters.facets and chosen:
        body["post_filter"] = {"bool": {"filter": list(chosen.values())}}
    else:
        filters += chosen.values()
    places = places_of(parameters, plan)
    if parameters.facets:
        parts = (
            parts_of(frame_of(places, territories), territories)
            if Facet.PART in parameters.facets
            else {}
        )
        body["aggs"] = facet_aggregations(parameters.facets, chosen, as_of, parts)
    near = nearness(places, territories)
    body["query"] = _ordered(parameters, as_of, text, filters=filters, never=never, near=near)
    if is_marked(plan):
        body["highlight"] = _highlight(marking_query(plan))
    return body


def unrevealing(text: Query, reader: Reader) -> Query:
    """The query so that a score tells nothing of what this reader may not read.

    A score depends on how many documents of an index hold a word. Of the index of restricted
    documents a reader sees a part: what is found there scores the same whatever its words.
    """
    if reader.indices == reader.whole:
        return text
    restricted: Query = {"term": {"visibility": Visibility.RESTRICTED.value}}
    found = {"bool": {"filter": [restricted, unnamed(text)]}}
    return {
        "bool": {
            "should": [
                {"bool": {"must": [text], "must_not": [restricted]}},
                {"constant_score": {"filter": found, "boost": _NAMED_BOOST}},
            ]
        }
    }


def unnamed(query: Any) -> Any:
    """The query without the names that tell its parts' scores; a relaxed one keeps those that tell
    which words a hit holds."""
    if isinstance(query, list):
        return [unnamed(part) for part in query]
    if isinstance(query, dict):
        return {
            name: unnamed(part)
            for name, part in query.items()
            if name != "_name" or part.startswith(HOLDS)
        }
    return query


def unscored(query: Any) -> Any:
    """What decides whether a document is found, without what only ranks it."""
    if isinstance(query, list):
        return [unscored(part) for part in query]
    if not isinstance(query, dict):
        return query
    if set(query) == {"constant_score"}:
        return unscored(query["constant_score"]["filter"])
    left = {name: part for name, part in query.items() if name not in {"_name", "boost"}}
    if "should" in left and left.keys() & {"must", "filter"} and "minimum_should_match" not in left:
        del left["should"]
    return {name: unscored(part) for name, part in left.items()}


def places_of(parameters: SearchParameters, plan: TextPlan) -> tuple[str, ...]:
    """The territories asked for, as filters and in words: what is near them comes first."""
    said = (one.territory for one in plan.understood if one.territory)
    return (*parameters.territory, *said)


def sort_of(parameters: SearchParameters) -> list[Query | str]:
    """The order asked for, always ended by the id so that pages neither repeat nor miss.

    What has no date or amount comes last. Deadlines: those to come first, the nearest first.
    """
    last: Query = {"missing": "_last"}
    match parameters.sort:
        case Sort.PUBLISHED:
            order: list[Query | str] = [{"published_at": {"order": "desc", **last}}]
        case Sort.DEADLINE:
            order = ["_score", {"deadline.until": {"order": "asc", **last}}]
        case Sort.AMOUNT:
            order = [{"amount": {"order": "desc", **last}}]
        case Sort.DISTANCE:
            if parameters.near is None:
                raise InvalidParameterError(
                    "near",
                    "Pour trier par distance, donnez le point de départ : near=latitude,longitude.",
                )
            order = [
                {
                    "_geo_distance": {
                        "location": parameters.near.model_dump(),
                        "order": "asc",
                        "unit": "km",
                    }
                }
            ]
        case Sort.RELEVANCE:
            order = ["_score"]
    return [*order, {"id": {"order": "asc"}}]


def _ordered(
    parameters: SearchParameters,
    as_of: datetime,
    text: Query,
    *,
    filters: list[Query],
    never: list[Query],
    near: list[Query],
) -> Query:
    """The query, scored as the order needs: relevance, to come or not, or not at all."""
    match parameters.sort:
        case Sort.RELEVANCE:
            found = {"bool": {"must": [text], "filter": filters, "must_not": never}}
            return _lively_first(found, as_of, near)
        case Sort.DEADLINE:
            to_come = {"range": {"deadline.until": {"gt": index_text(as_of)}}}
            return {
                "bool": {
                    "filter": [text, *filters],
                    "must_not": never,
                    "should": [{"constant_score": {"filter": to_come}}],
                }
            }
        case _:
            return {"bool": {"filter": [text, *filters], "must_not": never}}


def _lively_first(found: Query, as_of: datetime, near: list[Query]) -> Query:
    """Between equals, what is near, open and fresh: mild factors (`docs/search.md`)."""
    origin = index_text(as_of)
    return {
        "function_score": {
            "query": found,
            "functions": [
                {"weight": 1},
                {"filter": open_filter(as_of), "weight": OPEN_BOOST},
                {
                    "gauss": {"published_at": {"origin": origin, "scale": f"{FRESH_DAYS}d"}},
                    "weight": FRESH_BOOST,
                },
                *near,
            ],
            "score_mode": "sum",
            "boost_mode": "multiply",
        }
    }


def _highlight(marked: Query) -> Query:
    """Words found, between <mark>, everything else escaped for HTML."""
    return {
        "encoder": "html",
        "pre_tags": ["<mark>"],
        "post_tags": ["</mark>"],
        "highlight_query": marked,
        "fields": {
            "title": {"number_of_fragments": 0},
            "description": {"fragment_size": 160, "number_of_fragments": 2},
        },
    }
