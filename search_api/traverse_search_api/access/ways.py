"""Access: who a request comes from. Each way of saying so is a `Way`; a route asks `Readers` once.

    reader = readers.of(request)

A request that says nothing is anybody's. One that says something wrong is refused, never taken
for anybody's: its caller would take the public part for all there is.
"""

from collections.abc import Callable
from typing import Final, Protocol

from starlette.requests import HTTPConnection

from traverse_schemas.clock import Clock
from traverse_schemas.registry.institutions import Scope
from traverse_schemas.registry.registry import Principal, Registry
from traverse_search_api.access.keeping_private import is_personal
from traverse_search_api.access.reader import ANYBODY, Reader, reader_of
from traverse_search_api.accounts.visits import Visits
from traverse_search_api.errors import ForbiddenKeyError, RegistryUnreadError, UnknownKeyError

_SCHEME: Final = "bearer"


class Way(Protocol):
    """One way of saying who one is."""

    def reader(self, request: HTTPConnection) -> Reader | None:
        """Who the request comes from; None when it says nothing in this way. Raises a SearchError
        when what it says does not hold."""
        ...


class ApiKeys:
    """An institution's API key, as `Authorization: Bearer` (RFC 6750)."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        """Knows institutions by the registry, as it is at each request."""
        self._registry = registry
        self._clock = clock

    def reader(self, request: HTTPConnection) -> Reader | None:
        """See `Way`. Raises UnknownKeyError, ForbiddenKeyError, RegistryUnreadError."""
        if "authorization" not in request.headers:
            return None
        found = self.principal(request)
        if not found.may(Scope.READ):
            raise ForbiddenKeyError
        return reader_of(found.institution, self._clock.now())

    def principal(self, request: HTTPConnection) -> Principal:
        """Whose key a request carries, whatever it may do. Raises UnknownKeyError,
        RegistryUnreadError."""
        scheme, _, key = request.headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != _SCHEME or not key.strip():
            raise UnknownKeyError(
                "Donnez la clé d’API dans l’en-tête Authorization : « Bearer CLÉ », "
                "ou cherchez sans cet en-tête dans ce qui est public."
            )
        if not self._registry.ready:
            raise RegistryUnreadError
        found = self._registry.view().authenticate(key.strip(), self._clock.now())
        if not isinstance(found, Principal):
            # No more than that: which keys once were is nobody's business.
            raise UnknownKeyError(
                "Cette clé d’API n’est pas valable (inconnue, expirée ou révoquée) : demandez-en "
                "une à l’exploitant, ou cherchez sans clé dans ce qui est public."
            )
        return found

    def key_of(self, request: HTTPConnection) -> str:
        """The SIREN of the institution whose valid key a request carries; "" without one."""
        given = request.headers.get("authorization", "")
        scheme, _, key = given.strip().partition(" ")
        if scheme.lower() != _SCHEME or not self._registry.ready:
            return ""
        found = self._registry.view().authenticate(key.strip(), self._clock.now())
        return found.institution.siren if isinstance(found, Principal) else ""


class Visitors:
    """People who have signed in: they read what the institution that they act for does."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def reader(self, request: HTTPConnection) -> Reader | None:
        """See `Way`. A session that has ended is nobody's: its person is asked to sign in again."""
        cookie = request.cookies.get(self._visits.session_cookie)
        now = self._visits.now()
        person = self._visits.sessions.read(cookie, now) if cookie else None
        return reader_of(person.institution, now) if person is not None else None


class Readers:
    """Resolves requests; the first way that knows one counts."""

    def __init__(self, *ways: Way) -> None:
        self._ways = ways

    def of(self, request: HTTPConnection) -> Reader:
        """Who reads. Raises what the ways raise."""
        for way in self._ways:
            reader = way.reader(request)
            if reader is not None:
                return reader
        return ANYBODY

    def still(self, request: HTTPConnection, reader: Reader) -> Callable[[], bool]:
        """Tells, whenever asked, whether the request would be `reader`'s now: a key may be revoked
        while a stream is open. What anybody may read stays so, of who said nothing."""
        if reader == ANYBODY and not is_personal(request.scope):
            return lambda: True

        def holds() -> bool:
            try:
                return self.of(request) == reader
            except (UnknownKeyError, ForbiddenKeyError):
                return False
            except RegistryUnreadError:
                return True  # it was read once; it is being read again

        return holds
