"""What ranks higher of what the words of a search find: what holds them in the title, in their very
form, together. Pure."""

import re
from collections.abc import Iterator
from typing import Any, Final

from traverse_schemas.reference.names import fold_name
from traverse_search_api.text.fields import MOST_TOGETHER, PHRASE
from traverse_search_api.text.finding import unit_query
from traverse_search_api.text.plan import TextPlan, is_small, others_of

Query = dict[str, Any]

_STEM_BOOST: Final = 8.0
_EXACT_BOOST: Final = 4.0
_BROAD: Final = 0.25
_TITLE_BOOST: Final = 1.0
_ALSO_BOOST: Final = 1.5
_ELISION: Final = re.compile(r"\b(?:[ldjmtsnc]|qu)['’]", re.IGNORECASE)


def ranking(plan: TextPlan) -> Iterator[Query]:
    """What ranks higher: the words in the title over those elsewhere, which found it, their very
    forms over their stems, all of them together over here and there, the words themselves over
    other words for them."""
    if forms := _forms(plan):
        yield from _in_title(plan, forms)
        yield {
            "match_phrase": {
                "title": {"query": forms, "slop": 3, "boost": _TITLE_BOOST, "_name": "title"}
            }
        }
    yield from _synonyms(plan)


def by_title(plan: TextPlan) -> Iterator[Query]:
    """What ranks higher where very many are found, whose other words count for nothing: the words
    in the title, in their very form, and what was understood."""
    if forms := _forms(plan):
        yield from _in_title(plan, forms, _BROAD)
    yield from _synonyms(plan)
    yield from (unit_query(unit) for unit in plan.units if unit.understood)


def _in_title(plan: TextPlan, forms: str, times: float = 1.0) -> Iterator[Query]:
    """The words in the title, by their stems and in their basic forms; `times` what they weigh."""
    for name, field, words, boost in (
        ("words", "title", _said(plan), _STEM_BOOST),
        ("exact", "title.exact", forms, _EXACT_BOOST),
    ):
        yield {"match": {field: {"query": words, "boost": boost * times, "_name": name}}}


def _forms(plan: TextPlan) -> str:
    return " ".join(basic_forms(_said(plan)))


def _said(plan: TextPlan) -> str:
    """The words that rank: what was understood is ranked by its meaning; a place is a word
    besides."""
    said = [unit.text for unit in plan.units if not unit.understood or unit.understood.is_place]
    return " ".join(said[:MOST_TOGETHER])


def _synonyms(plan: TextPlan) -> Iterator[Query]:
    for unit in plan.units[:MOST_TOGETHER]:
        for other in others_of(unit):
            yield {
                "match_phrase": {
                    "title": {"query": other, "analyzer": PHRASE, "boost": _ALSO_BOOST,
                              "_name": "synonym"}
                }
            }  # fmt: skip


def basic_forms(words: str) -> list[str]:
    """The words without small ones, in the singular: "d'une école" ranks what "écoles" ranks.

    A form that is none (bu for bus) only ranks nothing higher.
    """
    found = []
    for word in fold_name(_ELISION.sub("", words)).split():
        if is_small(word):
            continue
        if word.endswith(("eaux", "eux")) or (
            len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
        ):
            word = word[:-1]  # noqa: PLW2901 - the word in its other form
        found.append(word)
    return found
