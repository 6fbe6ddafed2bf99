"""Who signs in the tests: some institutions, each with a key of this session."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode

from traverse_producers.signing_keys import siren_of
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.institutions import Institution
from traverse_schemas.signing.signatures import Signer

CCI = "181300013"
MEMBERS = {
    CCI: ("CCI Aix-Marseille-Provence", InstitutionKind.CHAMBER),
    "200054807": ("Métropole d'Aix-Marseille-Provence", InstitutionKind.EPCI),
    "211300405": ("Fuveau", InstitutionKind.COMMUNE),
    "211300553": ("Marseille", InstitutionKind.COMMUNE),
    "211300413": ("Gardanne", InstitutionKind.COMMUNE),
    "211300017": ("Aix-en-Provence", InstitutionKind.COMMUNE),
}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@lru_cache
def signer_of(siren: str) -> Signer:
    """The key of an institution, the same all through the session."""
    return Signer.generate()


def member(siren: str, **changes: Any) -> Institution:
    """A member since long ago, with its key."""
    name, kind = MEMBERS.get(siren, (f"SIREN {siren}", InstitutionKind.OTHER))
    values = {
        "siren": siren,
        "name": name,
        "kind": kind,
        "created": LONG_AGO,
        "signing_keys": (signer_of(siren).public(LONG_AGO),),
    }
    return Institution(**{**values, **changes})


def members() -> Iterator[Institution]:
    """Everybody who speaks in the tests."""
    return (member(siren) for siren in MEMBERS)


def signature(octets: bytes) -> bytes:
    """Signed by the institution of the event's source; by the chamber where it names no member."""
    try:
        siren = siren_of(orjson.loads(octets)["source"])
    except (ValueError, TypeError, KeyError):
        siren = ""
    return signer_of(siren if siren in MEMBERS else CCI).sign(octets)


def public_pem(signer: Signer) -> str:
    """The public half of a key, as its owner gives it."""
    key = Ed25519PublicKey.from_public_bytes(base64url_decode(signer.x.encode()))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
