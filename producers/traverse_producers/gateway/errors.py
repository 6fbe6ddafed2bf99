"""The errors of the gateway; `str(error)` is the French sentence that the caller reads.

PublishError
└── GatewayError                  status, title
    ├── MalformedBodyError        400  the body as a whole cannot be read
    ├── UnknownKeyError           401  no key, or one that says nothing
    ├── ForbiddenError            403  the key does not allow this
    ├── UnknownSchemaError        404  no such schema
    ├── UnknownMemberError        404  no such institution, or it has no such key
    ├── RegistryConflictError     409  the registry has it otherwise already
    ├── SlowBodyError             408  the body did not come in time
    ├── TooLargeBodyError         413  too many octets, or too many events
    ├── UnsupportedContentError   415  a form that the gateway does not read
    ├── RefusedRecordError        422  a record of PUT that gives no event
    ├── RefusedMemberError        422  what an administrator gives cannot stand in the registry
    ├── TooFastError              429  more events than the institution may send in a minute
    ├── QuotaSpentError           429  more events than it may publish in a day
    ├── BusyError                 503  the gateway holds as much as it can
    ├── RegistryUnreadError       503  the registry of institutions is not read yet
    ├── LocalFileError            503  the gateway's own disk does not take what it must note
    ├── GatewayKeyError           503  the key that the gateway signs with does not hold
    ├── RegistryAwayError         503  a change of the registry is not confirmed
    └── LogAwayError              503  Kafka does not confirm
"""

import sqlite3
from math import ceil
from typing import ClassVar

from traverse_producers.errors import PublishError
from traverse_schemas.system_faults import fault


class GatewayError(PublishError):
    """Base of the gateway's errors. `status` and `title` go into the problem+json."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Erreur interne"
    pointer: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        return {}


class MalformedBodyError(GatewayError):
    """The body as a whole cannot be read; nothing of it was taken."""

    status = 400
    title = "Corps illisible"


class UnknownKeyError(GatewayError):
    """No API key, or one that is not known, or not valid now."""

    status = 401
    title = "Clé inconnue"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="traverse", Basic realm="traverse"'}


class ForbiddenError(GatewayError):
    """The key is known and does not allow this."""

    status = 403
    title = "Non autorisé"


class UnknownSchemaError(GatewayError):
    """No schema has this name and version."""

    status = 404
    title = "Introuvable"


class UnknownMemberError(GatewayError):
    """The registry has no such institution, or the institution no such key."""

    status = 404
    title = "Introuvable"


class RegistryConflictError(GatewayError):
    """What is asked for goes against what the registry has."""

    status = 409
    title = "Déjà autrement"


class SlowBodyError(GatewayError):
    """The client took too long to send what it began."""

    status = 408
    title = "Envoi trop lent"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Le corps n'est pas arrivé en {seconds:g} s : rien n'en a été retenu ; envoyez-le de "
            "nouveau, en lots plus petits si la ligne est lente."
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Connection": "close"}


class TooLargeBodyError(GatewayError):
    """More octets, or more events, than one request may have."""

    status = 413
    title = "Envoi trop grand"

    @property
    def headers(self) -> dict[str, str]:
        return {"Connection": "close"}


class UnsupportedContentError(GatewayError):
    """A media type, charset or coding that the gateway does not read."""

    status = 415
    title = "Forme non reconnue"


class RefusedRecordError(GatewayError):
    """What was put is no record that an event could be made of."""

    status = 422
    title = "Dossier refusé"


class RefusedMemberError(GatewayError):
    """What was given of an institution cannot stand in the registry; `pointer` says where."""

    status = 422
    title = "Demande refusée"

    def __init__(self, sentence: str, pointer: str | None = None) -> None:
        self.pointer = pointer
        super().__init__(sentence)


class TooFastError(GatewayError):
    """The institution's rate is used up for now."""

    status = 429
    title = "Trop d'événements"

    def __init__(self, per_minute: int, gateways: int, retry_after: float) -> None:
        """`per_minute`: what this one of so many gateways takes."""
        self.retry_after = max(1, ceil(retry_after))
        here = f" à cette passerelle, une de {gateways}," if gateways > 1 else ""
        super().__init__(
            f"L'institution a envoyé{here} plus de {per_minute} événements en une minute : "
            f"réessayez dans {self.retry_after} s. Rien de cet envoi n'a été retenu."
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class QuotaSpentError(GatewayError):
    """The institution's day has not so many events left."""

    status = 429
    title = "Quota du jour atteint"

    def __init__(self, per_day: int, left: int, retry_after: float) -> None:
        self.retry_after = max(1, ceil(retry_after))
        super().__init__(
            f"L'institution peut publier {per_day} événements par jour et il lui en reste {left} "
            "aujourd'hui : attendez minuit (heure de Paris), ou demandez un quota plus grand à "
            "l'exploitant. Rien de cet envoi n'a été retenu."
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class _RetryLaterError(GatewayError):
    status = 503
    title = "Momentanément indisponible"

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "2"}


class BusyError(_RetryLaterError):
    """All the memory for bodies is in use."""

    def __init__(self) -> None:
        super().__init__(
            "La passerelle reçoit plus qu'elle ne peut tenir : réessayez dans un instant. Rien de "
            "cet envoi n'a été retenu."
        )

    @property
    def headers(self) -> dict[str, str]:
        return {**super().headers, "Connection": "close"}


class RegistryUnreadError(_RetryLaterError):
    """Nobody can be known before the registry has been read."""

    def __init__(self) -> None:
        super().__init__(
            "La passerelle n'a pas encore lu le registre des institutions : réessayez dans un "
            "instant. Rien de cet envoi n'a été retenu."
        )


class LocalFileError(_RetryLaterError):
    """Which event says a record could not be noted, so none was written."""

    def __init__(self, error: OSError | sqlite3.Error) -> None:
        super().__init__(
            f"La passerelle ne peut pas tenir son carnet des dossiers ({fault(error)}) : que "
            "l'exploitant libère de la place dans son dossier (gateway/ dans TRAVERSE_HOME), ou le "
            "rende à son compte, puis renvoyez le même dossier ; rien n'en a été retenu."
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "60"}


class GatewayKeyError(_RetryLaterError):
    """What the gateway signs now would be rejected: its key ended, or is not the registry's."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"La clé avec laquelle la passerelle signe ne vaut plus ({reason}) : que l'exploitant "
            "mette la clé en vigueur dans keys/SIREN.pem (« traverse institutions rotate-key » en "
            "fait une) et relance la passerelle, puis renvoyez les mêmes événements ; rien n'en a "
            "été retenu."
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "60"}


class RegistryAwayError(_RetryLaterError):
    """The log of the registry does not confirm."""

    def __init__(self) -> None:
        super().__init__(
            "Le registre ne confirme pas le changement : vérifiez s'il a eu lieu (GET "
            "/v1/institutions), puis recommencez dans un instant."
        )


class LogAwayError(_RetryLaterError):
    """Kafka does not confirm what it was given, or is not there."""

    def __init__(self) -> None:
        super().__init__(
            "La plateforme ne confirme pas la réception pour l'instant : renvoyez les mêmes "
            "événements, avec les mêmes identifiants, dans un instant ; ce qui serait passé ne "
            "comptera pas deux fois."
        )
