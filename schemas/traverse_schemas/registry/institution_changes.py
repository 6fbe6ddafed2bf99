"""What may be changed of an institution, as pure functions: `membership` applies them to the
registry, for the command line and for the administrator's API.

Nothing that was signed in good order loses its key: keys end, they never go.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from traverse_schemas.errors import TraverseError
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.institutions import (
    BUYER_KINDS,
    ROLE_FOR,
    Change,
    Institution,
    Role,
    Scope,
    SigningKey,
)

_MOST_CHANGES = 200  # noted in a row, which is read whole by every service


class AlreadyRegisteredError(TraverseError):
    """The institution is in the registry already."""


class NotRegisteredError(TraverseError):
    """The institution is not in the registry."""

    def __init__(self, siren: str) -> None:
        super().__init__(
            f"L'institution {siren} n'est pas au registre : ajoutez-la avec « traverse "
            f"institutions add {siren} --name NOM --kind TYPE »."
        )


class NotTryingError(TraverseError):
    """The institution publishes in earnest: there is no trial to begin, or to end."""


class UnknownSigningKeyError(TraverseError):
    """The institution has no signing key of that name."""


class ScopeNotAllowedError(TraverseError):
    """The institution may not have a key of this scope."""


def default_roles(kind: InstitutionKind) -> frozenset[Role]:
    """The roles that follow from what an institution is."""
    return frozenset({Role.BUYER}) if kind in BUYER_KINDS else frozenset()


def enrol(known: Institution | None, newcomer: Institution) -> Institution:
    """The row of an institution that becomes a member: `newcomer`, with its first keys.

    One that was a member before comes back with its old signing keys beside the new: what it
    signed then stays verifiable, and what it only tried stays a trial. Raises
    AlreadyRegisteredError; NotTryingError for one that published in earnest and would now try:
    its records are there for everybody, and no trial could change them.
    """
    if known is None:
        return newcomer
    require_new(newcomer.siren, known)
    if newcomer.sandbox and not known.tries(newcomer.created):
        raise NotTryingError(
            f"L'institution {newcomer.siren} ({known.name}) a déjà publié pour de bon : elle ne "
            "peut pas revenir à l'essai ; ajoutez-la sans --sandbox."
        )
    tried = known.sandbox and not newcomer.sandbox
    return newcomer.model_copy(
        update={
            "created": known.created,
            "signing_keys": (*known.signing_keys, *newcomer.signing_keys),
            "changes": known.changes,
            **(
                {"sandbox": True, "sandbox_until": known.sandbox_until or newcomer.created}
                if tried
                else {}
            ),
        }
    )


def require_new(siren: str, known: Institution | None) -> None:
    """Raises AlreadyRegisteredError, unless the institution was revoked and may come back."""
    if known is not None and known.revoked_at is None:
        raise AlreadyRegisteredError(
            f"L'institution {siren} ({known.name}) est déjà au registre : « traverse institutions "
            f"rotate-key {siren} » change ses clés."
        )


def require_known(siren: str, known: Institution | None) -> Institution:
    """The institution. Raises NotRegisteredError."""
    if known is None:
        raise NotRegisteredError(siren)
    return known


def require_scopes(institution: Institution, scopes: Iterable[Scope]) -> None:
    """Raises ScopeNotAllowedError for a scope that could never be used."""
    for scope in sorted(scopes):
        role = ROLE_FOR.get(scope)
        if role is not None and role not in institution.roles:
            raise ScopeNotAllowedError(
                f"L'institution {institution.siren} n'a pas le rôle {role} : une clé d'API de "
                f"portée {scope} ne lui servirait à rien ; l'exploitant lui donne ce rôle "
                f"(« traverse institutions role {institution.siren} {role} »), ou retirez cette "
                "portée."
            )


def noted(institution: Institution, change: Change) -> Institution:
    """The row with a note of its last change; the oldest notes make room."""
    changes = (*institution.changes, change)[-_MOST_CHANGES:]
    return institution.model_copy(update={"changes": changes})


def with_signing_key(
    institution: Institution, key: SigningKey, overlap: timedelta | None = None
) -> Institution:
    """The institution with one more signing key.

    With an `overlap`, the keys that hold end that long after the new one begins; without, they go
    on holding beside it.
    """
    known = institution.signing_keys
    if overlap is not None:
        known = tuple(_ended(each, key.valid_from + overlap) for each in known)
    # The same key again, when the change is applied twice.
    others = (each for each in known if each.kid != key.kid)
    return institution.model_copy(update={"signing_keys": (*others, key)})


def revoke_signing_key(institution: Institution, kid: str, now: datetime) -> Institution:
    """The institution with a key that somebody else may have. Raises UnknownSigningKeyError."""
    if any(key.id == kid for key in institution.api_keys):
        raise UnknownSigningKeyError(
            f"« {kid} » est une clé d'API de l'institution {institution.siren}, pas de signature : "
            f"« traverse institutions revoke {institution.siren} --api-key {kid} » la révoque."
        )
    if all(key.kid != kid for key in institution.signing_keys):
        raise UnknownSigningKeyError(
            f"L'institution {institution.siren} n'a pas de clé de signature « {kid[:60]} » : "
            "« traverse institutions list --json » les montre."
        )
    keys = _revoked(institution.signing_keys, now, {kid})
    return institution.model_copy(update={"signing_keys": keys})


def open_institution(institution: Institution, now: datetime) -> Institution:
    """The institution, whose trial ends: what the broker receives from `now` on is for everybody.
    Raises NotTryingError."""
    if not institution.sandbox:
        raise NotTryingError(f"L'institution {institution.siren} n'est pas à l'essai.")
    return institution.model_copy(update={"sandbox_until": institution.sandbox_until or now})


def revoke_institution(institution: Institution, now: datetime) -> Institution:
    """The institution, no member any more from `now` on."""
    return institution.model_copy(update={"revoked_at": institution.revoked_at or now})


def restore_institution(institution: Institution) -> Institution:
    """A member again. What it had sent meanwhile stays refused."""
    return institution.model_copy(update={"revoked_at": None})


def _ended(key: SigningKey, at: datetime) -> SigningKey:
    if key.valid_to is not None and key.valid_to <= at:
        return key
    return key.model_copy(update={"valid_to": at})


def _revoked(keys: Iterable[SigningKey], now: datetime, kids: set[str]) -> tuple[SigningKey, ...]:
    return tuple(
        key.model_copy(update={"revoked_at": key.revoked_at or now}) if key.kid in kids else key
        for key in keys
    )
