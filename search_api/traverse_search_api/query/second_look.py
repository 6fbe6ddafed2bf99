"""When nothing is found: one more question to the index, and what to do with its answer. Pure.

The question counts, in one round trip and without documents, what each word finds alone, what the
text finds without each filter, and which known words look like an unknown one. The answer is a
correction, a relaxation, or a diagnosis; each is said, none happens silently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from traverse_schemas.reference.names import fold_name
from traverse_search_api.text.fields import EXACT
from traverse_search_api.text.finding import HOLDS, unit_query
from traverse_search_api.text.looser import looser_texts
from traverse_search_api.text.plan import TextPlan, is_small
from traverse_search_api.text.query import text_query

Query = dict[str, Any]

_SHORTEST_CORRECTED: Final = 5  # letters: shorter words have too many neighbours
_TWO_EDITS_FROM: Final = 8  # letters from which two mistakes are one word's
_MOST_WORDS: Final = 12
_MOST_SPLIT: Final = 4  # words of which every cut is tried
_SUBJECTS: Final = frozenset({"territory", "cpv", "naf", "institution"})
# Those in which words are found, but the names of firms: few are words of anything else.
_SUGGEST_FIELDS: Final = (
    "title.exact", "description.exact", "cpv_labels.exact", "place_names.exact",
    "institutions.name.exact",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """One active filter: the parameter that sets it, in words, and its query."""

    parameter: str
    value: str
    label: str
    query: Query

    def shown(self) -> dict[str, str]:
        """As the answer echoes it."""
        return {"parameter": self.parameter, "value": self.value, "label": self.label}


@dataclass(frozen=True, slots=True)
class Look:
    """What the second question found. `unknown` are words that no document holds, with the word
    to try instead ("" when there is none); `without` counts by parameter; `text` is the count of
    the text without any filter; `words` the count of each unit alone; a `silent` text asks for
    nothing; `looser` is what each of the plan's looser texts finds under the filters."""

    unknown: dict[str, str]
    without: dict[str, int]
    text: int
    words: dict[str, int]
    silent: bool = False
    looser: tuple[int, ...] = ()


def look_body(
    plan: TextPlan, filters: list[Filter], always: list[Query], never: list[Query]
) -> Query:
    """The second question, for `Index.search`."""
    text = text_query(plan)
    counted: dict[str, Query] = {"text": text}
    for filter_ in filters:
        others = [other.query for other in filters if other is not filter_]
        counted[f"without:{filter_.parameter}"] = {"bool": {"filter": [text, *others]}}
    everything = [filter_.query for filter_ in filters]
    for at, looser in enumerate(looser_texts(plan)):
        counted[f"looser:{at}"] = {"bool": {"filter": [text_query(looser.plan), *everything]}}
    for at, unit in enumerate(plan.meaningful[:_MOST_WORDS]):
        counted[f"word:{at}"] = unit_query(unit)
        for cut, query in (_splits(unit.text) if at < _MOST_SPLIT else {}).items():
            counted[f"split:{at}:{cut}"] = query
    body: Query = {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": always, "must_not": never}},
        # Together, and under nothing else: then Elasticsearch counts what each finds, where one
        # aggregation each would have it look at every document for each of them.
        "aggs": {"counts": {"filters": {"filters": counted}}},
    }
    words = " ".join(unit.text for unit in plan.meaningful[:_MOST_WORDS] if _correctable(unit.text))
    if words:
        body["suggest"] = {
            field: {
                "text": words,
                "term": {
                    "field": field,
                    "suggest_mode": "missing",
                    "max_edits": 2,
                    "prefix_length": 1,
                    "min_word_length": _SHORTEST_CORRECTED,
                    "size": 3,
                },
            }
            for field in _SUGGEST_FIELDS
        }
    return body


def read_look(plan: TextPlan, found: Mapping[str, Any]) -> Look:
    """The answer to `look_body`."""
    buckets = found.get("aggregations", {}).get("counts", {}).get("buckets", {})
    counts = {name: one["doc_count"] for name, one in buckets.items()}
    suggested = _suggested(found.get("suggest", {}))
    unknown: dict[str, str] = {}
    words: dict[str, int] = {}
    for at, unit in enumerate(plan.meaningful[:_MOST_WORDS]):
        words[unit.text] = counts.get(f"word:{at}", 0)
        if words[unit.text] or unit.understood is not None:
            continue  # what was understood is not misspelt
        cuts = {
            int(name.rpartition(":")[2]): count
            for name, count in counts.items()
            if name.startswith(f"split:{at}:") and count
        }
        if cuts:
            cut = max(cuts, key=lambda where: (cuts[where], -where))
            unknown[unit.text] = f"{unit.text[:cut]} {unit.text[cut:]}"
        else:
            unknown[unit.text] = suggested.get(fold_name(unit.text), "")
    without = {
        name.partition(":")[2]: count
        for name, count in counts.items()
        if name.startswith("without:")
    }
    looser = tuple(counts.get(f"looser:{at}", 0) for at in range(len(looser_texts(plan))))
    return Look(unknown, without, counts.get("text", 0), words, plan.is_silent, looser)


def corrected(text: str, look: Look) -> str | None:
    """The text with every unknown word replaced; None when one has no better word."""
    if not look.unknown or not all(look.unknown.values()):
        return None
    for wrong, right in look.unknown.items():
        text = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right.replace("\\", ""), text)
    return text


def relaxed(plan: TextPlan, look: Look) -> TextPlan | None:
    """The plan with some words allowed to be missing, or None when that would bring noise.

    All words must be known to the index, and no filter be to blame. What the search is about, its
    rarest word, must then stand in the title, unless something was understood that tells it: a
    place, a trade, an institution. "Appel d'offres" tells nothing of what is bought.
    """
    if len(plan.words) < 2 or look.unknown or look.text:
        return None
    if any(one.parameter in _SUBJECTS for one in plan.understood):
        return replace(plan, relaxed=True)
    rarest = min(plan.words, key=lambda unit: look.words.get(unit.text, 0))
    return replace(plan, relaxed=True, kept=rarest.text)


def left_out(plan: TextPlan, hit: Mapping[str, Any]) -> list[str]:
    """Of the words of a relaxed plan those that a hit does not hold, as typed."""
    held = hit.get("matched_queries") or ()
    words = dict.fromkeys(unit.text for unit in plan.words)
    return [word for word in words if f"{HOLDS}{word}" not in held]


def diagnosis_of(plan: TextPlan, look: Look, filters: list[Filter]) -> dict[str, Any]:
    """Why nothing was found, and what would bring results back: the search without a filter, or
    with another text (then the parameter is `q`, and its value what to type)."""
    guilty = [one for one in filters if look.without.get(one.parameter)]
    guilty.sort(key=lambda one: -look.without[one.parameter])
    ways = [one for one in zip(looser_texts(plan), look.looser, strict=True) if one[1]]
    said = [
        f"« {unit.text} » ({unit.understood.label})"
        for unit in plan.units
        if unit.understood is not None and look.words.get(unit.text) == 0
    ]
    if guilty:
        count = look.without[guilty[0].parameter]
        sentence = f"Le filtre « {guilty[0].label} » écarte tout : sans lui, {_results(count)}."
    elif ways:
        (way, count), *_ = ways
        sentence = f"{way.reason} : {way.label}, {_results(count)}."
    elif filters and look.text:
        sentence = (
            f"Les filtres choisis écartent tout ensemble : sans aucun, {_results(look.text)}."
        )
    elif look.silent:
        sentence = "Rien à chercher dans ce texte : écrivez au moins un mot."
    elif look.unknown:
        unknown = " ni ".join(f"« {word} »" for word in look.unknown)
        sentence = f"Aucune publication ne contient {unknown} : vérifiez l’orthographe."
    elif said:
        sentence = f"Aucune publication ne correspond à {' ni à '.join(said)} : ôtez-le."
    elif len(look.words) > 1:
        sentence = "Chaque mot se trouve, mais aucune publication ne les réunit : ôtez-en un."
    else:
        sentence = "Aucune publication ne correspond : essayez d’autres mots."
    return {
        "sentence": sentence,
        "without": [
            *({**one.shown(), "count": look.without[one.parameter]} for one in guilty),
            *(
                {"parameter": "q", "value": way.text, "label": way.label, "count": count}
                for way, count in ways
            ),
        ],
        "without_filters": look.text,
        "words": [{"word": word, "count": count} for word, count in look.words.items()],
    }


def _results(count: int) -> str:
    return f"{count} résultat{'s' if count > 1 else ''}"


def as_written(folded: str, texts: list[str]) -> str:
    """A suggested word with the accents that the documents give it, where they do."""
    for text in texts:
        for word in re.findall(r"\w+", text):
            if fold_name(word) == folded:
                return str(word).lower()
    return folded


def _correctable(text: str) -> bool:
    return text.isalpha() and len(text) >= _SHORTEST_CORRECTED and not is_small(text)


def _splits(text: str) -> dict[int, Query]:
    """A long word cut in two: franchecomté is franche comté."""
    if not text.isalpha() or not 7 <= len(text) <= 30:
        return {}
    return {
        cut: {
            "multi_match": {
                "query": f"{text[:cut]} {text[cut:]}", "type": "phrase", "fields": list(EXACT)
            }
        }
        for cut in range(3, len(text) - 2)
    }  # fmt: skip


def _suggested(suggest: Mapping[str, Any]) -> dict[str, str]:
    """The best known word for each unknown one."""
    best: dict[str, tuple[float, int, str]] = {}
    for entries in suggest.values():
        for entry in entries:
            word = fold_name(entry["text"])
            most = 2 if len(word) >= _TWO_EDITS_FROM else 1
            for option in entry["options"]:
                if round((1 - option["score"]) * len(word)) > most:
                    continue
                rank = (round(option["score"], 3), option["freq"], option["text"])
                best[word] = max(best.get(word, rank), rank)
    return {word: rank[2] for word, rank in best.items()}
