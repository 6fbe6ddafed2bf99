"""The errors of the lists that other sites show; `str(error)` is the French sentence that the
caller reads.

SearchError
├── UnknownShowcaseError 404
├── InvalidOriginError   422
├── TooManyOriginsError  422
└── ShowcasesAwayError   503, Kafka is away or has no topic of showcases
"""

from traverse_search_api.errors import SearchError


class UnknownShowcaseError(SearchError):
    """No institution has this number: SIRENs have nine digits."""

    status = 404
    title = "Introuvable"

    def __init__(self) -> None:
        super().__init__(
            "Cette vitrine n’existe pas : son adresse est /vitrine/ suivi des 9 chiffres du SIREN."
        )


class InvalidOriginError(SearchError):
    """A site that may frame a list must be an origin over TLS, and nothing more; `where` says of
    which setting it is."""

    status = 422
    title = "Site refusé"

    def __init__(self, text: str, where: str = "") -> None:
        shown = " ".join(text.split())[:80]
        super().__init__(
            f"{where}« {shown} » n’est pas l’adresse d’un site en https : écrivez-la sans chemin "
            "ni astérisque, comme https://www.exemple.fr (http:// ne vaut que pour localhost et "
            "127.0.0.1, le temps d’un essai)."
        )
        self.text = text


class TooManyOriginsError(SearchError):
    """More sites than a header should name."""

    status = 422
    title = "Trop de sites"

    def __init__(self, most: int) -> None:
        super().__init__(f"Une vitrine s’ouvre à {most} sites au plus : retirez-en.")


class ShowcasesAwayError(SearchError):
    """The table of showcases cannot be read or written."""

    status = 503
    title = "Indisponible"

    def __init__(self) -> None:
        super().__init__(
            "Les sites de la vitrine ne peuvent pas être lus ni changés (le journal ne répond "
            "pas) : rien n’a changé, réessayez dans un instant."
        )
