"""Passwords: argon2id (RFC 9106), hashed and compared in few threads at a time.

One hash takes 64 MiB for some 50 ms, so that guessing is dear; and so that strangers who try many
at once cannot take the machine's memory, no more than two are computed at a time.
"""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from traverse_schemas.errors import TraverseError

SHORTEST: Final = 12
"""Characters of a password at least (CNIL, délibération 2022-100: 50 bits with throttling)."""

LONGEST: Final = 200
_AT_ONCE: Final = 2


class WeakPasswordError(TraverseError):
    """A password that is too easy to guess, or too long."""


def check_password(password: str, email: str) -> None:
    """Raises WeakPasswordError for one that may not be chosen."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPasswordError(
            f"Le mot de passe doit avoir de {SHORTEST} à {LONGEST} caractères : une phrase de "
            "quelques mots convient."
        )
    if len(set(password)) < 5 or password.casefold() in email.casefold():
        raise WeakPasswordError(
            "Ce mot de passe se devine : choisissez une phrase de quelques mots sans rapport avec "
            "votre adresse."
        )


class Passwords:
    """Hashes passwords, and compares them with hashes."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = asyncio.Semaphore(_AT_ONCE)
        # What the password of nobody is compared with: an address without account takes as long.
        self._nobody = self._hasher.hash("nobody has this one")

    def hash(self, password: str) -> str:
        """The hash to keep. Takes some 50 ms."""
        return self._hasher.hash(password)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password is that of the hash; never for None, and not sooner."""
        if len(password) > LONGEST:
            password = ""
        async with self._room:
            right = await asyncio.to_thread(self._verify, hashed or self._nobody, password)
        return right and hashed is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return False
