"""The synonyms and acronyms that a search adds: `synonyms_fr.txt`, read and checked.

The file is in Solr's format (`a, b, c` or `a => a, b`). The search applies it when it builds a
query, so that it may change without a new index. The checks here are pure: they need no engine.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from traverse_schemas.errors import TraverseError
from traverse_schemas.french.word_lists import lines_of

_ELIDED: Final = re.compile(r"\b(?:[lmtnsjdc]|qu|jusqu|lorsqu|puisqu|quoiqu)['’]")
_ELIDED_WORD: Final = re.compile(r"^(?:[lmtnsjdc]|qu)['’]", re.IGNORECASE)
_DOTTED: Final = re.compile(r"\b(?:[a-z]\.){2,}")
_WORD: Final = re.compile(r"[a-z0-9]+")
_LONGEST_TERM: Final = 14  # words: the longest official name that an acronym stands for
_ACRONYM: Final = re.compile(r"(?=(?:[^A-Z]*[A-Z]){2})[A-Za-z]{2,}")
_LONG_ACRONYM: Final = 4  # letters from which a typed s may be its plural
_ALSO_A_WORD: Final = frozenset({"ami"})  # an acronym only in capitals: un ami, une AMI


class SynonymsError(TraverseError, ValueError):
    """The file of synonyms has faults; the sentence names the first lines to mend."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: any of `terms`, when typed, also finds all of `finds` (the terms' own words
    included). `line` counts from 1."""

    line: int
    terms: tuple[str, ...]
    finds: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The entry in Solr's format."""
        if self.terms == self.finds:
            return ", ".join(self.terms)
        return f"{', '.join(self.terms)} => {', '.join(self.finds)}"


def parse(text: str) -> tuple[Entry, ...]:
    """The entries of a file; comments (#) and blank lines are passed over. Refuses nothing."""
    entries = []
    for line in lines_of(text):
        terms = _terms(line.left)
        entries.append(Entry(line.number, terms, _terms(line.right) if line.arrow else terms))
    return tuple(entries)


def faults(entries: tuple[Entry, ...]) -> list[str]:
    """What is wrong with the entries, one French sentence each; [] when all is well.

    A term may stand on the left of one entry only, plurals and feminines apart: otherwise two
    groups of meanings would run into one another without anybody having decided so.
    """
    found: list[str] = []
    owner: dict[str, int] = {}
    for entry in entries:
        found += _own_faults(entry)
        for key in dict.fromkeys(key_of(term) for term in entry.terms):
            first = owner.setdefault(key, entry.line)
            if first != entry.line:
                found.append(
                    f"Ligne {entry.line} : « {key.removeprefix(_SIGN)} » est déjà à gauche de la "
                    f"ligne {first}."
                )
    return found


_SIGN: Final = "="
"""Before the key of an acronym."""


def key_of(term: str) -> str:
    """What a term of a list is filed under: `conflate`, or an acronym's own letters. CAF is not
    café, nor PLUi pluie."""
    return f"{_SIGN}{term.lower()}" if _ACRONYM.fullmatch(term) else conflate(term)


def keys_of(typed: str) -> tuple[str, ...]:
    """What words that somebody typed may be filed under: as an acronym first, if they may be one
    (`l'AMO`, `a.m.o.`, `EHPADs`), then conflated. () when nothing of them is left."""
    key = conflate(typed)
    if not key:
        return ()
    if " " in typed:
        return (key,)
    bare = _ELIDED_WORD.sub("", typed.strip(".,;:!?()")).replace(".", "")
    folded = bare.lower()
    if not (bare.isascii() and bare.isalpha()) or (folded in _ALSO_A_WORD and not bare.isupper()):
        return (key,)
    forms = [folded]
    if bare.endswith("s") and (len(bare) > _LONG_ACRONYM or bare[:-1].isupper()):
        forms.append(folded[:-1])
    return (*(f"{_SIGN}{form}" for form in forms), key)


def conflate(term: str) -> str:
    """What is left of a term when accents, case, elisions, hyphens, dots and plurals do not matter.

    Coarser than the engine's stemmer on purpose: two terms that it would merge are merged here.
    """
    plain = unicodedata.normalize("NFKD", term.replace("œ", "oe").replace("Œ", "OE").lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _DOTTED.sub(lambda acronym: acronym[0].replace(".", ""), plain)
    return " ".join(_stem(word) for word in _WORD.findall(_ELIDED.sub(" ", plain)))


@cache
def product_entries() -> tuple[Entry, ...]:
    """The entries of the product's file, checked. Raises SynonymsError."""
    text = Path(__file__).with_name("synonyms_fr.txt").read_text(encoding="utf-8")
    entries = parse(text)
    wrong = faults(entries)
    if wrong:
        raise SynonymsError("Le fichier synonyms_fr.txt est à corriger : " + " ".join(wrong[:5]))
    return entries


def _terms(side: str) -> tuple[str, ...]:
    return tuple(" ".join(term.split()) for term in side.split(","))


def _own_faults(entry: Entry) -> list[str]:
    found = []
    where = f"Ligne {entry.line} :"
    for side in {entry.terms, entry.finds}:
        keys = [conflate(term) for term in side]
        if not all(keys):
            found.append(f"{where} un terme est vide ou sans lettre ni chiffre.")
        if len(set(side)) < len(side):
            found.append(f"{where} un terme est écrit deux fois.")
        if any(len(key.split()) > _LONGEST_TERM for key in keys):
            found.append(f"{where} un terme a plus de {_LONGEST_TERM} mots.")
        if any("=>" in term or "\\" in term for term in side):
            found.append(f"{where} « => » et « \\ » ne vont pas dans un terme.")
    missing = [term for term in entry.terms if term not in entry.finds]
    if missing:
        found.append(f"{where} « {missing[0]} » ne se trouverait plus lui-même.")
    if len(set(entry.finds)) < 2:
        found.append(f"{where} il faut au moins deux termes.")
    return found


def _stem(word: str) -> str:
    if len(word) < 4:
        return word
    word = word.rstrip("sx")
    word = word.removesuffix("e")
    return re.sub(r"(.)\1", r"\1", word)
