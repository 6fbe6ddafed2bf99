"""The signature that goes with an event: the institution's own, or the gateway's for those that
entrusted it with theirs (design, decision 8). Judged as the validate step will judge it."""

import logging
from datetime import datetime
from typing import Final

from traverse_producers.gateway.errors import (
    GatewayKeyError,
    MalformedBodyError,
    RegistryUnreadError,
)
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.registry.registry import Registry
from traverse_schemas.signing.attribution import gateway_key, signed_by, speaker
from traverse_schemas.signing.signatures import MalformedSignatureError, Signer, key_id
from traverse_schemas.signing.sources import Source

_LOG = logging.getLogger(__name__)
SIGNATURE: Final = "traverse-signature"
"""The HTTP header: a detached JWS for each event of the request, in its order, with commas; an
empty place leaves that event to the gateway's signature."""


def presented(header: str | None, events: int) -> list[bytes | None]:
    """The signatures of a request, one an event; none when there is no header.

    Raises MalformedBodyError when there are more, or fewer, than events.
    """
    if header is None or not header.strip():
        return [None] * events
    signatures = [part.strip().encode(errors="replace") for part in header.split(",")]
    if len(signatures) != events:
        raise MalformedBodyError(
            f"L'en-tête Traverse-Signature a {len(signatures)} signature(s) pour {events} "
            "événement(s) : donnez-en une par événement, dans leur ordre, séparées par des "
            "virgules. Rien de cet envoi n'a été retenu."
        )
    return [signature or None for signature in signatures]


_HOW: Final = (
    "Traverse-Signature ; « traverse publish » et « traverse rejected replay » signent, par la "
    "passerelle aussi, avec la clé de l'institution"
)


class Vouching:
    """Gives each event its signature. Safe to share between threads."""

    def __init__(self, registry: Registry, signer: Signer | None, *, required: bool) -> None:
        """`signer` has the gateway's own key; `required`: nothing goes without a signature."""
        self._registry = registry
        self._signer = signer
        self._required = required
        self._told = ""

    def signature(
        self, octets: bytes, source: Source, own: bytes | None, now: datetime
    ) -> bytes | None:
        """The signature of these octets, `own` being the one that came with them; None where none
        is asked for. Raises RejectedError; GatewayKeyError where it would be the gateway's, whose
        key does not hold."""
        view = self._registry.view()
        if own is not None:
            speaker(signed_by(octets, own, view), source, now, view)
            return own
        if self._signer is not None and self.signs_for(source.siren):
            self.check_key(now)
            return self._signer.sign(octets)
        if not self._required:
            return None
        raise RejectedError(Reason.UNSIGNED, "", self._why(source))

    def check_key(self, now: datetime) -> None:
        """Raises GatewayKeyError when the gateway has a key that validate would not take now."""
        if self._signer is None or not self._required:
            return
        try:
            gateway_key(self._signer.kid, self._signer.x, now, self._registry.view())
        except RejectedError as error:
            if self._told != error.reason:
                self._told = error.reason
                _LOG.error("gateway_key_refused kid=%s reason=%s", self._signer.kid, error.reason)
            raise GatewayKeyError(error.reason) from None
        self._told = ""

    def renewed(self, octets: bytes, signature: bytes, siren: str, now: datetime) -> bytes:
        """The signature with which an event of this institution goes that was signed a while ago:
        the gateway's anew where it was the gateway's; that of anybody else as it is.

        Raises GatewayKeyError, RegistryUnreadError: it has to wait.
        """
        if not self._required:
            return signature
        if not self._registry.ready:
            raise RegistryUnreadError
        if self._signer is None or not self.signs_for(siren) or self._is_own(signature, siren):
            return signature
        self.check_key(now)
        return self._signer.sign(octets)

    def _is_own(self, signature: bytes, siren: str) -> bool:
        """Whether an institution other than the gateway's made it: what was once a signing key of
        it stays in the registry."""
        view = self._registry.view()
        try:
            holders = {holder.siren for holder, _ in view.holders(key_id(signature))}
        except MalformedSignatureError:
            return False
        ours = {
            holder.siren for holder, _ in view.holders(self._signer.kid if self._signer else "")
        }
        return siren in holders - ours

    def signs_for(self, siren: str) -> bool:
        """Whether the gateway signs for this institution."""
        institution = self._registry.view().get(siren)
        return self._signer is not None and institution is not None and institution.delegated

    def _why(self, source: Source) -> str:
        if self._signer is None:
            return (
                f"La passerelle n'a pas de clé pour signer à votre place : signez vous-même "
                f"({_HOW}), ou prévenez l'exploitant (TRAVERSE_GATEWAY_SIREN)."
            )
        return (
            f"L'institution {source.siren} n'a pas confié sa signature à la passerelle : signez "
            f"les octets envoyés ({_HOW}), ou faites déléguer la signature (« traverse "
            f"institutions delegate {source.siren} »)."
        )
