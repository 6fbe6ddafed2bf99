"""Roles: whom a call or a project is for, what a firm's need looks for, by their words. Pure."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from traverse_stream_processors.linking.words import fold

ON_DEMAND: Final = ("call_for_projects", "expression_of_interest")
"""Calls that are open to those whom their words name."""

WIDER: Final = frozenset(("epci", "department", "region", "state"))
"""Kinds of owners that cover others from above, and may buy for them."""


class Seeks(StrEnum):
    """What a firm looks for."""

    ORDERS = "orders"
    PARTNER = "partner"
    PREMISES = "premises"
    STAFF = "staff"
    AID = "aid"
    OTHER = "other"


class Beneficiaries(NamedTuple):
    """Whom something is open to."""

    firms: bool
    public_bodies: bool


# The first that fits, in this order: who looks for money for premises looks for money.
_SEEKS: Final = tuple(
    (seeks, re.compile(rf"\b(?:{words})"))
    for seeks, words in (
        (Seeks.PARTNER, r"cotraitan|co-traitan|sous-traitan|groupement d.entreprises|partenaire"),
        (Seeks.ORDERS, r"premier client|clients? publics?|acheteurs? publics?|marches? publics?"
                       r"|repondre a|referencement|debouches"),
        (Seeks.STAFF, r"recrut|embauch|saisonnier|cuisiniers? |apprenti|alternan|technicien qualif"
                      r"|ouvrier|macon qualif"),
        (Seeks.AID, r"financ|aides? |subvention|pret |prets |fonds |certification|diagnostic"
                    r"|export|accompagnement"),
        (Seeks.PREMISES, r"local\b|locaux|entrepot|bureaux|salle |terrain|atelier relais|stockage"
                         r"|hebergement d.entreprise"),
        (Seeks.OTHER, r"reprise d|cession|reprendre|a partager|assurance|test grandeur"),
    )
)  # fmt: skip
_FIRMS: Final = re.compile(
    r"\b(?:entreprises?|tpe|pme|pmi|artisans?|commercants?|start-?ups?|porteurs? de projets?"
    r"|exploitants?|agriculteurs?|industriels?|hebergeurs?|hoteliers?|restaurateurs?)\b"
)
_BODIES: Final = re.compile(
    r"\b(?:communes?|villages?|collectivites?|epci|intercommunalites?|mairies?|villes?|ecoles"
    r"|communautes? de communes|etablissements? publics?|syndicats?|bailleurs?)\b"
)
_POOLED: Final = re.compile(
    r"\b(?:groupements? (?:de|d.) ?(?:commandes?|achats?)|centrales? d.achats?"
    r"|achats? (?:groupes?|mutualises?))\b"
)
_SEEKING: Final = re.compile(
    r"\b(?:trouver|chercher?|recherche|premiers?|clients?|publics?|publique|referencement|aupres"
    r"|acheteurs?|repondre|marches?|entreprises?|societe|cotraitants?|sous-traitants?|partenaires?"
    r"|groupements?|debouches|commandes?|chantiers?)\b"
)


def trade_of(title: str) -> str:
    """The title of a firm's need without the words of seeking: what is left is its trade."""
    folded = fold(title)
    return _SEEKING.sub(" ", folded) if _SEEKING.search(folded) else title


def seeks_of(title: str, description: str) -> Seeks:
    """What a firm's need looks for, by its title, else by its description; orders by default."""
    for text in (fold(title), fold(description)):
        for seeks, pattern in _SEEKS:
            if pattern.search(text):
                return seeks
    return Seeks.ORDERS


def beneficiaries_of(title: str, description: str) -> Beneficiaries:
    """Whom a call for projects or a project is open to: those whom its title names, else its
    description; both when they name nobody or both."""
    for text in (fold(title), fold(description)):
        firms, bodies = bool(_FIRMS.search(text)), bool(_BODIES.search(text))
        if firms != bodies:
            return Beneficiaries(firms, bodies)
    return Beneficiaries(firms=True, public_bodies=True)


@lru_cache(maxsize=10_000)
def is_pooled(title: str, description: str) -> bool:
    """Whether the words of a contract say that others than its owner buy by it: a groupement de
    commandes or a centrale d'achat."""
    return bool(_POOLED.search(fold(title)) or _POOLED.search(fold(description)))
