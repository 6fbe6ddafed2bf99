"""What is answered no to an institution about its permanences. Sentences are what people read."""

from traverse_search_api.errors import SearchError
from traverse_search_api.permanences.calendar import MOST_EVENTS, MOST_OCTETS


class RefusedCalendarError(SearchError):
    """A calendar that cannot be published as it is."""

    status = 422
    title = "Calendrier refusé"


class TooBigCalendarError(RefusedCalendarError):
    """More octets than a calendar of permanences needs."""

    status = 413

    def __init__(self) -> None:
        super().__init__(
            f"Ce calendrier dépasse {MOST_OCTETS // 1024} Kio : n’y gardez que les permanences, "
            "sans pièces jointes."
        )


class TooManyEventsError(RefusedCalendarError):
    """More events than are read of a calendar."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"Ce calendrier a {count} événements, et {MOST_EVENTS} au plus sont lus : retirez ceux "
            "qui sont passés, et dites ce qui revient chaque semaine par une répétition."
        )


class PermanencesAwayError(SearchError):
    """The table of calendars cannot be read or written."""

    status = 503
    title = "Indisponible"

    def __init__(self) -> None:
        super().__init__(
            "Les permanences publiées ne peuvent pas être lues ni changées (le journal ne répond "
            "pas) : réessayez dans un instant."
        )


class NoCalendarError(SearchError):
    """The institution has published none."""

    status = 404
    title = "Introuvable"

    def __init__(self) -> None:
        super().__init__(
            "Cette institution n’a publié aucun calendrier de permanences : déposez-en un par PUT, "
            "à la même adresse."
        )


class NotOwnCalendarError(SearchError):
    """An API key of another institution, or one that may not publish: nothing is said of which."""

    status = 403
    title = "Clé insuffisante"

    def __init__(self) -> None:
        super().__init__(
            "Cette clé d’API ne permet pas de publier les permanences de cette institution : "
            "prenez-en une de cette institution même, de portée publish ou administer."
        )
