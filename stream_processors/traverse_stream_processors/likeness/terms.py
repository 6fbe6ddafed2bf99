"""Terms: a text as likeness reads it, the way the index does: elisions, accents, stems. Pure.

The stems are those of Snowball's French algorithm (Porter), a little stronger than the index's
light ones: "rénover" and "rénovation" are one term, which is what nearness of meaning wants.
"""

import re
from functools import lru_cache
from typing import Final

import Stemmer

from traverse_schemas.french.analysis import STOP_WORDS
from traverse_stream_processors.linking.words import fold

_STEMMER: Final = Stemmer.Stemmer("french")
_WORD: Final = re.compile(r"\b[a-z]{2,}\b")
# What titles hold without meaning anything by it: who buys, and that it is a purchase.
_FILLERS: Final = """
    numero consultation prestation prestations objet present presente relatif relative concernant
    lot lots no num tranche marche marches accord cadre mapa ht ttc type divers diverses
    appel appels projet projets offre offres avis programme besoin besoins candidature candidatures
    commune communes communal communale communaux communales municipal municipale municipaux
    municipales collectivite collectivites departement departemental departementale departementaux
    departementales region regional regionale regionaux regionales ville villes
"""
_SKIPPED: Final = frozenset(map(fold, STOP_WORDS)) | frozenset(_FILLERS.split())
LONGEST: Final = 1000
"""Characters that are read of a text: its beginning says what it is about."""


def words_of(text: str) -> list[str]:
    """The folded words of a text in their order, without small words, numbers and codes.

    `"Réfection de l'école n° 12"` -> `["refection", "ecole"]`.
    """
    return [word for word in _WORD.findall(fold(text[:LONGEST])) if word not in _SKIPPED]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The term of a folded word."""
    found: str = _STEMMER.stemWord(word)
    return found


def terms_of(text: str) -> list[str]:
    """The terms of a text in their order, repeats kept."""
    return [stem(word) for word in words_of(text)]
