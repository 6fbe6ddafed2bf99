"""Verification, for subscribers: who said a message of `traverse.events.*`, by the octets alone.

It needs the message as Kafka gave it, and the public keys (`traverse institutions keys`).
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from traverse_schemas.errors import TraverseError
from traverse_schemas.signing.signatures import RECEIVED_HEADER, SIGNATURE_HEADER, key_id, verify
from traverse_schemas.signing.sources import parse_source


class NotVerifiedError(TraverseError):
    """Nobody can be held to these octets."""


class Word(NamedTuple):
    """Whose word an event is: the SIREN of its source, and who signed for it (None: itself)."""

    siren: str
    vouched_by: str | None


def who_said(octets: bytes, headers: Iterable[tuple[str, bytes]], keys: Mapping[str, Any]) -> Word:
    """Who said a message: its value, its headers, and a key set (`key_set`).

    Raises NotVerifiedError: no signature (a notice of the platform has none), a key that is not in
    the set, other octets than those that were signed, a key out of its time, or a source that is
    not the key's institution's while no gateway vouches for it.
    """
    found = dict(headers)
    try:
        kid = key_id(found.get(SIGNATURE_HEADER, b""))
        received = datetime.fromisoformat(found.get(RECEIVED_HEADER, b"").decode())
    except ValueError as error:
        raise NotVerifiedError(
            "Le message n'a pas de signature, ou pas d'heure de réception : rien ne prouve qui l'a "
            "dit."
        ) from error
    for key in keys["keys"]:
        if key["kid"] != kid or not verify(octets, found[SIGNATURE_HEADER], key["x"]):
            continue
        siren = parse_source(json.loads(octets)["source"]).siren
        if _held(key, received) and (key["siren"] == siren or key["gateway"]):
            return Word(siren, None if key["siren"] == siren else key["siren"])
    raise NotVerifiedError(
        f"Aucune clé connue ne prouve qui a dit ce message (kid {kid[:60]}) : prenez les clés du "
        "jour (« traverse institutions keys »), sinon ne vous y fiez pas."
    )


def _held(key: Mapping[str, Any], received: datetime) -> bool:
    ends = [key[name] for name in ("valid_to", "revoked_at") if name in key]
    return datetime.fromisoformat(key["valid_from"]) <= received and all(
        received < datetime.fromisoformat(end) for end in ends
    )
