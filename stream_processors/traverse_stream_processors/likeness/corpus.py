"""Corpus: the passages that likeness learns from. Pure.

A passage is a short text whose words speak of one thing: a title, a sentence, a label. The CPV
codes and themes of a record go with its words as labels: that is what teaches that "voirie" and
"routes" are near though no title holds both.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Final, NamedTuple

from traverse_schemas.french.synonyms import parse
from traverse_schemas.reference.cpv import cpv_table
from traverse_schemas.reference.theme_words import WORDS
from traverse_schemas.reference.themes import theme_of_cpv
from traverse_schemas.values.cpv import cpv_ancestors
from traverse_stream_processors.likeness.terms import terms_of

LABEL: Final = "#"
"""What a label begins with; no word of a text does."""

_MOST_TERMS = 30  # a passage that is longer speaks of several things
_SENTENCES = 4  # of a description
_CODES = 3  # of a record: one with more codes is about many things


class Passage(NamedTuple):
    """Terms and labels that occur together, in order and without repeats; `weight` is how often
    it counts."""

    terms: tuple[str, ...]
    weight: int = 1


def passages_of(content: Mapping[str, Any]) -> Iterator[Passage]:
    """The passages of a record's enriched content (`document.Content`): its title and the first
    sentences of its description, each with the record's labels; the title with the words of its
    CPV codes."""
    labels = _labels(content.get("cpv", ())[:_CODES], content.get("themes", ()))
    title = terms_of(content["title"])
    if title:
        yield _passage((*title, *labels))
        words = [term for label in content.get("cpv_labels", ())[:4] for term in terms_of(label)]
        if words:
            yield _passage((*title, *words))
    description = content.get("description", "")[:2000]
    for sentence in description.replace("\n", ". ").split(". ")[:_SENTENCES]:
        terms = terms_of(sentence)
        if len(terms) > 2:
            yield _passage((*terms, *labels))


def base_passages() -> Iterator[Passage]:
    """What is known before any record: the CPV's French labels with the codes above them, the
    synonyms that the search uses, the words of the themes, and words that are kin in this trade
    (`kin_fr.txt`)."""
    table = cpv_table()
    for code, label in table.items():
        above = cpv_ancestors(code)
        theme = theme_of_cpv(code)
        labels = _labels((code,), (theme,) if theme else ())
        terms = terms_of(label)
        yield _passage((*terms, *labels))
        if len(above) > 1 and above[1] in table:
            yield _passage((*terms, *terms_of(table[above[1]])))
    for word, theme in WORDS.items():
        yield _passage((*terms_of(word), f"{LABEL}{theme}"))
    for package, name, weight in (
        ("traverse_schemas.french", "synonyms_fr.txt", 3),
        ("traverse_stream_processors.likeness", "kin_fr.txt", 6),
    ):
        text = files(package).joinpath(name).read_text(encoding="utf-8")
        for entry in parse(text):
            sides = dict.fromkeys((*entry.terms, *entry.finds))
            words = [terms_of(side) for side in sides]
            for position, first in enumerate(words):
                for second in words[position + 1 :]:
                    yield _passage((*first, *second), weight)


def _labels(codes: Any, themes: Any) -> list[str]:
    levels = [level for code in codes for level in cpv_ancestors(code)]
    return [LABEL + level for level in dict.fromkeys(levels)] + [LABEL + theme for theme in themes]


def _passage(terms: tuple[str, ...], weight: int = 1) -> Passage:
    return Passage(tuple(dict.fromkeys(terms))[:_MOST_TERMS], weight)
