"""Sealed text: what the service gives a caller to bring back, so that it cannot be altered."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from hmac import compare_digest

_SIGNATURE_OCTETS = 16


def seal(payload: bytes, key: bytes) -> str:
    """The payload with its signature, as text for an address; `key` is the service's secret."""
    return urlsafe_b64encode(_sign(payload, key) + payload).decode().rstrip("=")


def unseal(text: str, key: bytes) -> bytes | None:
    """The payload that `seal` was given; None when this key did not seal it."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    signature, payload = raw[:_SIGNATURE_OCTETS], raw[_SIGNATURE_OCTETS:]
    return payload if compare_digest(signature, _sign(payload, key)) else None


def _sign(payload: bytes, key: bytes) -> bytes:
    secret = blake2b(key).digest()  # any length of key will do
    return blake2b(payload, key=secret, digest_size=_SIGNATURE_OCTETS).digest()
