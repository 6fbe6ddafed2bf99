"""Attribution: whose word an event is, by its signature and the registry. Pure.

In two steps, so that what strangers send costs little: `signed_by` looks at the octets without
reading them (no signature, or a key that nobody has: a look-up and no more); `speaker` compares
who signed with the `source` that the event, once read, names.

Everything is judged at the broker's time: the same message is judged the same when it is read
again, and rotating a key invalidates nothing of the past.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.registry.institutions import Institution, Role, SigningKey
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.signing.signatures import MalformedSignatureError, key_id, verify
from traverse_schemas.signing.sources import Source

AWAITS_REGISTRY = frozenset(
    {
        Reason.UNKNOWN_KEY,
        Reason.UNKNOWN_INSTITUTION,
        Reason.WRONG_INSTITUTION,
        Reason.REVOKED_INSTITUTION,
    }
)
"""What a registry that has not read its last rows yet would say wrongly."""


OF_ATTRIBUTION = AWAITS_REGISTRY | {
    Reason.UNSIGNED,
    Reason.BAD_SIGNATURE,
    Reason.KEY_NOT_YET_VALID,
    Reason.EXPIRED_KEY,
    Reason.REVOKED_KEY,
}
"""Every reason that this module gives."""


class Signed(NamedTuple):
    """Octets that a known key signed: the signature, and who has the key, each with its entry."""

    signature: bytes
    holders: Sequence[tuple[Institution, SigningKey]]

    def attributed(self, received: datetime) -> str | None:
        """The SIREN of who surely sent these octets; None when nobody can be held to it: the key
        was known to be stolen, or several have it."""
        sure = {
            holder.siren
            for holder, key in self.holders
            if holder.active(received) and not _revoked(key, received)
        }
        return next(iter(sure)) if len(sure) == 1 else None


class Speaker(NamedTuple):
    """Who says an event: the institution of its source, and who signed for it (`vouched_by`, a
    SIREN): the gateway, or the operator when it erases what is no member's any more."""

    institution: Institution | None
    vouched_by: str | None = None


def signed_by(octets: bytes, signature: bytes | None, view: RegistryView) -> Signed:
    """Who signed these octets. Raises RejectedError (unsigned, bad_signature, unknown_key)."""
    if not signature:
        raise RejectedError(
            Reason.UNSIGNED,
            "",
            "L'événement n'est pas signé : signez-le avec la clé de l'institution (la "
            "bibliothèque et « traverse publish » le font), ou passez par la passerelle.",
        )
    try:
        kid = key_id(signature)
    except MalformedSignatureError as error:
        raise RejectedError(Reason.BAD_SIGNATURE, "", str(error)) from None
    holders = view.holders(kid)
    if not holders:
        raise _unknown_key(kid)
    for x in {key.x for _, key in holders}:
        if verify(octets, signature, x):
            return Signed(signature, [(one, key) for one, key in holders if key.x == x])
    raise RejectedError(
        Reason.BAD_SIGNATURE,
        "",
        "La signature ne correspond pas au contenu : il a été modifié après avoir été signé, ou "
        "signé avec une autre clé. Signez exactement les octets envoyés.",
    )


def speaker(
    signed: Signed,
    source: Source,
    received: datetime,
    view: RegistryView,
    *,
    erasure: bool = False,
) -> Speaker:
    """Who says an event of this source. An `erasure` the operator may say for anybody: it has to
    obey the law (RGPD, art. 17) where the source does not, or is no member any more.

    Raises RejectedError (unknown_institution, revoked_institution, wrong_institution, revoked_key,
    expired_key, key_not_yet_valid).
    """
    institution = view.get(source.siren)
    if erasure:
        for holder, key in signed.holders:
            if Role.ADMINISTRATOR in holder.roles and holder.siren != source.siren:
                _check_member(holder, received)
                _check_key(key, received)
                return Speaker(institution, vouched_by=holder.siren)
    if institution is None:
        raise RejectedError(
            Reason.UNKNOWN_INSTITUTION,
            "/source",
            f"L'institution {source.siren} n'est pas au registre : faites-la enregistrer avant de "
            "publier en son nom.",
        )
    _check_member(institution, received)
    own = [key for holder, key in signed.holders if holder.siren == institution.siren]
    if own:
        _check_key(own[0], received)
        return Speaker(institution)
    if institution.delegated:
        gateway = _gateway(signed.holders, received)
        if gateway is not None:
            return Speaker(institution, vouched_by=gateway.siren)
    raise _impersonation(signed, institution)


def gateway_key(kid: str, x: str, received: datetime, view: RegistryView) -> None:
    """Whether this key vouches at this time for those that delegated: what `speaker` would say of
    any event that it signs.

    Raises RejectedError (unknown_key, wrong_institution, revoked_institution, revoked_key,
    expired_key, key_not_yet_valid).
    """
    holders = [(holder, key) for holder, key in view.holders(kid) if key.x == x]
    if not holders:
        raise _unknown_key(kid)
    if _gateway(holders, received) is None:
        raise RejectedError(
            Reason.WRONG_INSTITUTION,
            "",
            f"La clé de signature « {kid[:60]} » n'est pas celle d'une passerelle : donnez ce rôle "
            "à l'institution qui la tient.",
        )


def _gateway(
    holders: Sequence[tuple[Institution, SigningKey]], received: datetime
) -> Institution | None:
    """Who of them vouches as a gateway, if anybody does. Raises RejectedError when it may not."""
    for holder, key in holders:
        if Role.GATEWAY in holder.roles:
            _check_member(holder, received)
            _check_key(key, received)
            return holder
    return None


def _unknown_key(kid: str) -> RejectedError:
    return RejectedError(
        Reason.UNKNOWN_KEY,
        "",
        f"Aucune institution du registre n'a la clé de signature « {kid[:60]} » : faites-la "
        "enregistrer, ou signez avec la clé enregistrée.",
    )


def _impersonation(signed: Signed, institution: Institution) -> RejectedError:
    if any(Role.GATEWAY in holder.roles for holder, _ in signed.holders):
        return RejectedError(
            Reason.WRONG_INSTITUTION,
            "/source",
            f"L'institution {institution.siren} n'a pas confié sa signature à la passerelle : "
            "qu'elle signe elle-même, ou qu'elle délègue (« traverse institutions delegate »).",
        )
    return RejectedError(
        Reason.WRONG_INSTITUTION,
        "/source",
        f"La clé qui signe n'est pas une clé de l'institution {institution.siren} : chacun ne "
        "parle qu'en son nom (source = urn:siren: suivi de son propre SIREN).",
    )


def _check_member(institution: Institution, received: datetime) -> None:
    if not institution.active(received):
        raise RejectedError(
            Reason.REVOKED_INSTITUTION,
            "/source",
            f"L'institution {institution.siren} n'est plus membre : demandez à l'opérateur de la "
            "rétablir.",
        )


def _check_key(key: SigningKey, received: datetime) -> None:
    if _revoked(key, received):
        raise RejectedError(
            Reason.REVOKED_KEY,
            "",
            f"La clé de signature « {key.kid[:60]} » a été révoquée : signez avec une clé neuve "
            "(« traverse institutions rotate-key »).",
        )
    if received < key.valid_from:
        raise RejectedError(
            Reason.KEY_NOT_YET_VALID,
            "",
            f"La clé de signature « {key.kid[:60]} » ne vaut qu'à partir du "
            f"{key.valid_from.isoformat()} : attendez, ou signez avec la clé précédente.",
        )
    if key.valid_to is not None and received >= key.valid_to:
        raise RejectedError(
            Reason.EXPIRED_KEY,
            "",
            f"La clé de signature « {key.kid[:60]} » ne vaut plus depuis le "
            f"{key.valid_to.isoformat()} : signez avec la clé qui l'a remplacée.",
        )


def _revoked(key: SigningKey, received: datetime) -> bool:
    return key.revoked_at is not None and received >= key.revoked_at
