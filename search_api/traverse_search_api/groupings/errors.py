"""The errors of who asks for a proposed joint purchase; `str(error)` is the French sentence that
the caller reads.

SearchError
├── UnknownGroupingError      404
├── EndedGroupingError        410, names the record that it was named by
├── MovedGroupingError        301, names the grouping that has its members now
└── GroupingsUnavailableError 503, Kafka is away or has no topic of groupings
"""

from traverse_search_api.errors import SearchError


class UnknownGroupingError(SearchError):
    """No grouping that this reader may read has this id, or leads from it."""

    status = 404
    title = "Introuvable"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            f"Aucun groupement proposé ne porte l’identifiant « {identifier[:60]} » : il s’est "
            "défait, ou il est réservé à d’autres lecteurs ; voyez /v1/groupings."
        )


class EndedGroupingError(SearchError):
    """No grouping that this reader may read is of the record any more that an id is named by."""

    status = 410
    title = "Terminé"

    def __init__(self, anchor: str) -> None:
        super().__init__(
            "Ce groupement n’est plus proposé, ou ne vous est plus destiné : ses besoins ont été "
            "satisfaits, retirés ou réunis autrement. Le dossier dont il portait le nom : "
            f"/fiche/{anchor}."
        )
        self.anchor = anchor


class MovedGroupingError(SearchError):
    """The members of the grouping are in another; `identifier` is that one's id."""

    status = 301
    title = "Déplacé"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            "Les membres de ce groupement sont désormais dans un autre : suivez l’adresse "
            f"/v1/groupings/{identifier}."
        )
        self.identifier = identifier


class GroupingsUnavailableError(SearchError):
    """The topic of groupings cannot be read."""

    status = 503
    title = "Groupements indisponibles"

    def __init__(self) -> None:
        super().__init__(
            "Les groupements sont momentanément indisponibles (leur journal ne répond pas, ou sa "
            "lecture n’est pas finie) : réessayez dans un instant."
        )
