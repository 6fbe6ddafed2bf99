"""Signatures: who said these very octets (design, decision 8).

A detached JWS (RFC 7515, appendix F) with an unencoded payload (RFC 7797), by EdDSA with an
Ed25519 key (RFC 8037). The payload is the exact octets of the structured-mode CloudEvent; the
protected header names the key (`kid`). It travels in the Kafka header `traverse-signature`.
"""

import re
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt import PyJWTError
from jwt.api_jws import PyJWS
from jwt.utils import base64url_decode, base64url_encode

from traverse_schemas.errors import TraverseError
from traverse_schemas.registry.institutions import SigningKey
from traverse_schemas.signing.ed25519 import CURVE

SIGNATURE_HEADER: Final = "traverse-signature"
"""The Kafka header with the detached JWS."""

RECEIVED_HEADER: Final = "traverse-received"
"""On `traverse.accepted` and the public topics: when the broker received the event (ISO 8601), the
instant at which its key had to be valid."""

VOUCHED_HEADER: Final = "traverse-vouched"
"""There too: the SIREN of who signed for the institution: the gateway that it delegated to, or the
operator who erases."""

_ALGORITHM = "EdDSA"
# header..signature: what is longer, or looks otherwise, is not worth a look inside. 64 octets of
# signature are 86 characters.
_FORM = re.compile(rb"[A-Za-z0-9_-]{1,600}\.\.[A-Za-z0-9_-]{86}")
_jws = PyJWS(algorithms=[_ALGORITHM])


class SigningKeyError(TraverseError):
    """A private key cannot be used."""


class MalformedSignatureError(TraverseError, ValueError):
    """What should be a signature is none."""


class Signer:
    """Signs with one private key. Safe to share between threads."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._key = private_key
        self._sign = CURVE.signing(private_key.private_bytes_raw())
        self.x = _x(private_key.public_key())
        self.kid = thumbprint(self.x)
        # A key signs everything under one and the same protected header: it is written once.
        headers = {"kid": self.kid, "typ": None, "b64": False, "crit": ["b64"]}
        whole = _jws.encode(b"", private_key, _ALGORITHM, headers=headers, is_payload_detached=True)
        self._protected = whole.encode().partition(b"..")[0]

    @classmethod
    def generate(cls) -> "Signer":
        """With a new key, from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> "Signer":
        """With the key of a file in PKCS #8 (RFC 5958, RFC 8410). Raises SigningKeyError."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningKeyError(
                "Ce n'est pas une clé privée Ed25519 en PEM sans mot de passe : « traverse "
                "institutions rotate-key SIREN » en fait une."
            )
        return cls(key)

    def pem(self) -> bytes:
        """The private key as a file: to be read by its owner alone."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public(self, valid_from: datetime) -> SigningKey:
        """The public key, for the registry. To the second: the broker's clock counts in
        milliseconds, and the first event may follow in the same one."""
        return SigningKey(kid=self.kid, x=self.x, valid_from=valid_from.replace(microsecond=0))

    def sign(self, octets: bytes) -> bytes:
        """The value of SIGNATURE_HEADER for these octets."""
        # The signing input of RFC 7797, section 3: the header, a dot, the payload as it is.
        signed = self._sign(self._protected + b"." + octets)
        return self._protected + b".." + base64url_encode(signed)


def public_key_of(pem: bytes, valid_from: datetime) -> SigningKey:
    """The registry's entry of a public key in PEM (SubjectPublicKeyInfo, RFC 8410): for who keeps
    the private one to itself. Raises SigningKeyError."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningKeyError(
            "Ce n'est pas une clé publique Ed25519 en PEM : « openssl pkey -in privée.pem "
            "-pubout » la donne."
        )
    x = _x(key)
    return SigningKey(kid=thumbprint(x), x=x, valid_from=valid_from.replace(microsecond=0))


def key_id(signature: bytes) -> str:
    """The `kid` that a signature names; nothing is verified. Raises MalformedSignatureError."""
    if not _FORM.fullmatch(signature):
        raise MalformedSignatureError(
            "La signature n'est pas un JWS détaché (en-tête, deux points, 86 caractères)."
        )
    return _kid_of(signature.partition(b".")[0])


def verify(octets: bytes, signature: bytes, x: str) -> bool:
    """Whether the key `x` (base64url of its 32 octets) signed exactly these octets.

    Whatever the signature is, the answer is no more than False.
    """
    try:
        key_id(signature)
        protected, _, signed = signature.partition(b"..")
        # The signing input of RFC 7797, section 3: the header as it came, a dot, the payload.
        return CURVE.verifies(protected + b"." + octets, base64url_decode(signed), _octets_of(x))
    except ValueError:
        return False


def thumbprint(x: str) -> str:
    """The name of a key by its content (RFC 7638, RFC 8037 appendix A.3)."""
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return base64url_encode(sha256(canonical.encode()).digest()).decode()


# A key signs thousands of events with one and the same protected header: it is read once.
@lru_cache(maxsize=4096)
def _kid_of(protected: bytes) -> str:
    try:
        header = _jws.get_unverified_header(b"%s..%s" % (protected, b"A" * 86))
    except (PyJWTError, ValueError):
        header = {}
    kid = header.get("kid")
    # What is critical must be understood (RFC 7515, section 4.1.11): `b64` alone is.
    known = {"alg": _ALGORITHM, "b64": False, "crit": ["b64"]}
    if not isinstance(kid, str) or any(header.get(name) != value for name, value in known.items()):
        raise MalformedSignatureError(
            'L\'en-tête de la signature doit avoir alg EdDSA, b64 false, crit ["b64"] et kid.'
        )
    return kid


@lru_cache(maxsize=4096)
def _octets_of(x: str) -> bytes:
    """Raises ValueError for what is no base64url."""
    return base64url_decode(x)


def _x(key: Ed25519PublicKey) -> str:
    return base64url_encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
