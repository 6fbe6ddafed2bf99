"""Who calls: the API key of a request, and what the registry says of it."""

from base64 import b64decode
from binascii import Error as BinasciiError
from typing import NamedTuple, Protocol

from traverse_producers.gateway.errors import UnknownKeyError


class Caller(NamedTuple):
    """An institution that may publish. `rate` is its own events a minute, None the usual ones."""

    siren: str
    rate: int | None = None


class Registry(Protocol):
    """What the gateway asks of the registry of institutions. Answers at once, from memory."""

    def caller_of(self, api_key: str) -> Caller:
        """Who may publish with this key. Raises UnknownKeyError, ForbiddenError."""
        ...

    def ready(self) -> bool:
        """Whether the registry has been read up to the present once."""
        ...


def key_of(authorization: str | None) -> str:
    """The API key in an Authorization header: a Bearer token (RFC 6750), or the password of
    Basic (RFC 7617), whose user name may be anything. Raises UnknownKeyError."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    rest = rest.strip()
    key = ""
    if scheme.lower() == "bearer":
        key = rest
    elif scheme.lower() == "basic":
        try:
            key = b64decode(rest, validate=True).decode().partition(":")[2]
        except (BinasciiError, ValueError):
            key = ""
    if not key:
        raise UnknownKeyError(
            "Donnez la clé d'API de l'institution dans l'en-tête Authorization : « Bearer CLÉ », "
            "ou en Basic comme mot de passe."
        )
    return key
