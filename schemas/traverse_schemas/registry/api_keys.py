"""API keys: 256 random bits, shown once, known afterwards by their SHA-256.

A hash without salt and without stretching is enough here: nobody guesses 256 random bits. Finding
a key by its hash takes the same time whatever was presented, because the hash of a wrong key says
nothing of how near it was.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from traverse_schemas.errors import TraverseError
from traverse_schemas.registry.institutions import ApiKey, Scope

API_KEY_PREFIX: Final = "trv_"
"""What a key begins with, so that a secret scanner knows one that was published by mistake."""

_LONGEST = 200

Randomness = Callable[[int], bytes]
"""So many random octets."""


class UnknownApiKeyError(TraverseError):
    """No API key of this institution has that id."""


class NewApiKey(NamedTuple):
    """A key that was just made: `secret` is to be shown once and kept nowhere."""

    secret: str
    key: ApiKey


def new_api_key(
    scopes: Iterable[Scope],
    now: datetime,
    *,
    label: str = "",
    expires: datetime | None = None,
    randomness: Randomness = secrets.token_bytes,
) -> NewApiKey:
    """Make a key of 256 bits."""
    secret = API_KEY_PREFIX + randomness(32).hex()
    key = ApiKey(
        id=randomness(6).hex(),
        sha256=api_key_hash(secret),
        scopes=frozenset(scopes),
        label=label,
        created=now,
        expires=expires,
    )
    return NewApiKey(secret, key)


def api_key_hash(presented: str) -> str:
    """The SHA-256 by which a presented key is looked up, in hexadecimal; "" when it is too long to
    be one."""
    if len(presented) > _LONGEST:
        return ""
    return sha256(presented.encode(errors="surrogatepass")).hexdigest()


def rotated_api_keys(
    keys: Iterable[ApiKey],
    key_id: str,
    now: datetime,
    overlap: timedelta,
    *,
    expires: datetime | None = None,
    randomness: Randomness = secrets.token_bytes,
) -> tuple[tuple[ApiKey, ...], NewApiKey]:
    """The keys with a new one in the place of `key_id`, which still holds for `overlap`: its owner
    changes it in its systems meanwhile. Raises UnknownApiKeyError."""
    kept = tuple(keys)
    old = _find(kept, key_id)
    new = new_api_key(old.scopes, now, label=old.label, expires=expires, randomness=randomness)
    until = now + overlap
    ended = old.model_copy(update={"expires": min(old.expires or until, until)})
    return (*(ended if key is old else key for key in kept), new.key), new


def revoked_api_keys(keys: Iterable[ApiKey], key_id: str, now: datetime) -> tuple[ApiKey, ...]:
    """The keys with this one ended at once. Raises UnknownApiKeyError."""
    kept = tuple(keys)
    old = _find(kept, key_id)
    ended = old.model_copy(update={"revoked_at": old.revoked_at or now})
    return tuple(ended if key is old else key for key in kept)


def _find(keys: tuple[ApiKey, ...], key_id: str) -> ApiKey:
    for key in keys:
        if key.id == key_id:
            return key
    raise UnknownApiKeyError(
        f"Aucune clé d'API n'a l'identifiant « {key_id[:40]} » : « traverse institutions list "
        "--json » les montre."
    )
