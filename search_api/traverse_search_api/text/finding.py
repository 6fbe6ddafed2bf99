"""What the words of a search find: each unit, phrase and beginning, in whichever field. Pure.

A unit is a word, another word for the same, or what it was understood as.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from traverse_schemas.documents.index_mapping import WORDS
from traverse_schemas.documents.indexed import OWNER_NAME, REFERENCE_KEYS, caseless
from traverse_schemas.documents.other_languages import OTHER_LANGUAGES, field_of
from traverse_search_api.text.fields import EXACT, MOST_TOGETHER, PHRASE, SUBJECT
from traverse_search_api.text.plan import TextPlan, is_small, others_of
from traverse_search_api.words.typed_words import How, Piece
from traverse_search_api.words.units import Understood, Unit

Query = dict[str, Any]

_FOUND_BOOST: Final = 0.25
_PLACE_BOOST: Final = 4.0
_MEANT_BOOST: Final = 60.0
_SAID_BOOST: Final = 0.4

HOLDS: Final = "holds:"
"""Before a word of a relaxed search: the name by which a hit tells that it holds it."""

_MOST_JOINED: Final = 6  # pairs of words tried as one word


def required(plan: TextPlan) -> Iterator[Query]:
    """What a document must hold: each of these; of a relaxed plan enough of its words."""
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
    return piece_query(piece)


def piece_query(piece: Piece) -> Query:
    """A piece of text without other words for it."""
    if piece.field is not None:
        return _in_field(piece)
    match piece.how:
        case How.PHRASE:
            return _phrase(piece.text)
        case How.BEGINNING:
            return _beginning(piece.text)
        case How.WORD:
            return {"match": {WORDS: {"query": piece.text, "operator": "and"}}}


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
                        "fields": list(SUBJECT),
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
    texts = (unit.text, *others_of(unit))
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
    return {"match_phrase": {WORDS: {"query": text, "analyzer": PHRASE, "boost": _FOUND_BOOST}}}


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
        "match": {
            WORDS: {
                "query": words,
                "operator": "and",
                # "de la" asks for nothing in particular.
                "zero_terms_query": "all",
                "boost": _FOUND_BOOST,
            }
        }
    }


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
            return {how: {REFERENCE_KEYS: caseless(text)}}
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
