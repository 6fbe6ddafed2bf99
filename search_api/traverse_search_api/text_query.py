"""The words of a search as an Elasticsearch query: which fields are searched, what ranks higher.

Finding is one thing, ranking another. Found is what holds every unit (a word, another word for
the same, or what it was understood as) in whichever field. Higher ranks what holds the words in
their very form, together, in the title.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from traverse_schemas.french import STOP_WORDS
from traverse_schemas.indexed import OWNER_NAME
from traverse_schemas.other_languages import OTHER_LANGUAGES, field_of
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_schemas.synonyms import conflate
from traverse_search_api.amount_words import joined_amounts
from traverse_search_api.synonym_book import Meanings
from traverse_search_api.typed_words import How, Piece, TypedWords, joined_numbers, read
from traverse_search_api.understanding import Reader, Understood, Unit

Query = dict[str, Any]

_WEIGHTS: Final = {
    "title": 4,
    "institutions.name": 2,
    "place_names": 2,
    "description": 1,
    "cpv_labels": 1,
    "holders.name": 1,
}
SEARCHED: Final = tuple(_WEIGHTS)
"""The fields in which words are found."""

STEMMED: Final = tuple(f"{name}^{weight}" for name, weight in _WEIGHTS.items())
_SUBJECT: Final = ("title.exact^4", "description.exact", "cpv_labels.exact")
EXACT: Final = tuple(f"{name}.exact^{weight}" for name, weight in _WEIGHTS.items())
# Without the stop words that the search leaves out: an expression is searched as it stands.
_PHRASE: Final = "french_index"
_FOUND_BOOST: Final = 0.25
_STEM_BOOST: Final = 2.0
_EXACT_BOOST: Final = 1.0
_TITLE_BOOST: Final = 1.0
_ALSO_BOOST: Final = 1.5
_PLACE_BOOST: Final = 4.0
_MEANT_BOOST: Final = 60.0
_SAID_BOOST: Final = 0.4
_REFERENCE_BOOST: Final = 50.0
_ELISION: Final = re.compile(r"\b(?:[ldjmtsnc]|qu)['’]", re.IGNORECASE)
_STOPS: Final = frozenset(STOP_WORDS)

HOLDS: Final = "holds:"
"""Before a word of a relaxed search: the name by which a hit tells that it holds it."""

# Elasticsearch bounds the depth and the clauses of a query.
MOST_TOGETHER: Final = 24  # words that are searched as one clause
_MOST_ALTERNATIVES: Final = 12  # other words for one unit
_MOST_WITH_OTHERS: Final = 24  # units that have other words: a text that is longer says enough
_MOST_JOINED: Final = 6  # pairs of words tried as one word


@dataclass(frozen=True, slots=True)
class TextPlan:
    """What was typed, read: `units` are its words; `whole` the text as typed; `either` are
    those of which one is enough, as units.

    `relaxed` lets some of the words be missing, but never `kept` (the rarest one, which is what
    the search is about) nor what was understood. `broad` ranks by the title alone (`breadth`).
    """

    typed: TypedWords
    units: tuple[Unit, ...]
    whole: str
    relaxed: bool = False
    kept: str = ""
    broad: bool = False
    either: Mapping[str, Unit] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.typed)

    @property
    def is_silent(self) -> bool:
        """Whether something was typed that asks for nothing: signs, or "de la"."""
        typed = replace(self.typed, words=())
        return bool(self.whole.strip()) and not self.meaningful and not typed

    @property
    def understood(self) -> tuple[Understood, ...]:
        """What words were understood as, in their order."""
        units = (*self.units, *self.either.values())
        return tuple(unit.understood for unit in units if unit.understood)

    @property
    def meaningful(self) -> tuple[Unit, ...]:
        """The units that ask for something: "de la" does not."""
        return tuple(unit for unit in self.units if not is_small(unit.text))

    @property
    def words(self) -> tuple[Unit, ...]:
        """The meaningful units that were not understood as something else than words."""
        return tuple(unit for unit in self.meaningful if unit.understood is None)

    @property
    def required(self) -> int:
        """How many of `words` a document must hold."""
        count = len(self.words)
        return max(1, count * 2 // 3) if self.relaxed else count


def in_one_piece(text: str) -> str:
    """The text with its numbers and amounts each in one word, as they are read."""
    return joined_amounts(joined_numbers(text))


def plan_of(
    text: str,
    territories: Territories,
    meanings: Meanings,
    as_of: datetime,
    literal: Sequence[str] = (),
) -> TextPlan:
    """`text` as typed, read. `literal` are expressions to be taken at their word, `*` for all."""
    typed = read(in_one_piece(text))
    taken = frozenset("*" if one == "*" else conflate(one) for one in literal)
    reader = Reader(territories, meanings, as_of, taken)
    either = {
        piece.text: unit
        for group in typed.either
        for piece in group
        if piece.how is How.WORD and piece.field is None
        for unit in reader.units((piece.text,))
    }
    return TextPlan(
        typed,
        tuple(_short(reader.units(typed.words))),
        text,
        either=dict(zip(either, _short(either.values()), strict=True)),
    )


def _short(units: Iterable[Unit]) -> Iterator[Unit]:
    """The units, the later ones without other words for them."""
    for at, unit in enumerate(units):
        yield unit if at < _MOST_WITH_OTHERS else replace(unit, also=())


def is_small(text: str) -> bool:
    """Whether a text is made of stop words alone."""
    return all(word in _STOPS for word in fold_name(text).split())


def text_query(plan: TextPlan) -> Query:
    """All units, phrases and beginnings must be found, each in whichever field; none excluded.

    A record's own reference, typed alone, also finds it.
    """
    typed = plan.typed
    if plan.is_silent:
        return {"match_none": {}}
    if not typed:
        return {"match_all": {}}
    required = list(_required(plan)) or [{"match_all": {}}]
    query: dict[str, Any] = {"filter" if plan.broad else "must": required}
    # Without synonyms: who excludes "mairie" did not speak of "hôtel de ville".
    excluded = [_piece(piece) for piece in typed.excluded]
    if excluded:
        query["must_not"] = excluded
    should = list(_by_title(plan) if plan.broad else _ranking(plan))
    if should:
        query["should"] = should
    if excluded:
        return {"bool": query}
    reference = {"term": {"references": {"value": plan.whole.strip(), "case_insensitive": True}}}
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
        *(
            other
            for unit in (*plan.either.values(), *plan.units)
            for other in unit.also[:_MOST_ALTERNATIVES]
        ),
    ]
    should += [
        {
            "multi_match": {
                "query": phrase, "type": "phrase", "fields": fields, "analyzer": _PHRASE
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


def _required(plan: TextPlan) -> Iterator[Query]:
    typed = plan.typed
    if plan.relaxed:
        yield from (unit_query(unit) for unit in plan.units if unit.understood)
        clauses = [
            {"bool": {"must": [unit_query(unit)], "_name": f"{HOLDS}{unit.text}"}}
            for unit in plan.words
        ]
        yield {"bool": {"should": clauses, "minimum_should_match": plan.required}}
        yield from (in_title(unit) for unit in plan.words if unit.text == plan.kept)
    else:
        yield from _units(plan.units)
    yield from (_phrase(phrase) for phrase in typed.phrases)
    yield from (_beginning(prefix) for prefix in typed.prefixes)
    for group in typed.either:
        yield {"bool": {"should": [_one_of(piece, plan) for piece in group]}}
    yield from (_in_field(piece) for piece in typed.fields)


def _one_of(piece: Piece, plan: TextPlan) -> Query:
    if piece.field is None and piece.how is How.WORD:
        return unit_query(plan.either[piece.text])
    return _piece(piece)


def _piece(piece: Piece) -> Query:
    """A piece of text without other words for it."""
    if piece.field is not None:
        return _in_field(piece)
    match piece.how:
        case How.PHRASE:
            return _phrase(piece.text)
        case How.BEGINNING:
            return _beginning(piece.text)
        case How.WORD:
            return {
                "multi_match": {"query": piece.text, "fields": list(STEMMED), "operator": "and"}
            }


def _units(units: Sequence[Unit]) -> Iterator[Query]:
    plain = [unit.text for unit in units if unit.plain]
    for start in range(0, len(plain), MOST_TOGETHER):
        yield _together(plain[start : start + MOST_TOGETHER])
    yield from (unit_query(unit) for unit in units if not unit.plain)


def _together(words: list[str]) -> Query:
    """All of the words; two neighbours may also stand as one word (total energies)."""
    whole = all_words(" ".join(words))
    joined = [_french_words(" ".join(each)) for each in joined_pairs(words)]
    return {"dis_max": {"queries": [whole, *joined]}} if joined else whole


def joined_pairs(words: Sequence[str]) -> Iterator[list[str]]:
    """The words with two neighbours as one, for each pair of a text that is not long."""
    if len(words) > _MOST_JOINED:
        return
    for at in range(len(words) - 1):
        first, second = words[at], words[at + 1]
        if min(len(first), len(second)) < 3 or is_small(first) or is_small(second):
            continue
        yield [*words[:at], first + second, *words[at + 2 :]]


def unit_query(unit: Unit) -> Query:
    """One unit: its own words, its other words, or what it means."""
    meant = unit.understood
    if meant is not None and not meant.soft:
        return {"bool": {"filter": [meant.query]}}
    others = [_expression(other) for other in others_of(unit)]
    if meant is not None and not meant.is_place:
        # The word's very form: "traiteur" has the stem of "traitement", "réservé" of "réservation".
        said = [_exactly(text) for text in (unit.text, *meant.words)]
        # Who is meant and says so ranks first, who is only meant next.
        return {"bool": {"should": [_meant(meant, _MEANT_BOOST), *said, *others]}}
    clauses = [all_words(unit.text), *others]
    if meant is not None:
        clauses.append(_meant(meant, _PLACE_BOOST))
    return clauses[0] if len(clauses) == 1 else {"dis_max": {"queries": clauses}}


def others_of(unit: Unit) -> tuple[str, ...]:
    """The other words for a unit that are searched."""
    return unit.also[:_MOST_ALTERNATIVES]


def _meant(meant: Understood, boost: float) -> Query:
    return {"constant_score": {"filter": meant.query, "boost": boost, "_name": meant.parameter}}


def _exactly(text: str) -> Query:
    """The words in their form, plural or singular, next to each other, where a record says what it
    is about: not in names of places or firms (a maçon is not Mâcon)."""
    return {
        "dis_max": {
            "queries": [
                {
                    "multi_match": {
                        "query": form,
                        "type": "phrase",
                        "fields": list(_SUBJECT),
                        "boost": _SAID_BOOST,
                    }
                }
                for form in forms_of(text)
            ]
        }
    }


def forms_of(text: str) -> tuple[str, ...]:
    """An expression, its plural and its singular where they are others: appel(s) à projet(s)."""
    forms = (text, *(" ".join(map(form, text.split())) for form in (_plural, _singular)))
    return tuple(dict.fromkeys(forms))


def _plural(word: str) -> str:
    if is_small(word) or not word[-1:].isalpha() or word.endswith(("s", "x", "z")):
        return word
    return f"{word}s"


def _singular(word: str) -> str:
    if is_small(word) or len(word) <= 4 or not word.endswith("s"):
        return word
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def in_title(unit: Unit) -> Query:
    """The unit in the title, or another word for it."""
    texts = (unit.text, *unit.also[:_MOST_ALTERNATIVES])
    return {
        "bool": {
            "filter": [
                {
                    "bool": {
                        "should": [
                            {"match": {"title": {"query": text, "operator": "and"}}}
                            for text in texts
                        ]
                    }
                }
            ]
        }
    }


def _expression(text: str) -> Query:
    """Another word for a unit; one of several words is found as a phrase in one field."""
    if is_one_word(text):
        return _french_words(text)
    return {
        "multi_match": {
            "query": text,
            "type": "phrase",
            "fields": list(STEMMED),
            "analyzer": _PHRASE,
            "boost": _FOUND_BOOST,
        }
    }


def is_one_word(text: str) -> bool:
    """Whether an expression is found wherever its word is, and not as a phrase."""
    return " " not in text and "-" not in text and "'" not in text


def all_words(words: str) -> Query:
    """All of the words, each in whichever field; or all in the language of a document that is not
    French. Of French documents this changes neither which are found nor their scores."""
    others: list[Query] = [
        {"match": {field_of(language): {"query": words, "operator": "and", "boost": _FOUND_BOOST}}}
        for language in OTHER_LANGUAGES
    ]
    return {"dis_max": {"queries": [_french_words(words), *others]}}


def _french_words(words: str) -> Query:
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


def _ranking(plan: TextPlan) -> Iterator[Query]:
    """What ranks higher: the words themselves over other words for them, their very forms over
    their stems, all of them together in the title over here and there."""
    words = _said(plan)
    forms = " ".join(basic_forms(words))
    if forms:
        yield {
            "multi_match": {
                "query": words,
                "fields": list(STEMMED),
                "boost": _STEM_BOOST,
                "_name": "words",
            }
        }
        yield {
            "match_phrase": {
                "title": {"query": forms, "slop": 3, "boost": _TITLE_BOOST, "_name": "title"}
            }
        }
        yield {
            "combined_fields": {
                "query": forms,
                "fields": list(EXACT),
                "operator": "or",
                "boost": _EXACT_BOOST,
                "_name": "exact",
            }
        }
    yield from _synonyms(plan)


def _by_title(plan: TextPlan) -> Iterator[Query]:
    """What ranks higher where very many are found: the words in the title, in their very form, and
    what was understood. One field costs a fifth of what all cost."""
    yield {"match_all": {}}  # the factor of what is open and near counts for the others too
    words = _said(plan)
    forms = " ".join(basic_forms(words))
    if forms:
        yield {"match": {"title": {"query": words, "boost": _STEM_BOOST, "_name": "words"}}}
        yield {"match": {"title.exact": {"query": forms, "boost": _EXACT_BOOST, "_name": "exact"}}}
    yield from _synonyms(plan)
    yield from (unit_query(unit) for unit in plan.units if unit.understood)


def _said(plan: TextPlan) -> str:
    """The words that rank: what was understood is ranked by its meaning; a place is a word
    besides."""
    said = [unit.text for unit in plan.units if not unit.understood or unit.understood.is_place]
    return " ".join(said[:MOST_TOGETHER])


def _synonyms(plan: TextPlan) -> Iterator[Query]:
    for unit in plan.units[:MOST_TOGETHER]:
        for other in unit.also[:_MOST_ALTERNATIVES]:
            yield {
                "match_phrase": {
                    "title": {"query": other, "analyzer": _PHRASE, "boost": _ALSO_BOOST,
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


def _phrase(phrase: str, fields: Sequence[str] = EXACT) -> Query:
    return {"multi_match": {"query": phrase, "type": "phrase", "fields": list(fields)}}


def _beginning(prefix: str, fields: Sequence[str] = EXACT) -> Query:
    return {
        "multi_match": {
            "query": prefix,
            "type": "bool_prefix",
            "operator": "and",
            "fields": list(fields),
        }
    }


_MATCHED: Final = {
    "owner": OWNER_NAME,
    "holder": "holders.name",
    "title": "title",
    "place": "place_names",
}


def _in_field(piece: Piece) -> Query:
    """A word, phrase or beginning in the one field that was named."""
    text, field = piece.text, piece.field
    digits = "".join(text.split())
    match field:
        case "cpv":
            code = text.partition("-")[0].strip()
            return {"term": {"cpv_within": code.ljust(8, "0")[:8]}}
        case "reference":
            how = "prefix" if piece.how is How.BEGINNING else "term"
            return {how: {"references": {"value": text, "case_insensitive": True}}}
        case "owner" if digits.isdigit() and len(digits) in (9, 14):
            return {"term": {"owner_siren": digits[:9]}}
        case "holder" if digits.isdigit() and len(digits) in (9, 14):
            return {"prefix": {"holders.id": digits}}
    name = _MATCHED[field or ""]
    match piece.how:
        case How.PHRASE:
            return _phrase(text, [f"{name}.exact"])
        case How.BEGINNING:
            return _beginning(text, [f"{name}.exact"])
        case How.WORD:
            return {"match": {name: {"query": text, "operator": "and"}}}
