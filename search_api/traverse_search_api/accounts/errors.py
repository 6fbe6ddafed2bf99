"""What the pages for people who sign in answer no to. Sentences are what people read."""

from collections.abc import Sequence

from traverse_search_api.errors import SearchError


class SignInNeededError(SearchError):
    """Nobody is signed in; the page asks for it, and comes back."""

    status = 401
    title = "Connexion nécessaire"

    def __init__(self) -> None:
        super().__init__(
            "Connectez-vous pour voir cette page : elle est celle de vos institutions."
        )


class NotAllowedError(SearchError):
    """The person's role for the institution does not go so far."""

    status = 403
    title = "Non autorisé"

    def __init__(self, what: str, name: str) -> None:
        of = "d’" if what[0] in "aeéiou" else "de "
        super().__init__(
            f"Votre rôle pour {name} ne permet pas {of}{what} : demandez-le à qui administre les "
            "comptes de votre institution."
        )


class OwnAccountError(SearchError):
    """Whoever administers does not shut themselves out; `way` is `by_another`."""

    status = 403
    title = "À faire par quelqu’un d’autre"

    def __init__(self, what: str, way: str) -> None:
        super().__init__(f"Vous ne pouvez pas {what}, pour ne pas vous fermer la porte : {way}.")


def by_another(others: Sequence[str]) -> str:
    """How one has done to one's own account what one may not do oneself; `others` are the names
    of those who administer the institution besides."""
    if others:
        return f"demandez-le à une autre personne qui administre ({', '.join(others)})"
    return (
        "personne d’autre n’administre cette institution ; donnez d’abord ce rôle à quelqu’un, qui "
        "pourra le faire, ou adressez-vous à qui tient ce service"
    )


class UnknownPersonError(SearchError):
    """No account of the institution has this id."""

    status = 404
    title = "Introuvable"

    def __init__(self) -> None:
        super().__init__("Ce compte n’est pas de votre institution : revenez à « Mon compte ».")


class RefusedFormError(SearchError):
    """A form that did not come from a page of ours, or came too late."""

    status = 403
    title = "Formulaire refusé"

    def __init__(self) -> None:
        super().__init__(
            "Ce formulaire ne vient pas d’une page encore ouverte de Traverse, et rien n’a été "
            "fait : revenez à la page, rechargez-la et envoyez de nouveau."
        )


class UnreadableFormError(SearchError):
    """A form that is too long, or no form."""

    status = 413
    title = "Formulaire refusé"

    def __init__(self) -> None:
        super().__init__(
            "Ce formulaire est trop long ou n’en est pas un, et rien n’a été fait : raccourcissez "
            "le texte et envoyez de nouveau."
        )


class AccountsAwayError(SearchError):
    """The accounts are not read, or cannot be written."""

    status = 503
    title = "Indisponible"

    def __init__(self) -> None:
        super().__init__(
            "Les comptes ne sont pas accessibles pour le moment (leur journal ne répond "
            "pas) : réessayez dans un instant."
        )


class ProviderError(SearchError):
    """The OpenID provider does not answer, or answers what cannot be trusted."""

    status = 502
    title = "Connexion refusée"


class SignInRefusedError(SearchError):
    """Nobody with an account here: said the same way whatever is wrong."""

    status = 403
    title = "Connexion refusée"


class TooManyAttemptsError(SearchError):
    """Too many attempts to sign in."""

    status = 429
    title = "Trop d’essais"

    def __init__(self) -> None:
        super().__init__("Trop d’essais de connexion : réessayez dans un quart d’heure.")
