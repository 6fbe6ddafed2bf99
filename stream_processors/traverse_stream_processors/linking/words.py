"""Words: a title as linking compares it: folded, without grammar, plurals joined. Pure."""

import re
import unicodedata
from functools import lru_cache
from sys import intern
from typing import Final

_ACCENTS: Final = {
    code: "".join(
        char for char in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(char)
    )
    for code in range(0xC0, 0x180)
} | {ord("œ"): "oe", ord("æ"): "ae", ord("Œ"): "oe", ord("ß"): "ss"}
_COMMON: Final = tuple((char, _ACCENTS[ord(char)]) for char in "éèàêçôîâûœ")
_WORD: Final = re.compile(r"[a-z]+|[0-9]+")
_YEAR: Final = re.compile(r"(?<![0-9])20[0-4][0-9](?![0-9])")
_NUMERALS_TO_XX: Final = """
    i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx
"""
_ROMAN: Final = {text: number for number, text in enumerate(_NUMERALS_TO_XX.split(), start=1)}
_NUMBER_SIGN: Final = r"[^a-z0-9]{0,3}(?:n[o°º]?[^a-z0-9]{0,3})?"
_ENDS: Final = r"(?![a-z0-9'’]|[-.][a-z])"  # not what an elision, a compound or initials begin with
_NUMERALS: Final = f"(?:{'|'.join(sorted(_ROMAN, key=len, reverse=True))}){_ENDS}"
_LOT: Final = re.compile(
    rf"\blots?{_NUMBER_SIGN}([0-9]{{1,4}}(?![0-9])(?:[a-z]{_ENDS})?|{_NUMERALS}"
    # A letter; one that is also a word of its own, or what an elision leaves, only before a break.
    rf"|[bcefghkopqruvwxz]{_ENDS}|[adjlmnty]{_ENDS}(?=\s*(?:[-–—:;,.)/]|$)))"
)
_PHASE: Final = re.compile(rf"\b(tranche|phase)s?{_NUMBER_SIGN}([0-9]{{1,2}}(?![0-9])|{_NUMERALS})")

_GRAMMAR: Final = """
    a ainsi au aux avec ce ces cette d dans de des dont du elle en entre est et il ils j l la le
    les leur leurs lors m n ne nos notre on ou par pour qu que qui s sa se ses si son sont sous sur
    t un une vers y afin no num
"""

_FILLERS: Final = """
    accord achat acquisition appel avis cadre commande commune communal concernant concession
    consultation contrat execution fourniture general groupement livraison lot marche mairie
    mise mission objet offre operation oeuvre place prestation present procedure programme projet
    public realisation relatif relative service site subsequent titre tranche travail travaux type
    ville divers diver different besoin compte
"""
# Words that half of all titles hold: alike in these, two titles say little.

FILLER_WEIGHT: Final = 0.25


def fold(text: str) -> str:
    """Lower case without accents and ligatures; the rest as it is."""
    lower = text.lower()
    if lower.isascii():
        return lower
    for accented, plain in _COMMON:  # a table is looked up for every character, these are not
        lower = lower.replace(accented, plain)
    return lower if lower.isascii() else lower.translate(_ACCENTS)


@lru_cache(maxsize=50_000)
def name_of(name: str) -> str:
    """The words of an institution's name, folded, sorted: the same however it is written."""
    return intern(" ".join(sorted(words_of(fold(name)))))


def words_of(folded: str) -> frozenset[str]:
    """The words of a folded text, plurals and final e joined, without grammar; numbers stay."""
    found = set()
    for word in _WORD.findall(folded):
        if word not in _SKIPPED:
            found.add(_stem(word))
    return frozenset(found)


def _stem(word: str) -> str:
    if word[0] <= "9":
        return word.lstrip("0") or "0"
    if len(word) > 3 and word[-1] in "sx":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def telling(words: frozenset[str]) -> frozenset[str]:
    """The words that say more than that this is a title."""
    return words - _FILLER_STEMS


def _weight(words: frozenset[str]) -> float:
    """How much the words say together."""
    return len(words) - (1 - FILLER_WEIGHT) * len(words & _FILLER_STEMS)


def likeness(left: frozenset[str], right: frozenset[str]) -> float:
    """How alike two sets of words are, 0 to 1: weighted Jaccard; a title that holds the whole of
    a shorter one of some length counts nearly as much."""
    if left == right:
        return 1.0 if left else 0.0
    shared = left & right
    if not shared:
        return 0.0
    common, mine, theirs = _weight(shared), _weight(left), _weight(right)
    jaccard = common / (mine + theirs - common)
    shorter = min(mine, theirs)
    inside = 0.85 * common / shorter if shorter >= 3 else 0.0
    return max(jaccard, inside)


def lots_of(folded: str) -> tuple[str, ...]:
    """The lots that a title names, by number or letter: `lot n°3`, `LOT3`, `lot II`, `lot B`,
    `lot 2a`; sorted."""
    if "lot" not in folded:
        return ()
    numbers = {_lot(found) for found in _LOT.findall(folded)}
    return tuple(sorted(number for number in numbers if number))


def phases_of(folded: str) -> tuple[str, ...]:
    """The stages of an operation that a title numbers: `tranche 1`, `phase 2`; sorted."""
    if "tranche" not in folded and "phase" not in folded:
        return ()
    return tuple(sorted({f"{what} {_lot(number)}" for what, number in _PHASE.findall(folded)}))


def years_of(folded: str) -> tuple[int, ...]:
    """The years that a title names, 2000 to 2049; sorted."""
    return tuple(sorted({int(year) for year in _YEAR.findall(folded)}))


def without_lot(folded: str) -> str:
    """The title without its lot number."""
    return _LOT.sub(" ", folded) if "lot" in folded else folded


def _lot(found: str) -> str:
    number = _ROMAN.get(found)
    return str(number) if number else found.lstrip("0")


_SKIPPED: Final = frozenset(_GRAMMAR.split())
_FILLER_STEMS: Final = frozenset(map(_stem, _FILLERS.split()))
