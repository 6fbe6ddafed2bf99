"""Suggestions while typing: titles, institutions, places and themes with words that begin so. Pure.

Two questions to the index give titles and institutions; places and themes are reference data, and
come from memory. What is asked for every letter that people type is prepared beforehand.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from heapq import nsmallest
from itertools import islice
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from traverse_schemas.documents.indexed import OWNER_NAME
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import THEMES
from traverse_search_api.access.reader import Reader
from traverse_search_api.filters.parameter_filters import readable_filters
from traverse_search_api.parameters import composed
from traverse_search_api.query.queries import unrevealing

Query = dict[str, Any]

_SUGGESTED: Final = 5  # of each kind
_SHORTEST: Final = 2  # letters from which suggestions make sense
_FEW: Final = 400  # places among which the largest are looked for one by one
_AFTER: Final = "\uffff"  # behind all that begins with what stands before it


class SuggestParameters(BaseModel):
    """The beginning of what somebody types."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: Annotated[str, BeforeValidator(composed)] = Field(
        default="", max_length=200, description="Le début de ce qu’on cherche."
    )


def suggest_bodies(text: str, as_of: datetime, reader: Reader) -> tuple[Query, Query] | None:
    """Titles, and institutions, with words that begin so, as two questions to be put at once; None
    when too little was typed.

    Apart, the first ends with the first titles instead of reading all that are found, and the
    answer to the second is kept by Elasticsearch until the index changes.
    """
    if len(fold_name(text)) < _SHORTEST:
        return None
    always, never = readable_filters(as_of, reader)

    def beginning(field: str) -> Query:
        return {"match_bool_prefix": {f"{field}.exact": {"query": text, "operator": "and"}}}

    titles = {
        "size": _SUGGESTED,
        "track_total_hits": False,
        "_source": ["id", "title"],
        "query": {
            "bool": {
                "must": [unrevealing(beginning("title"), reader)],
                "filter": always,
                "must_not": never,
            }
        },
    }
    institutions = {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": [*always, beginning(OWNER_NAME)], "must_not": never}},
        "aggs": {
            "sirens": {
                # Names are looked up of those shown alone, and of no document in particular.
                "terms": {
                    "field": "owner_siren", "size": _SUGGESTED, "collect_mode": "breadth_first",
                },
                "aggs": {
                    "one": {
                        "top_hits": {"size": 1, "_source": ["institutions"], "sort": ["_doc"]}
                    }
                },
            }
        },
    }  # fmt: skip
    return titles, institutions


def suggestions(
    text: str, found: Sequence[dict[str, Any]], territories: Territories
) -> dict[str, list[dict[str, Any]]]:
    """The suggestions of each kind, with what to ask for each. `found` are the answers to
    `suggest_bodies`, none where nothing was asked."""
    titles, institutions = [], []
    if found:
        titled, named = found
        seen: set[str] = set()
        for hit in titled.get("hits", {}).get("hits", []):
            source = hit["_source"]
            if source["title"] not in seen:
                seen.add(source["title"])
                titles.append({"id": source["id"], "title": source["title"]})
        for bucket in named.get("aggregations", {}).get("sirens", {}).get("buckets", ()):
            hit = bucket["one"]["hits"]["hits"][0]["_source"]
            owners = [one for one in hit["institutions"] if one.get("siren") == bucket["key"]]
            if owners:
                institutions.append(
                    {
                        "siren": bucket["key"],
                        "name": owners[0]["name"],
                        "count": bucket["doc_count"],
                    }
                )
    return {
        "titles": titles,
        "institutions": institutions,
        "places": suggested_places(text, territories),
        "themes": suggested_themes(text),
    }


def suggested_places(text: str, territories: Territories) -> list[dict[str, Any]]:
    """Régions, départements and communes whose names begin so, the most people first."""
    folded = fold_name(text)
    if len(folded) < _SHORTEST:
        return []
    places = _places(territories)
    first = bisect_left(places.names, folded)
    last = bisect_left(places.names, folded + _AFTER)
    if last - first <= _FEW:
        best: Iterable[int] = nsmallest(_SUGGESTED, places.ranks[first:last])
    else:
        # Of a beginning that many have ("saint"), the largest are soon found among all.
        begin = (rank for rank, row in enumerate(places.rows) if row.name.startswith(folded))
        best = islice(begin, _SUGGESTED)
    return [{"code": places.rows[rank].code, "label": places.rows[rank].label} for rank in best]


def prepare_places(territories: Territories) -> None:
    """Reads all names, half a second once: at the service's start, not for who types first."""
    _places(territories)


class _Place(NamedTuple):
    name: str
    code: str
    label: str


class _Places(NamedTuple):
    """`rows` with the most people first; `names` in the order of the alphabet, each with its row's
    place in `rows`."""

    rows: list[_Place]
    names: list[str]
    ranks: list[int]


@cache
def _places(territories: Territories) -> _Places:
    # A région or a département is meant sooner than a town of as many people.
    regions, departments = territories.regions(), territories.departments()
    found = [
        *(_weighed(one.population * 10, one.name, one.code, "région") for one in regions),
        *(_weighed(one.population * 5, one.name, one.code, one.number) for one in departments),
        *(
            _weighed(one.population, one.name, one.code, one.department)
            for one in territories.communes()
        ),
    ]
    found.sort(key=lambda one: (one[0], one[1].code))
    rows = [row for _, row in found]
    ranks = sorted(range(len(rows)), key=lambda rank: rows[rank].name)
    return _Places(rows, [rows[rank].name for rank in ranks], ranks)


def _weighed(weight: int, name: str, code: str, within: str) -> tuple[int, _Place]:
    return -weight, _Place(fold_name(name), code, f"{name} ({within})")


def suggested_themes(text: str) -> list[dict[str, Any]]:
    """Themes with a word that begins so, in their order."""
    folded = fold_name(text)
    if len(folded) < _SHORTEST:
        return []
    found = (
        slug for slug, words in _THEME_WORDS.items() if any(w.startswith(folded) for w in words)
    )
    return [{"theme": slug, "label": THEMES[slug]} for slug in islice(found, _SUGGESTED)]


_THEME_WORDS: Final = {slug: (slug, *fold_name(label).split()) for slug, label in THEMES.items()}
