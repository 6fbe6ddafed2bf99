"""The errors of who follows the log of changes; `str(error)` is the French sentence that the
caller reads.

SearchError
├── InvalidStreamPositionError 400, a Last-Event-ID that is not ours
├── ExpiredStreamError         410, with the oldest position
├── ForgottenChangesError      410, what the log of changes keeps no more
└── StreamUnavailableError     503, Kafka is away or has no changes topic
"""

from traverse_search_api.errors import SearchError


class InvalidStreamPositionError(SearchError):
    """A Last-Event-ID that this service did not make."""

    status = 400
    title = "Position refusée"

    def __init__(self) -> None:
        super().__init__(
            "Ce Last-Event-ID n’a pas été émis par ce service : reprenez celui du dernier message "
            "reçu, ou abonnez-vous sans lui, avec since au besoin."
        )


class ExpiredStreamError(SearchError):
    """A position that the log of changes no longer holds; `oldest` is the first one it does."""

    status = 410
    title = "Position expirée"

    def __init__(self, oldest: str) -> None:
        super().__init__(
            "Les changements qui suivent cette position ne sont plus gardés : reprenez depuis la "
            "plus ancienne (oldest), après avoir relu la recherche entière."
        )
        self.oldest = oldest


class ForgottenChangesError(SearchError):
    """A place in the log of changes that it keeps no more, or does not have yet."""

    status = 410
    title = "Changements oubliés"

    def __init__(self) -> None:
        super().__init__(
            "Les changements qui suivent cette place ne sont plus gardés : relisez la recherche "
            "entière, puis suivez-la depuis le plus ancien changement gardé."
        )


class StreamUnavailableError(SearchError):
    """Kafka does not answer, or has no changes to tell yet."""

    status = 503
    title = "Flux indisponible"

    def __init__(self) -> None:
        super().__init__(
            "Le flux est momentanément indisponible (le journal ne répond pas) : réessayez dans "
            "un instant avec le même Last-Event-ID, rien ne sera perdu."
        )
