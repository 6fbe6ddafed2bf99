"""What may be changed of an institution, as pure functions: the command line and the
administrator's API apply them with `CompactedTable.update`.

Nothing that was signed in good order loses its key: keys end, they never go.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from traverse_schemas.errors import TraverseError
from traverse_schemas.institutions import BUYER_KINDS, Institution, Role, SigningKey
from traverse_schemas.records.codes import InstitutionKind


class AlreadyRegisteredError(TraverseError):
    """The institution is in the registry already."""


class NotRegisteredError(TraverseError):
    """The institution is not in the registry."""

    def __init__(self, siren: str) -> None:
        super().__init__(
            f"L'institution {siren} n'est pas au registre : ajoutez-la avec « traverse "
            f"institutions add {siren} --name NOM --kind TYPE »."
        )


class UnknownSigningKeyError(TraverseError):
    """The institution has no signing key of that name."""


def default_roles(kind: InstitutionKind) -> frozenset[Role]:
    """The roles that follow from what an institution is."""
    return frozenset({Role.BUYER}) if kind in BUYER_KINDS else frozenset()


def enrol(known: Institution | None, newcomer: Institution) -> Institution:
    """The row of an institution that becomes a member: `newcomer`, with its first keys.

    One that was a member before comes back with its old signing keys beside the new: what it
    signed then stays verifiable. Raises AlreadyRegisteredError.
    """
    if known is None:
        return newcomer
    require_new(newcomer.siren, known)
    return newcomer.model_copy(
        update={
            "created": known.created,
            "signing_keys": (*known.signing_keys, *newcomer.signing_keys),
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
    if all(key.kid != kid for key in institution.signing_keys):
        raise UnknownSigningKeyError(
            f"L'institution {institution.siren} n'a pas de clé de signature « {kid[:60]} » : "
            "« traverse institutions list --json » les montre."
        )
    keys = _revoked(institution.signing_keys, now, {kid})
    return institution.model_copy(update={"signing_keys": keys})


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
