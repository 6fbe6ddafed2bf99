"""Records in other languages than French: which are read by their own analysis, and how.

A document in one of these languages keeps its title and description, read as French like all
others, and has all its words once more in `texts.LANGUAGE`, where they are read as that language.
French documents have no such field: they cost what they cost before, and score the same.

A language more is a line here and its stemmer in the local engine's plugin. These are the ones that
occur as the only language of notices of French buyers; where a notice speaks French too, its French
is shown.
"""

from collections.abc import Mapping
from typing import Any, Final

_BEFORE: Final = ["french_characters"]  # typographic signs are the same everywhere
_ANALYZERS: Final[dict[str, list[str]]] = {
    # Umlauts before accents: ü, ue and u are one in German (Lucene's GermanNormalizationFilter).
    "de": ["lowercase", "german_stop", "german_normalization", "asciifolding", "german_stemmer"],
    "en": ["english_possessive", "lowercase", "english_stop", "asciifolding", "english_stemmer"],
}

OTHER_LANGUAGES: Final = tuple(_ANALYZERS)
"""ISO 639-1 codes, as `language` of a document has them."""

TEXTS: Final = "texts"
"""The field of a document in the index that is there for the search alone."""


def field_of(language: str) -> str:
    """The field that holds the words of documents in this language."""
    return f"{TEXTS}.{language}"


def mapping() -> dict[str, Any]:
    """The mapping of these fields, by the name of the field that holds them."""
    fields = {
        # Words are counted; where they stand is not asked for: `title.exact` has the phrases.
        language: {"type": "text", "analyzer": f"text_{language}", "index_options": "freqs"}
        for language in OTHER_LANGUAGES
    }
    return {TEXTS: {"properties": fields}}


def analysis() -> dict[str, Any]:
    """What the `analysis` of the index settings has besides that of `french.py`."""
    return {
        "filter": {
            "german_stop": {"type": "stop", "stopwords": "_german_"},
            "german_stemmer": {"type": "stemmer", "language": "light_german"},
            "english_possessive": {"type": "stemmer", "language": "possessive_english"},
            "english_stop": {"type": "stop", "stopwords": "_english_"},
            "english_stemmer": {"type": "stemmer", "language": "english"},
        },
        "analyzer": {
            f"text_{language}": {
                "tokenizer": "standard", "char_filter": _BEFORE, "filter": filters,
            }
            for language, filters in _ANALYZERS.items()
        },
    }  # fmt: skip


def texts_of(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What the index holds of a document besides: nothing, or its words in its own language.

    Labels of CPV codes are French whatever the document speaks, and stay out of it.
    """
    language = document.get("language")
    if language not in _ANALYZERS:
        return {}
    words = [
        document["title"],
        document.get("description", ""),
        *(one["name"] for one in document["institutions"]),
        *(one["name"] for one in document.get("holders", ()) if one.get("name")),
        *document["place_names"],
    ]
    return {TEXTS: {language: "\n".join(filter(None, words))}}
