"""The words of a search as an Elasticsearch query. Pure.

Finding is one thing (`finding`), ranking another (`ranking`), and marking what was found
a third.
"""

from typing import Any, Final

from traverse_schemas.documents.indexed import REFERENCE_KEYS, caseless
from traverse_search_api.text.fields import MOST_TOGETHER, PHRASE
from traverse_search_api.text.finding import piece_query, required
from traverse_search_api.text.plan import TextPlan, others_of
from traverse_search_api.text.ranking import by_title, ranking

Query = dict[str, Any]

_REFERENCE_BOOST: Final = 50.0


def text_query(plan: TextPlan) -> Query:
    """All units, phrases and beginnings must be found, each in whichever field; none excluded.

    A record's own reference, typed alone, also finds it.
    """
    typed = plan.typed
    if plan.is_silent:
        return {"match_none": {}}
    if not typed:
        return {"match_all": {}}
    asked = list(required(plan)) or [{"match_all": {}}]
    if plan.broad:
        # One for whatever is found: the factor of what is open and near counts for all. As another
        # clause that may match it would be looked at, with those of titles, for each result.
        asked = [{"constant_score": {"filter": {"bool": {"filter": asked}}}}]
    query: dict[str, Any] = {"must": asked}
    # Without synonyms: who excludes "mairie" did not speak of "hôtel de ville".
    excluded = [piece_query(piece) for piece in typed.excluded]
    if excluded:
        query["must_not"] = excluded
    should = list(by_title(plan) if plan.broad else ranking(plan))
    if should:
        query["should"] = should
    if excluded:
        return {"bool": query}
    reference = {"term": {REFERENCE_KEYS: caseless(plan.whole.strip())}}
    by_reference = {
        "constant_score": {"filter": reference, "boost": _REFERENCE_BOOST, "_name": "reference"}
    }
    return {"bool": {"should": [{"bool": query}, by_reference]}}


def marking_query(plan: TextPlan) -> Query:
    """What to mark in titles and descriptions: words, synonyms, phrases and beginnings.

    Simpler than `text_query`, on stems alone: marking cost more than finding.
    """
    fields = ["title", "description"]
    words = " ".join(unit.text for unit in plan.units[:MOST_TOGETHER])
    should: list[Query] = []
    if words:
        should.append({"combined_fields": {"query": words, "fields": fields}})
    phrases = [
        *plan.typed.phrases,
        *(piece.text for group in plan.typed.either for piece in group),
        *(other for unit in (*plan.either.values(), *plan.units) for other in others_of(unit)),
    ]
    should += [
        {
            "multi_match": {
                "query": phrase, "type": "phrase", "fields": fields, "analyzer": PHRASE
            }
        }
        for phrase in phrases[:40]
    ]  # fmt: skip
    should += [
        {"multi_match": {"query": prefix, "type": "bool_prefix", "fields": fields}}
        for prefix in plan.typed.prefixes
    ]
    return {"bool": {"should": should}}


def is_marked(plan: TextPlan) -> bool:
    """Whether there is anything to mark."""
    typed = plan.typed
    return bool(plan.units or typed.phrases or typed.prefixes or typed.either)
