"""Who calls: the API key of a request, and what the registry says of it."""

from base64 import b64decode
from binascii import Error as BinasciiError
from typing import NamedTuple

from traverse_producers.gateway.errors import (
    ForbiddenError,
    RegistryUnreadError,
    UnknownKeyError,
)
from traverse_schemas.clock import Clock
from traverse_schemas.institutions import Scope
from traverse_schemas.registry import Principal, Registry

_MAY = {
    Scope.PUBLISH: "publier",
    Scope.READ: "lire au nom de l'institution",
    Scope.ADMINISTER: "administrer le registre",
}


class Caller(NamedTuple):
    """An institution, as a key of it may act. `rate`: its own events a minute, None the usual
    ones; `delegated`: the gateway may sign for it."""

    siren: str
    rate: int | None = None
    delegated: bool = False


class Access:
    """Knows callers by the registry, as it is at each request."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock

    @property
    def ready(self) -> bool:
        """Whether the registry has been read up to the present once."""
        return self._registry.ready

    def caller(self, authorization: str | None, *scopes: Scope) -> Caller:
        """Who calls, with a key that has one of `scopes`.

        Raises UnknownKeyError, ForbiddenError, RegistryUnreadError.
        """
        key = key_of(authorization)
        if not self._registry.ready:
            raise RegistryUnreadError
        found = self._registry.view().authenticate(key, self._clock.now())
        if not isinstance(found, Principal):
            # No more than that: which keys once were is nobody's business.
            raise UnknownKeyError(
                "Cette clé d'API n'est pas valable (inconnue, expirée ou révoquée) : demandez-en "
                "une à l'exploitant."
            )
        if not any(found.may(scope) for scope in scopes):
            wanted = " ou ".join(_MAY[scope] for scope in scopes)
            raise ForbiddenError(
                f"Cette clé d'API ne permet pas de {wanted} : prenez-en une autre."
            )
        institution = found.institution
        return Caller(institution.siren, institution.quota.events_per_minute, institution.delegated)


def key_of(authorization: str | None) -> str:
    """The API key in an Authorization header: a Bearer token (RFC 6750), or the password of
    Basic (RFC 7617), whose user name may be anything. Raises UnknownKeyError."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    rest = rest.strip()
    key = ""
    if scheme.lower() == "bearer":
        key = rest
    elif scheme.lower() == "basic":
        try:
            key = b64decode(rest, validate=True).decode().partition(":")[2]
        except (BinasciiError, ValueError):
            key = ""
    if not key:
        raise UnknownKeyError(
            "Donnez la clé d'API de l'institution dans l'en-tête Authorization : « Bearer CLÉ », "
            "ou en Basic comme mot de passe."
        )
    return key
