"""Central purchasing bodies (centrales d'achat): who they are, and what is bought by one. Pure.

Who buys by one has no call of its own to let (Code de la commande publique, art. L.2113-4), and a
body that buys for all France is no neighbour: neither makes a groupement de commandes.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from traverse_stream_processors.linking.words import fold

_UGAP: Final = "776056467"  # as the DECP name it, where others give no names
_KNOWN: Final = (
    r"ugap\b|union des groupements d.achats? publics?|resah\b|reseau des acheteurs hospitaliers"
    r"|uniha\b|caih\b|centrale d.achat du numerique"
)
_ANY: Final = rf"{_KNOWN}|canut\b|centrales? d.achats?"
_HOLDER: Final = re.compile(rf"\b(?:{_KNOWN})|^(?:la )?canut$")
_OWNER: Final = re.compile(rf"\b(?:{_KNOWN}|centrales? d.achats?)|^(?:la )?canut$")
_THROUGH: Final = re.compile(
    r"\b(?:via|par|aupres d[eu]|recours a|adhesion a|catalogue d[eu]?|(?:marche|accord.cadre|"
    rf"convention) (?:d[eu]?|avec)).{{0,2}}\s?(?:l[ae]?.|une? )?(?:gip )?(?:{_ANY})"
    rf"|\((?:{_ANY})\)"
)
_HINTS: Final = ("ugap", "resah", "reseau des acheteurs", "uniha", "caih", "canut", "centrale",
                 "groupements d")  # fmt: skip
_NOT_SO: Final = re.compile(r"\b(?:sans|hors|pas|ni|ne|plus|que|ou|soit|si)\b[^.;]*$")
_BEFORE: Final = 30  # characters before, in which a word takes it back


def by_central_body(content: Mapping[str, Any], holders: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a record says that a central purchasing body buys, or sells, what it tells of: its
    owner is one, one of those who hold the contract is, or its words say "via l'UGAP"."""
    owner = next(one for one in content["institutions"] if one["role"] == "owner")
    if content.get("owner_siren") == _UGAP or _names(owner["name"], _OWNER):
        return True
    if any(_is_known(one) for one in holders):
        return True
    return _says_so(content["title"]) or _says_so(content.get("description", ""))


def _is_known(holder: Mapping[str, Any]) -> bool:
    """Firms call themselves centrales d'achat too: of who holds a contract, names count alone."""
    number = "".join(str(holder.get("id") or "").split())
    return number.startswith(_UGAP) or _names(holder.get("name") or "", _HOLDER)


@lru_cache(maxsize=20_000)
def _names(name: str, pattern: re.Pattern[str]) -> bool:
    return pattern.search(fold(name)) is not None


def _says_so(text: str) -> bool:
    folded = fold(text)
    if not any(hint in folded for hint in _HINTS):
        return False  # nearly all
    return any(
        _NOT_SO.search(folded[max(0, found.start() - _BEFORE) : found.start()]) is None
        for found in _THROUGH.finditer(folded)
    )
