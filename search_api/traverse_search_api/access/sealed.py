"""Sealed text: what the service gives a caller to bring back, neither altered nor read.

Read, it would tell: the position of a stream counts the changes of all documents, those that its
reader may not know of included. AES-SIV (RFC 5297) needs no nonce.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


def seal(payload: bytes, key: bytes, purpose: bytes = b"") -> str:
    """The payload, which must not be empty, as text for an address. What is sealed for one purpose
    opens for no other; `key` is the service's secret, of any length."""
    return urlsafe_b64encode(_cipher(key).encrypt(payload, [purpose])).decode().rstrip("=")


def unseal(text: str, key: bytes, purpose: bytes = b"") -> bytes | None:
    """The payload that `seal` was given; None when this key did not seal it for this purpose."""
    try:
        sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return _cipher(key).decrypt(sealed, [purpose])
    except (ValueError, InvalidTag):
        return None


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(blake2b(key, digest_size=64).digest())
