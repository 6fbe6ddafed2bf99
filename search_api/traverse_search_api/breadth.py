"""Broad searches: in an index of many documents, those that find so many that titles alone order
them. Pure.

Scoring a document by six fields costs half a microsecond, six times what finding it does: of a word
that a quarter of a million hold, an eighth of a second. Nobody reads that far: who stands first has
such a word in the title.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from traverse_search_api.parameters import SearchParameters, Sort
from traverse_search_api.queries import unscored
from traverse_search_api.text_query import TextPlan

Query = dict[str, Any]

LARGE: Final = 200_000
"""Documents in the indices of a reader from which on searches are counted first."""

BROAD: Final = 10_000
"""A search that finds more is broad."""


def may_be_broad(
    parameters: SearchParameters, plan: TextPlan, sources: Iterable[Mapping[str, Any]]
) -> bool:
    """Whether a search is worth counting: `sources` say how many documents there are."""
    ranked = parameters.sort is Sort.RELEVANCE and bool(plan.words)
    return ranked and sum(int(one["count"]) for one in sources) >= LARGE


def count_body(body: Query) -> Query:
    """How many documents a search scores, up to one more than `BROAD`: a few milliseconds."""
    query = body["query"]
    found = query.get("function_score", {}).get("query", query)
    return {
        "size": 0,
        "track_total_hits": BROAD + 1,
        "query": {"bool": {"filter": [unscored(found)]}},
    }
