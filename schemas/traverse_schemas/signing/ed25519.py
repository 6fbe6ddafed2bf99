"""Ed25519 (RFC 8032): signing and verifying octets, as fast as what is installed has it.

By libsodium where it is there (the extras `gateway` and `processors` bring it), else by OpenSSL,
which every publisher has. Both sign with the same octets, for the RFC leaves no choice. libsodium
signs and verifies in little more than half of the time, and says no besides to keys and signatures
of small order, which no generator of keys makes and OpenSSL lets pass.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Sign = Callable[[bytes], bytes]


class Curve(Protocol):
    """One implementation. Safe to share between threads."""

    def signing(self, seed: bytes) -> Sign:
        """What gives the 64 octets of a signature, by the private key of these 32."""
        ...

    def verifies(self, octets: bytes, signature: bytes, public: bytes) -> bool:
        """Whether `public`, 32 octets, signed these; whatever is given, the answer is no more than
        False."""
        ...


class OpenSSL:
    """See Curve."""

    def signing(self, seed: bytes) -> Sign:
        """See Curve.signing."""
        return Ed25519PrivateKey.from_private_bytes(seed).sign

    def verifies(self, octets: bytes, signature: bytes, public: bytes) -> bool:
        """See Curve.verifies."""
        try:
            _key(public).verify(signature, octets)
        except (InvalidSignature, ValueError):
            return False
        return True


class Sodium:
    """See Curve. Raises ImportError where it is not installed."""

    def __init__(self) -> None:
        from nacl import bindings
        from nacl.exceptions import CryptoError

        self._bindings = bindings
        self._refusal: type[Exception] = CryptoError

    def signing(self, seed: bytes) -> Sign:
        """See Curve.signing."""
        _, secret = self._bindings.crypto_sign_seed_keypair(seed)
        crypto_sign: Callable[[bytes, bytes], bytes] = self._bindings.crypto_sign
        return lambda octets: crypto_sign(octets, secret)[:64]  # the octets themselves follow

    def verifies(self, octets: bytes, signature: bytes, public: bytes) -> bool:
        """See Curve.verifies."""
        # The binding reads 64 and 32 octets of them, however many there are.
        if len(signature) != 64 or len(public) != 32:
            return False
        try:
            self._bindings.crypto_sign_open(signature + octets, public)
        except self._refusal:
            return False
        return True


@lru_cache(maxsize=4096)
def _key(public: bytes) -> Ed25519PublicKey:
    """Raises ValueError for what is no key."""
    return Ed25519PublicKey.from_public_bytes(public)


def _fastest() -> Curve:
    try:
        return Sodium()
    except ImportError:
        return OpenSSL()


CURVE: Final = _fastest()
"""The one that is used."""
