"""Broad searches: in an index of many documents, those that find so many that titles alone order
them. Pure.

Scoring a document by how often and where it holds a word costs more than finding it: of a word that
a quarter of a million hold, a tenth of a second. Nobody reads that far: who stands first has such a
word in the title.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from traverse_search_api.parameters import SearchParameters, Sort
from traverse_search_api.query.queries import unscored
from traverse_search_api.text.plan import TextPlan

Query = dict[str, Any]
Answer = dict[str, Any]

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
    return {"size": 0, "track_total_hits": BROAD + 1, "query": _found_by(body)}


def in_two(body: Query) -> tuple[Query, Query]:
    """A search with facets as two questions that may be put at once: its first results, and what is
    counted. Together they cost little more than the one, and there is an answer in half the time.
    """
    hits = {name: part for name, part in body.items() if name != "aggs"}
    counts = {
        "size": 0,
        "track_total_hits": body["track_total_hits"],
        "query": _found_by(body),
        "aggs": body["aggs"],
    }
    if "post_filter" in body:
        counts["post_filter"] = body["post_filter"]
    return hits | {"track_total_hits": False}, counts


def joined(hits: Answer, counts: Answer) -> Answer:
    """The answers to both questions of `in_two` as the answer to the whole."""
    first = hits.get("hits", {})
    return counts | {"hits": counts.get("hits", {}) | {"hits": first.get("hits", [])}}


def _found_by(body: Query) -> Query:
    """What decides whether a document is found, as a filter."""
    query = body["query"]
    found = query.get("function_score", {}).get("query", query)
    return {"bool": {"filter": [unscored(found)]}}
