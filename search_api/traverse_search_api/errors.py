"""The errors of the search; `str(error)` is the French sentence that the caller reads. Those of
groupings, showcases, the command line and the log of changes have rooms of their own.

TraverseError
└── SearchError                   status 500
    ├── InvalidParameterError     400, names the parameter
    │   ├── UnknownPlaceError     400, names the code
    │   └── AmbiguousPlaceError   400, with the choices
    ├── RefusedQueryError         400, more than Elasticsearch takes
    ├── InvalidCursorError        400, tampered with, or of another search
    ├── ExpiredCursorError        410
    ├── TooManyStreamsError       429, of one caller or in all
    ├── TooManyExportsError       429, of one caller or in all
    ├── TooManyRowsError          400, more than a workbook takes
    ├── TooManyRequestsError      429, of one key or one address, with when to come back
    ├── UnknownKeyError           401, an API key that does not open
    ├── ForbiddenKeyError         403, one that may not read
    ├── UnknownOpportunityError   404
    ├── UnknownRuleError          404
    ├── WithdrawnError            410
    ├── SearchUnavailableError    503, Elasticsearch is away or has no index
    │   └── BusyError             503, others' searches are still waiting
    ├── TooLongError              503, the search took longer than one may
    ├── HistoryUnavailableError   503, Kafka is away or the log is still being read
    └── RegistryUnreadError       503, who may read what is not known yet
"""

from typing import ClassVar, Final

from traverse_schemas.errors import TraverseError
from traverse_schemas.french.numbers import number


class SearchError(TraverseError):
    """Base of this package's errors. `status` and `title` go into the problem+json."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Erreur interne"


class InvalidParameterError(SearchError):
    """A parameter that cannot be understood."""

    status = 400
    title = "Paramètre refusé"

    def __init__(self, parameter: str, sentence: str) -> None:
        super().__init__(sentence)
        self.parameter = parameter


class UnknownPlaceError(InvalidParameterError):
    """A code that no territory has."""

    title = "Territoire inconnu"

    def __init__(self, code: str) -> None:
        super().__init__(
            "territory",
            f"« {code[:60]} » n’est pas un territoire connu : écrivez com:CODE_INSEE, "
            "cp:CODE_POSTAL, epci:SIREN, dep:NN, reg:NN, zone:NOM ou fr.",
        )
        self.code = code[:60]


class AmbiguousPlaceError(InvalidParameterError):
    """A bare `code` that could be two places; `choices` are (typed code, label)."""

    title = "Territoire à préciser"

    def __init__(self, code: str, choices: tuple[tuple[str, str], ...]) -> None:
        either = " ou ".join(f"{choice} ({label})" for choice, label in choices)
        super().__init__(
            "territory", f"« {code} » peut désigner plusieurs territoires : écrivez {either}."
        )
        self.code, self.choices = code, choices


class RefusedQueryError(SearchError):
    """A query that Elasticsearch does not take: asking again changes nothing."""

    status = 400
    title = "Recherche refusée"

    def __init__(self) -> None:
        super().__init__(
            "Le moteur de recherche n’accepte pas cette recherche, trop longue ou trop étrange : "
            "ôtez des mots ou des filtres."
        )


class InvalidCursorError(SearchError):
    """A cursor that this service did not make for this search."""

    status = 400
    title = "Curseur refusé"


class ExpiredCursorError(SearchError):
    """A cursor whose snapshot of the index is gone."""

    status = 410
    title = "Curseur expiré"

    def __init__(self) -> None:
        super().__init__(
            "La suite de cette recherche a expiré : relancez la recherche depuis sa première page."
        )


class TooManyStreamsError(SearchError):
    """More streams than this service holds, or than one address may open."""

    status = 429
    title = "Trop de flux"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} flux sont déjà ouverts, le maximum : fermez-en un, ou réessayez plus tard."
        )


class TooManyExportsError(SearchError):
    """More exports than this service writes at once, or than one caller may have."""

    status = 429
    title = "Trop d’exports"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} exports sont déjà en cours, le maximum : attendez la fin de l’un d’eux, ou "
            "réessayez dans un instant."
        )


class TooManyRowsError(SearchError):
    """More results than a workbook takes."""

    status = 400
    title = "Trop de lignes"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"Cette recherche a plus de {number(most)} résultats, trop pour un classeur : "
            "précisez-la, ou prenez-la en .csv ou .ndjson."
        )


class TooManyRequestsError(SearchError):
    """More requests in a minute than one key or one address may make."""

    status = 429
    title = "Trop de demandes"

    def __init__(self, most: int, retry_after: int) -> None:
        super().__init__(
            f"Plus de {most} demandes en une minute : réessayez dans {retry_after} s, ou espacez "
            "vos demandes ; un export (.ndjson, .csv) ou un flux donne tout en une seule."
        )
        self.retry_after = retry_after


CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
"""What goes with every 401: how one may be known (RFC 9110, 15.5.2; RFC 6750)."""


class UnknownKeyError(SearchError):
    """An Authorization header that opens nothing."""

    status = 401
    title = "Clé refusée"


class ForbiddenKeyError(SearchError):
    """An API key that was not made for reading."""

    status = 403
    title = "Clé insuffisante"

    def __init__(self) -> None:
        super().__init__(
            "Cette clé d’API ne permet pas de lire au nom de l’institution : prenez-en une autre."
        )


class RegistryUnreadError(SearchError):
    """The registry has not been read yet, so that no key can be judged."""

    status = 503
    title = "Registre indisponible"

    def __init__(self) -> None:
        super().__init__(
            "Le registre des institutions n’est pas encore lu : réessayez dans un instant, ou "
            "cherchez sans clé dans ce qui est public."
        )


class UnknownOpportunityError(SearchError):
    """No opportunity that this reader may read has this id."""

    status = 404
    title = "Introuvable"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            f"Aucune publication ne porte l’identifiant « {identifier[:60]} » : vérifiez "
            "l’adresse, ou cherchez-la par son titre."
        )


class MergedError(SearchError):
    """The opportunity is now part of another; `identifier` is that one's id."""

    status = 301
    title = "Regroupé"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            "Cette publication est désormais regroupée avec d’autres du même dossier : suivez "
            f"l’adresse /v1/opportunities/{identifier}."
        )
        self.identifier = identifier


class UnknownRuleError(SearchError):
    """No rule of quality has this name."""

    status = 404
    title = "Introuvable"

    def __init__(self) -> None:
        super().__init__(
            "Aucune règle de qualité ne porte ce nom : repartez de la page « Mon institution »."
        )


class WithdrawnError(SearchError):
    """The opportunity was public, and is so no more."""

    status = 410
    title = "Retiré"

    def __init__(self) -> None:
        super().__init__(
            "Cette publication a été retirée ou n’est plus publique : "
            "voyez avec l’institution qui l’avait publiée."
        )


class SearchUnavailableError(SearchError):
    """Elasticsearch does not answer, or does not hold the index yet."""

    status = 503
    title = "Recherche indisponible"

    def __init__(self, why: str = "le moteur de recherche ne répond pas") -> None:
        super().__init__(
            f"La recherche est momentanément indisponible ({why}) : réessayez dans un instant."
        )


class BusyError(SearchUnavailableError):
    """Elasticsearch is there, and so many searches wait for it that this one's turn did not come
    in time."""

    title = "Trop de recherches à la fois"

    def __init__(self) -> None:
        SearchError.__init__(
            self,
            "Trop de recherches arrivent en même temps et la vôtre n’a pas eu son tour : réessayez "
            "dans quelques secondes.",
        )


class HistoryUnavailableError(SearchError):
    """Kafka does not answer, or the accepted events have not all been read yet."""

    status = 503
    title = "Historique indisponible"

    def __init__(self) -> None:
        super().__init__(
            "L’historique est momentanément indisponible (le journal ne répond pas, ou sa lecture "
            "n’est pas finie) : réessayez dans un instant."
        )


class TooLongError(SearchError):
    """Elasticsearch is there, and did not finish the search in the time that one may take."""

    status = 503
    title = "Recherche trop longue"

    def __init__(self) -> None:
        super().__init__(
            "Cette recherche demande trop de travail pour l’instant : précisez-la (des mots "
            "entiers, moins de mots, un territoire, une période), ou réessayez plus tard."
        )
