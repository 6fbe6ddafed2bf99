"""Words of a search next to each other, as those who read them need them: folded, and around."""

from collections.abc import Sequence
from typing import Final

from traverse_schemas.french.analysis import STOP_WORDS
from traverse_schemas.french.synonyms import conflate, keys_of
from traverse_schemas.reference.names import fold_name

SMALL: Final = frozenset(STOP_WORDS)
"""Words that ask for nothing."""

_ELISIONS: Final = ("d'", "l'", "d’", "l’")
# "Entreprise de nettoyage" looks for cleaning; no buyer calls it so.
_WHO: Final = frozenset({"entreprise", "entreprises", "societe", "societes", "prestataire",
                         "prestataires", "fournisseur", "fournisseurs"})  # fmt: skip
_OF: Final = ("de", "d'", "d’", "en", "du")
_KINDS_OF_FIRM: Final = frozenset({"insertion", "economie", "interim", "chasse", "projet"})
_TOWN_HALLS: Final = frozenset({"mairie", "commune", "ville", "ccas", "agglomeration"})
_CALLS: Final = frozenset({"offres", "projets", "consultation", "consultations", "subventions",
                           "aides", "concours"})  # fmt: skip


class Words:
    """The words of a search, folded once: a text of five hundred has thousands of expressions."""

    def __init__(self, typed: Sequence[str]) -> None:
        self.typed = list(typed)
        self.keys = [conflate(word) for word in typed]
        self.own_keys = [keys_of(word) for word in typed]
        self.names = [fold_name(word) for word in typed]
        self.bare = [fold_name(without_elision(word)) for word in typed]
        lettered = [word for word in typed if any(char.isalpha() for char in word)]
        shouted = len(lettered) > 1 and all(word.isupper() for word in lettered)
        # In a text that is all capitals they say nothing, nor on an article.
        self.capitals = [
            not shouted and name not in SMALL and without_elision(word)[:1].isupper()
            for word, name in zip(typed, self.names, strict=True)
        ]
        self.digits = [any(char.isdigit() for char in word) for word in typed]


class Span:
    """Some of the words, next to each other; `understood_to` is where the last of what
    was understood in front of them ends (-1: nothing was)."""

    def __init__(self, words: Words, start: int, end: int, understood_to: int = -1) -> None:
        self.words, self.start, self.end, self.understood_to = words, start, end, understood_to
        self.length = end - start
        self.typed = words.typed[start:end]
        self.text = " ".join(self.typed)
        self.key = " ".join(filter(None, words.keys[start:end]))
        self.keys = (self.key,) if self.length > 1 else words.own_keys[start]
        """What lists may hold it under (`synonyms.keys_of`)."""
        self.name = " ".join(words.names[start:end])
        """As `names.fold_name` has it."""

    @property
    def place_names(self) -> tuple[str, ...]:
        """As they are (l'Isle-d'Abeau), then without the elision in front (d'Annecy)."""
        bare = self.words.bare[self.start]
        if bare == self.words.names[self.start]:
            return (self.name,)
        return self.name, " ".join((bare, *self.words.names[self.start + 1 : self.end]))

    @property
    def has_digit(self) -> bool:
        """Whether there is one in it."""
        return any(self.words.digits[self.start : self.end])

    @property
    def before(self) -> str:
        """The word in front, folded."""
        return self.words.names[self.start - 1] if self.start else ""

    @property
    def words_before(self) -> list[str]:
        """The three words in front, folded."""
        return self.words.names[max(0, self.start - 3) : self.start]

    @property
    def after(self) -> str:
        """The word behind, folded."""
        return self.words.names[self.end] if self.end < len(self.words.names) else ""

    @property
    def capital(self) -> bool:
        """Whether its noun has one that says something."""
        return any(self.words.capitals[self.start : self.end])

    @property
    def is_acronym(self) -> bool:
        """Whether its last word is in capitals, as those of a shouted text are too."""
        return without_elision(self.typed[-1]).isupper()

    @property
    def follows_town_hall(self) -> bool:
        """Whether it stands where a commune's name does: mairie de tours, mairie d'orange, mairie
        du luc."""
        names, bare = self.words.names, self.words.bare[self.start]
        before = self.start - 1
        if before >= 1 and names[before] in ("de", "d", "du", "des"):
            before -= 1
        elif bare == names[self.start] and bare not in ("du", "des"):
            return False
        return before >= 0 and names[before] in _TOWN_HALLS

    @property
    def follows_call(self) -> bool:
        """Whether it may say of what was understood that it is open."""
        ends = self.understood_to >= 0 and self.end == len(self.words.typed)
        return ends or self.understood_to == self.start or self.before in _CALLS

    @property
    def is_who(self) -> bool:
        """The first word of "entreprise de nettoyage"."""
        if self.start or self.length > 1 or self.words.names[0] not in _WHO:
            return False
        following = self.words.typed[1].lower() if len(self.words.typed) > 1 else ""
        of = following in _OF or following.startswith(_OF[1:3])
        return of and _KINDS_OF_FIRM.isdisjoint(self.words.bare[1:3])

    def part(self, start: int, end: int) -> "Span":
        """The words of it from one to before another."""
        return Span(self.words, self.start + start, self.start + end)


def without_elision(word: str) -> str:
    return word[2:] if word[:2].lower() in _ELISIONS else word
