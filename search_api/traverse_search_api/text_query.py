"""Typed words as an Elasticsearch query: which fields are searched, and what ranks higher."""

from collections.abc import Iterator
from typing import Any, Final

from traverse_search_api.typed_words import TypedWords

Query = dict[str, Any]

_WEIGHTS: Final = {
    "title": 4,
    "institutions.name": 2,
    "place_names": 2,
    "description": 1,
    "cpv_labels": 1,
    "holders.name": 1,
}
STEMMED: Final = tuple(f"{name}^{weight}" for name, weight in _WEIGHTS.items())
EXACT: Final = tuple(f"{name}.exact^{weight}" for name, weight in _WEIGHTS.items())
# Finding is one thing, ranking another: a synonym of several words is a phrase of rare ones, and
# would score above the very word that was typed.
_FOUND_BOOST: Final = 0.25
_STEM_BOOST: Final = 2.0
_EXACT_BOOST: Final = 2.0
_REFERENCE_BOOST: Final = 50.0

# Lucene walks a query with synonyms recursively, one level a word, and gives up after 1,000.
_WORDS_A_CLAUSE: Final = 24


def text_query(typed: TypedWords, whole: str) -> Query:
    """All words, phrases and beginnings must be found, each in whichever field; none excluded.

    `whole` is the text as typed: a record's own reference, typed alone, also finds it. Forms as
    typed rank above those that only share a stem, a synonym or an acronym.
    """
    if not typed:
        return {"match_all": {}}
    query: dict[str, Any] = {"must": _required(typed) or [{"match_all": {}}]}
    excluded = _excluded(typed)
    if excluded:
        query["must_not"] = excluded
    if typed.words:
        query["should"] = _as_typed(" ".join(typed.words[:_WORDS_A_CLAUSE]))
    if excluded:
        return {"bool": query}
    reference = {"term": {"references": {"value": whole.strip(), "case_insensitive": True}}}
    by_reference = {"constant_score": {"filter": reference, "boost": _REFERENCE_BOOST}}
    return {"bool": {"should": [{"bool": query}, by_reference]}}


def marking_query(typed: TypedWords) -> Query:
    """What to mark in titles and descriptions: words, synonyms, phrases and beginnings.

    Simpler than `text_query`, on stems alone: marking cost more than finding.
    """
    fields = ["title", "description"]
    words: Query = {
        "combined_fields": {"query": " ".join(typed.words[:_WORDS_A_CLAUSE]), "fields": fields}
    }
    return {
        "bool": {
            "should": [
                *([words] if typed.words else []),
                *(
                    {"multi_match": {"query": phrase, "type": "phrase", "fields": fields}}
                    for phrase in typed.phrases
                ),
                *(
                    {"multi_match": {"query": prefix, "type": "bool_prefix", "fields": fields}}
                    for prefix in typed.prefixes
                ),
            ]
        }
    }


def _as_typed(words: str) -> list[Query]:
    """What ranks higher: the words themselves over their synonyms, their very forms over their
    stems, all of them together in the title over here and there.
    """
    return [
        {
            "multi_match": {
                "query": words,
                "fields": list(STEMMED),
                "analyzer": "french_index",
                "boost": _STEM_BOOST,
            }
        },
        {
            "combined_fields": {
                "query": words,
                "fields": list(EXACT),
                "operator": "or",
                "boost": _EXACT_BOOST,
            }
        },
        {"match_phrase": {"title.exact": {"query": words, "slop": 2}}},
    ]


def _required(typed: TypedWords) -> list[Query]:
    return [
        *(_all_words(" ".join(chunk)) for chunk in _chunks(typed.words)),
        *(_phrase(phrase) for phrase in typed.phrases),
        *(_beginning(prefix) for prefix in typed.prefixes),
    ]


def _excluded(typed: TypedWords) -> list[Query]:
    return [
        # Without synonyms: who excludes "mairie" did not speak of "hôtel de ville".
        *(
            {
                "multi_match": {
                    "query": word,
                    "fields": list(STEMMED),
                    "operator": "and",
                    "analyzer": "french_index",
                }
            }
            for word in typed.excluded_words
        ),
        *(_phrase(phrase) for phrase in typed.excluded_phrases),
    ]


def _all_words(words: str) -> Query:
    return {
        "combined_fields": {
            "query": words,
            "fields": list(STEMMED),
            "operator": "and",
            # "de la" asks for nothing in particular.
            "zero_terms_query": "all",
            "boost": _FOUND_BOOST,
        }
    }


def _phrase(phrase: str) -> Query:
    return {"multi_match": {"query": phrase, "type": "phrase", "fields": list(EXACT)}}


def _beginning(prefix: str) -> Query:
    return {
        "multi_match": {
            "query": prefix,
            "type": "bool_prefix",
            "operator": "and",
            "fields": list(EXACT),
        }
    }


def _chunks(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(words), _WORDS_A_CLAUSE):
        yield words[start : start + _WORDS_A_CLAUSE]
