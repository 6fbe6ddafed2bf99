"""What subscriptions answer no to. Sentences are what people read."""

from traverse_search_api.errors import SearchError


class UnknownSubscriptionError(SearchError):
    """No subscription of this owner has this id, or none any more: whether another has, is not
    said."""

    status = 404
    title = "Alerte introuvable"

    def __init__(self) -> None:
        super().__init__(
            "Aucune de vos alertes ne porte cet identifiant : si vous l’avez supprimée, c’est "
            "fait ; sinon, voyez leur liste."
        )


class NoOwnerError(SearchError):
    """Neither an API key says whose alerts these are, nor a person who has signed in."""

    status = 401
    title = "Clé nécessaire"

    def __init__(self) -> None:
        super().__init__(
            "Ces alertes sont celles d’une institution ou d’une personne : envoyez la clé d’API de "
            "l’institution (Authorization: Bearer CLÉ), ou connectez-vous."
        )


class TooManySubscriptionsError(SearchError):
    """The owner has as many as one may have."""

    status = 409
    title = "Trop d’alertes"

    def __init__(self, most: int) -> None:
        super().__init__(f"Vous avez déjà {most} alertes, le maximum : supprimez-en une.")


class RefusedSubscriptionError(SearchError):
    """A subscription that cannot be as it is asked for."""

    status = 422
    title = "Alerte refusée"


class SubscriptionsAwayError(SearchError):
    """The subscriptions cannot be read or written."""

    status = 503
    title = "Alertes indisponibles"

    def __init__(self) -> None:
        super().__init__(
            "Les alertes ne sont pas accessibles pour le moment (leur journal ne répond "
            "pas) : réessayez dans un instant."
        )


class MemberNeededError(SearchError):
    """Alerts are for members: somebody who signed in, or an institution's API key."""

    status = 403
    title = "Réservé aux membres"

    def __init__(self) -> None:
        super().__init__(
            "Les alertes sont pour les institutions membres : prenez la clé d’API de l’une "
            "d’elles, ou connectez-vous."
        )
