"""What people type in `q`, taken apart. Never an error: whatever does not parse is a word.

école numérique          all words count
"groupe scolaire"        these words, in this order, in this form (« » and “ ” too)
-piscine  -"hors lot"    not these
rénov*                   words that begin so
"""

import re
from dataclasses import dataclass
from typing import Final

_QUOTES: Final = str.maketrans("«»“”„‟", '""""""')
_PART: Final = re.compile(
    r"""
    (?P<minus>(?<!\S)[-−–])?  # at the start of a word: Aix-en-Provence excludes nothing
    (?: "(?P<phrase>[^"]*)" | (?P<word>[^\s"]+) )
    """,
    re.VERBOSE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TypedWords:
    """`words` in the order typed; the others apart. Everything holds a letter or a digit."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    excluded_words: tuple[str, ...] = ()
    excluded_phrases: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything that can be searched for was typed."""
        return any((self.words, self.phrases, self.prefixes, self._excluded))

    @property
    def _excluded(self) -> tuple[str, ...]:
        return self.excluded_words + self.excluded_phrases


def read(text: str) -> TypedWords:
    """`text` as typed words. An unclosed quote is passed over; signs alone are nothing."""
    found: dict[str, list[str]] = {
        "words": [], "phrases": [], "prefixes": [], "excluded_words": [], "excluded_phrases": [],
    }  # fmt: skip
    for part in _PART.finditer(text.translate(_QUOTES)):
        minus = bool(part["minus"])
        phrase, word = part["phrase"], part["word"]
        if phrase is not None:
            _add(found["excluded_phrases" if minus else "phrases"], phrase)
        elif minus:
            _add(found["excluded_words"], word.rstrip("*"))
        elif word.endswith("*"):
            _add(found["prefixes"], word.rstrip("*"))
        else:
            _add(found["words"], word)
    return TypedWords(**{name: tuple(values) for name, values in found.items()})


def _add(values: list[str], text: str) -> None:
    text = " ".join(text.split())
    if any(char.isalnum() for char in text):
        values.append(text)
