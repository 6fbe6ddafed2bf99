"""Who calls: the API key of a request, and what the registry says of it."""

from base64 import b64decode
from binascii import Error as BinasciiError
from typing import Final, NamedTuple

from traverse_producers.gateway.errors import (
    ForbiddenError,
    RegistryUnreadError,
    UnknownKeyError,
)
from traverse_schemas.clock import Clock
from traverse_schemas.registry.institutions import Institution, Scope
from traverse_schemas.registry.registry import Principal, Registry

ON_BEHALF_OF: Final = "Traverse-On-Behalf-Of"
"""The header with the SIREN of the institution that a service acts for."""

_MAY = {
    Scope.PUBLISH: "publier",
    Scope.READ: "lire au nom de l'institution",
    Scope.ADMINISTER: "administrer le registre",
    Scope.ON_BEHALF: "agir pour d'autres institutions",
}


class Caller(NamedTuple):
    """An institution, as a key of it may act. `rate`: its own events a minute, None the usual
    ones; `per_day`: its events a day, None without end; `key`: the id of the API key."""

    siren: str
    rate: int | None = None
    per_day: int | None = None
    key: str = ""


class Access:
    """Knows callers by the registry, as it is at each request."""

    def __init__(self, registry: Registry, clock: Clock, *, signatures: bool = True) -> None:
        """`signatures`: whether validate asks for them, and so knows who it is that speaks."""
        self._registry = registry
        self._clock = clock
        self._signatures = signatures

    @property
    def ready(self) -> bool:
        """Whether the registry has been read up to the present once."""
        return self._registry.ready

    def caller(
        self, authorization: str | None, *scopes: Scope, on_behalf: str | None = None
    ) -> Caller:
        """Who calls, with a key that has one of `scopes`; or the institution `on_behalf` (a SIREN)
        of which a service of the gateway's own calls, with a key of scope `on_behalf`.

        Raises UnknownKeyError, ForbiddenError, RegistryUnreadError.
        """
        key, now = key_of(authorization), self._clock.now()
        if not self._registry.ready:
            raise RegistryUnreadError
        found = self._registry.view().authenticate(key, now)
        if not isinstance(found, Principal):
            # No more than that: which keys once were is nobody's business.
            raise UnknownKeyError(
                "Cette clé d'API n'est pas valable (inconnue, expirée ou révoquée) : demandez-en "
                "une à l'exploitant."
            )
        if on_behalf is not None:
            return self._represented(found, on_behalf)
        if not any(found.may(scope) for scope in scopes):
            wanted = " ou ".join(_MAY[scope] for scope in scopes)
            raise ForbiddenError(
                f"Cette clé d'API ne permet pas de {wanted} : prenez-en une autre."
            )
        return self._caller(found.institution, found.key.id)

    def _represented(self, service: Principal, siren: str) -> Caller:
        """The institution that a service acts for: one that entrusted the gateway with its
        signature, since that is the whole of what it entrusted."""
        if not service.may(Scope.ON_BEHALF):
            raise ForbiddenError(
                f"Cette clé d'API ne permet pas d'{_MAY[Scope.ON_BEHALF]} "
                f"({ON_BEHALF_OF}) : prenez-en une autre."
            )
        found = self._registry.view().get(siren)
        if found is None or not found.active(self._clock.now()) or not found.delegated:
            raise ForbiddenError(
                f"L'institution {siren[:20]} n'a pas confié sa signature à la passerelle : on ne "
                "peut pas agir pour elle ici. Si elle signe elle-même, qu'elle lise ses refus et "
                "les rejoue là où elle a sa clé (« traverse rejected list --gateway ADRESSE "
                "--api-key-file FICHIER », puis « show » et « replay ») ; sinon, qu'elle délègue "
                f"(« traverse institutions delegate {siren[:20]} »)."
            )
        return self._caller(found, service.key.id)

    def _caller(self, institution: Institution, key: str) -> Caller:
        if institution.tries(self._clock.now()) and not self._signatures:
            # Nobody after the gateway would know that it is a trial.
            raise ForbiddenError(
                f"L'institution {institution.siren} est à l'essai, et cette plateforme ne vérifie "
                "pas les signatures : ses essais seraient vus de tous ; rien n'en a été retenu."
            )
        quota = institution.quota
        return Caller(institution.siren, quota.events_per_minute, quota.events_per_day, key)


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
