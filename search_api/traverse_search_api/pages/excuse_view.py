"""An error of ours as data for its page: what happened, in the words of people, and how to go on.
Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from traverse_search_api.accounts.errors import NotAllowedError
from traverse_search_api.accounts.forms import local_address
from traverse_search_api.alerts.errors import UnknownSubscriptionError
from traverse_search_api.errors import (
    AmbiguousPlaceError,
    ExpiredCursorError,
    InvalidCursorError,
    SearchError,
    UnknownPlaceError,
)
from traverse_search_api.groupings.errors import EndedGroupingError, UnknownGroupingError

_TITLES: Final = {
    "Paramètre refusé": "Demande refusée",
    "Curseur refusé": "Suite introuvable",
    "Curseur expiré": "La suite ne se lit plus",
    "Retiré": "Publication retirée",
    "Terminé": "Groupement terminé",
    "Alerte introuvable": "Cette alerte n’est plus là",
}
"""The titles for people, where those for programs are not in their words."""

Ways = list[tuple[str, str]]
"""An address and its label each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page was asked: `path`, the parameters of its address, and whether it was only read.
    Where another choice would lead to another page, `onward` is that page's path."""

    path: str
    parameters: Sequence[tuple[str, str]]
    read: bool
    onward: str


@dataclass(frozen=True, slots=True)
class ExcuseView:
    """The page."""

    title: str
    sentence: str
    ways: Ways


def excuse_view(error: SearchError, asked: Asked) -> ExcuseView:
    """What the page of an error says, and where it leads besides the search."""
    return ExcuseView(_TITLES.get(error.title, error.title), _said(error), _ways(error, asked))


def _said(error: SearchError) -> str:
    """The sentence; where a program writes a code or follows an address, people choose, search by a
    name, or go by the links beside it."""
    match error:
        case AmbiguousPlaceError():
            return f"« {error.code} » peut désigner plusieurs territoires : choisissez."
        case UnknownPlaceError():
            return (
                f"« {error.code} » n’est pas un territoire connu : cherchez-le par le nom d’une "
                "commune, d’un département ou d’une région, ou par un code postal."
            )
        case InvalidCursorError():
            return (
                "La suite de cette recherche ne peut plus être lue, ou son adresse est mal "
                "recopiée : reprenez-la depuis sa première page."
            )
        case ExpiredCursorError():
            return (
                "La suite d’une recherche reste prête quelques minutes, et elles sont passées : "
                "reprenez la même recherche depuis sa première page."
            )
        case EndedGroupingError():
            return (
                "Ce groupement n’est plus proposé, ou ne vous est plus destiné : ses besoins ont "
                "été satisfaits, retirés ou réunis autrement. Voyez le dossier dont il portait le "
                "nom."
            )
        case UnknownGroupingError():
            return (
                "Aucun groupement proposé n’est à cette adresse : il s’est défait, ou il est "
                "réservé à d’autres lecteurs. Voyez ceux qui vous sont proposés."
            )
        case UnknownSubscriptionError():
            return (
                "Elle n’est pas, ou n’est plus, parmi vos alertes. Si vous venez de la supprimer, "
                "c’est fait : rien ne vous en parviendra plus."
            )
    return str(error)


def _ways(error: SearchError, asked: Asked) -> Ways:
    match error:
        case AmbiguousPlaceError():
            return _places(error, asked)
        case InvalidCursorError() | ExpiredCursorError():
            return [
                (
                    _address(asked, without="cursor"),
                    "Reprendre cette recherche depuis sa première page",
                )
            ]
        case EndedGroupingError():
            return [(f"/fiche/{error.anchor}", "Voir ce dossier")]
        case UnknownGroupingError():
            return [("/mutualiser", "Voir les groupements proposés")]
        case UnknownSubscriptionError():
            return [("/alertes", "Voir vos alertes")]
        case NotAllowedError():
            return [
                ("/mon-institution", "Revenir à « Mon institution »"),
                ("/compte", "Voir votre rôle, dans « Mon compte »"),
            ]
    # What was sent is not sent again by a link.
    return [(_address(asked), "Réessayer")] if error.status == 503 and asked.read else []


def _places(error: AmbiguousPlaceError, asked: Asked) -> Ways:
    """One for each territory that a code may be; the rest of what was asked of that page stays."""
    given = asked.parameters if asked.path == asked.onward else ()
    rest = [(name, text) for name, text in given if name not in ("territory", "cursor")]
    places = [
        part.strip() for name, text in given if name == "territory" for part in text.split(",")
    ]
    others = [("territory", place) for place in places if place not in ("", error.code)]
    return [
        (f"{asked.onward}?{urlencode([*rest, *others, ('territory', code)], safe=':')}", label)
        for code, label in error.choices
    ]


def _address(asked: Asked, without: str = "") -> str:
    """The same page again, without one parameter."""
    query = urlencode([(name, text) for name, text in asked.parameters if name != without])
    return local_address(f"{asked.path}?{query}" if query else asked.path)
