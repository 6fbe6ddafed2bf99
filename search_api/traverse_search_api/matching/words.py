"""Which words of followed searches a document holds, as the index reads both. Pure.

A word is read once, when a search with it comes; a document once, when it changes. To ask
Elasticsearch for each word of ten thousand searches with each batch cost seconds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from traverse_schemas.documents.other_languages import OTHER_LANGUAGES, field_of
from traverse_search_api.text.fields import SEARCHED

FRENCH: Final = "fr"

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    FRENCH: SEARCHED,
    **{language: (field_of(language),) for language in OTHER_LANGUAGES},
}
"""The fields that are searched in each language."""

ANALYZERS: Final[Mapping[str, str]] = {
    FRENCH: "french_search",
    **{language: f"text_{language}" for language in OTHER_LANGUAGES},
}
"""How what is typed is read in each."""

Terms = Mapping[str, frozenset[str]]
"""What a text is to the index, by language."""


class Held:
    """The words that a document holds, by language; without those that ask for nothing."""

    __slots__ = ("_held", "_small")

    def __init__(self, held: Mapping[str, set[str]], small: Mapping[str, set[str]]) -> None:
        """`small` are the words that ask for nothing; a document has a language, or French alone,
        in `held`."""
        self._held = held
        self._small = small

    def words(self) -> set[str]:
        """All of them, and all that ask for nothing in one of its languages."""
        return set().union(*self._held.values(), *(self._small[name] for name in self._held))

    def french(self, words: frozenset[str]) -> bool:
        """Whether it holds all the words, read as French; those that ask for nothing leave
        everything in."""
        return words - self._small[FRENCH] <= self._held[FRENCH]

    def whole(self, words: frozenset[str]) -> bool:
        """Whether it holds all the words, read as one language; of another language than French
        something must be asked for."""
        if self.french(words):
            return True
        for language in self._held.keys() - {FRENCH}:
            asked = words - self._small[language]
            if asked and asked <= self._held[language]:
                return True
        return False


class WordBook:
    """The words that searches ask for, and what they are to the index."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._unread: set[str] = set()
        self._read: dict[str, Terms] = {}
        self._under: dict[str, dict[str, set[str]]] = {name: {} for name in FIELDS}
        self._small: dict[str, set[str]] = {name: set() for name in FIELDS}

    def ask(self, words: Iterable[str]) -> None:
        """A search with these words is followed."""
        for word in words:
            self._asked[word] += 1
            if word not in self._read:
                self._unread.add(word)

    def leave(self, words: Iterable[str]) -> None:
        """It is not any more."""
        for word in words:
            self._asked[word] -= 1
            if not self._asked[word]:
                del self._asked[word]
                self._forget(word)

    @property
    def unread(self) -> list[str]:
        """The words of which it is not known yet what they are to the index."""
        return sorted(self._unread)

    def __bool__(self) -> bool:
        return bool(self._asked)

    def learn(self, word: str, terms: Terms) -> None:
        """What a word is to the index; nothing where no search asks for it any more."""
        if word not in self._asked:
            return
        self._unread.discard(word)
        self._read[word] = terms
        for language, found in terms.items():
            if found:
                # The longest term: the rarest, as far as can be told.
                self._under[language].setdefault(_longest(found), set()).add(word)
            else:
                self._small[language].add(word)

    def held(self, terms: Terms) -> Held:
        """The words in a document with these terms."""
        found: dict[str, set[str]] = {}
        for language, present in {FRENCH: frozenset[str](), **terms}.items():
            under = self._under[language]
            found[language] = {
                word
                for term in present
                for word in under.get(term, ())
                if self._read[word][language] <= present
            }
        return Held(found, self._small)

    def _forget(self, word: str) -> None:
        self._unread.discard(word)
        for language, found in self._read.pop(word, {}).items():
            self._small[language].discard(word)
            if found:
                longest = _longest(found)
                under = self._under[language]
                under[longest].discard(word)
                if not under[longest]:
                    del under[longest]


def _longest(terms: frozenset[str]) -> str:
    return max(terms, key=lambda term: (len(term), term))
