"""The themes of Traverse: some twenty words of everyday work, derived from CPV codes or from text.

They are ours: no standard classes projects, calls and needs together. A record has those its
publisher names, else those of its CPV codes, else those of its words.
"""

from collections.abc import Iterable
from functools import lru_cache
from types import MappingProxyType

from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.theme_cpv import THEME_OF_CPV
from traverse_schemas.reference.theme_words import WORDS

THEMES = MappingProxyType(
    {
        "voirie": "Voirie et mobilités",
        "transport": "Transports et véhicules",
        "batiment": "Bâtiment et travaux",
        "eau": "Eau et assainissement",
        "dechets": "Déchets et économie circulaire",
        "energie": "Énergie et climat",
        "numerique": "Numérique et télécoms",
        "education": "Éducation et petite enfance",
        "alimentation": "Restauration et alimentation",
        "sante": "Santé et action sociale",
        "culture": "Culture et patrimoine",
        "sport": "Sport et loisirs",
        "tourisme": "Tourisme et événements",
        "nature": "Espaces verts et biodiversité",
        "risques": "Sécurité et prévention des risques",
        "emploi": "Emploi et formation",
        "economie": "Développement économique",
        "habitat": "Urbanisme, foncier et habitat",
        "etudes": "Ingénierie et études",
        "services": "Services aux organisations",
        "proprete": "Propreté et entretien",
        "fournitures": "Fournitures et équipements",
    }
)
"""slug -> French label. A slug never changes: searches and subscriptions name it."""

_MOST = 3


@lru_cache(maxsize=20_000)
def theme_of_cpv(code: str) -> str | None:
    """The theme of an 8-digit CPV code, by its longest prefix in the table; None when none fits."""
    for length in range(min(len(code), 8), 1, -1):
        theme = THEME_OF_CPV.get(code[:length])
        if theme is not None:
            return theme
    return None


def themes_of_cpv(code: str) -> tuple[str, ...]:
    """The themes of an 8-digit CPV code, as slugs: one, or none."""
    theme = theme_of_cpv(code)
    return () if theme is None else (theme,)


def themes_of_text(text: str) -> tuple[str, ...]:
    """The themes that a text's words tell, as slugs (see `themes_of_words`).

    Takes a title and a description as they are written. About 1 microsecond a word.
    """
    return themes_of_words(fold_name(text).split())


def themes_of_words(folded_words: Iterable[str]) -> tuple[str, ...]:
    """The themes that words tell: those with most distinct words first, 3 at most.

    Takes words in lower case without accents. A theme on fewer than half as many words as the
    first is left out; equal ones come in the order of their first word.
    """
    hits: dict[str, int] = {}
    for word in dict.fromkeys(folded_words):
        theme = WORDS.get(word)
        if theme is not None:
            hits[theme] = hits.get(theme, 0) + 1
    if not hits:
        return ()
    most = max(hits.values())
    ranked = sorted(hits, key=lambda theme: -hits[theme])
    return tuple(theme for theme in ranked if hits[theme] * 2 >= most)[:_MOST]
