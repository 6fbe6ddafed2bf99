"""The registry at hand: institutions, found by SIREN, by signing key and by API key.

A `RegistryView` is what one moment had, without lock and without network; a `Registry` gives the
present one, and makes a new one only when the table has changed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest
from typing import NamedTuple, Protocol

from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.log.topics import INSTITUTIONS
from traverse_schemas.registry.api_keys import api_key_hash
from traverse_schemas.registry.institutions import (
    ROLE_FOR,
    ApiKey,
    Institution,
    Scope,
    SigningKey,
    decode_institution,
    encode_institution,
)


class Refusal(StrEnum):
    """Why an API key does not open; for the journal: the answer says no more than « refused »."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Principal(NamedTuple):
    """Who presents an API key."""

    institution: Institution
    key: ApiKey

    def may(self, scope: Scope) -> bool:
        """Whether the key has this scope; to administer, or to act for others, the institution
        needs the role too."""
        needed = ROLE_FOR.get(scope)
        if needed is not None and needed not in self.institution.roles:
            return False
        return scope in self.key.scopes


class RegistryView:
    """The institutions as one moment had them."""

    def __init__(self, institutions: Iterable[Institution]) -> None:
        self.institutions: Mapping[str, Institution] = {one.siren: one for one in institutions}
        self._holders: dict[str, list[tuple[Institution, SigningKey]]] = {}
        self._by_hash: dict[str, Principal] = {}
        for one in self.institutions.values():
            for key in one.signing_keys:
                self._holders.setdefault(key.kid, []).append((one, key))
            for api_key in one.api_keys:
                self._by_hash[api_key.sha256] = Principal(one, api_key)

    def get(self, siren: str) -> Institution | None:
        """The institution of this SIREN, revoked or not."""
        return self.institutions.get(siren)

    def known_to_others(self, siren: str) -> Institution | None:
        """The institution of this SIREN, unless it only tries: then nobody hears of it, its name
        included."""
        found = self.institutions.get(siren)
        trying = found is not None and found.sandbox and found.sandbox_until is None
        return None if trying else found

    def holders(self, kid: str) -> list[tuple[Institution, SigningKey]]:
        """Who has a signing key of this name, with the key."""
        return self._holders.get(kid, [])

    def authenticate(self, presented: str, at: datetime) -> Principal | Refusal:
        """Who presents this API key, or why nobody does."""
        hashed = api_key_hash(presented)
        found = self._by_hash.get(hashed)
        if found is None or not compare_digest(found.key.sha256, hashed):
            return Refusal.UNKNOWN
        if not found.institution.active(at):
            return Refusal.REVOKED
        if found.key.revoked_at is not None and found.key.revoked_at <= at:
            return Refusal.REVOKED
        return found if found.key.holds(at) else Refusal.EXPIRED


class Registry(Protocol):
    """Gives the present view. `ready` is False until all of the registry has been read: nothing
    is judged before."""

    @property
    def ready(self) -> bool: ...

    def view(self) -> RegistryView: ...

    def catch_up(self, timeout: float) -> None:
        """Wait until what was registered before this call is in the view. Raises TableError."""
        ...


class FixedRegistry:
    """A registry that stands still, for tests and measurements."""

    def __init__(self, institutions: Iterable[Institution] = ()) -> None:
        self._view = RegistryView(institutions)

    @property
    def ready(self) -> bool:
        return True

    def view(self) -> RegistryView:
        """Always the same."""
        return self._view

    def catch_up(self, timeout: float) -> None:
        """Nothing to wait for."""


class LiveRegistry:
    """The registry of a table that is followed live."""

    def __init__(self, table: CompactedTable[Institution]) -> None:
        self.table = table
        self._known: tuple[int, RegistryView] = (-1, RegistryView(()))

    @property
    def ready(self) -> bool:
        return self.table.ready

    def view(self) -> RegistryView:
        """The present view; the same until a row changes."""
        version, view = self._known
        now = self.table.version
        if version != now:
            view = RegistryView(self.table.rows().values())
            self._known = (now, view)
        return view

    def catch_up(self, timeout: float) -> None:
        """See Registry.catch_up."""
        self.table.catch_up(timeout)


def institutions_table(bootstrap: str) -> CompactedTable[Institution]:
    """The registry's table on a Kafka; nothing is opened before it is started."""
    # Here, so that whoever has a registry in memory loads no Kafka client.
    from traverse_schemas.log.compacted_topic import KafkaTableLog

    return CompactedTable(
        KafkaTableLog(bootstrap, INSTITUTIONS),
        encode=encode_institution,
        decode=decode_institution,
    )
