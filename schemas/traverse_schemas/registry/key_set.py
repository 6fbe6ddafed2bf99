"""The public signing keys, as a JWK Set (RFC 7517): what a subscriber needs to verify events.

Beside the JWK members, each key has `siren` (whose it is), `valid_from`, `valid_to` and
`revoked_at` (ISO 8601; when the broker received an event must lie in there) and `gateway` (it
vouches for institutions that delegated to it). Pure.
"""

from typing import Any

from traverse_schemas.log.identity import utc_text
from traverse_schemas.registry.institutions import Institution, Role, SigningKey
from traverse_schemas.registry.registry import RegistryView


def key_set(view: RegistryView, siren: str | None = None) -> dict[str, Any]:
    """The keys of everybody, or of one institution (and those of gateways: they may sign for it),
    old ones included: they verify the past."""
    return {
        "keys": [
            _jwk(one, key)
            for one in sorted(view.institutions.values(), key=lambda one: one.siren)
            if siren is None or one.siren == siren or Role.GATEWAY in one.roles
            for key in one.signing_keys
        ]
    }


def _jwk(institution: Institution, key: SigningKey) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kty": key.kty,
        "crv": key.crv,
        "x": key.x,
        "kid": key.kid,
        "alg": "EdDSA",
        "use": "sig",
        "siren": institution.siren,
        "gateway": Role.GATEWAY in institution.roles,
        "valid_from": utc_text(key.valid_from),
    }
    for name in ("valid_to", "revoked_at"):
        at = getattr(key, name)
        if at is not None:
            found[name] = utc_text(at)
    return found
