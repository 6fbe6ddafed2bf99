"""The accounts at hand: found by address and by a provider's identity, followed live."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.log.topics import ACCOUNTS
from traverse_search_api.accounts.account import (
    Account,
    Identity,
    account_id,
    decode_account,
    encode_account,
)

AccountsTable = CompactedTable[Account]


class _View(NamedTuple):
    version: int
    by_identity: dict[Identity, Account]


class Directory(Protocol):
    """Reads accounts without lock and without network; changes one on the log (blocking)."""

    @property
    def ready(self) -> bool: ...

    def get(self, identifier: str) -> Account | None: ...

    def of_email(self, email: str) -> Account | None: ...

    def of_identity(self, identity: Identity) -> Account | None: ...

    def members(self, siren: str) -> list[Account]: ...

    def update(self, identifier: str, change: Callable[[Account | None], Account]) -> Account: ...


class LiveDirectory:
    """The directory of a table that is followed live."""

    def __init__(self, table: AccountsTable) -> None:
        self.table = table
        self._view = _View(-1, {})

    @property
    def ready(self) -> bool:
        """Whether the table has been read up to the present once."""
        return self.table.ready

    def get(self, identifier: str) -> Account | None:
        """The account of this id."""
        return self.table.get(identifier)

    def of_email(self, email: str) -> Account | None:
        """The account of an address, however it is written."""
        return self.table.get(account_id(email))

    def of_identity(self, identity: Identity) -> Account | None:
        """The account that is bound to this identity."""
        now = self.table.version
        if self._view.version != now:
            self._view = _View(now, _by_identity(self.table.rows().values()))
        return self._view.by_identity.get(identity)

    def members(self, siren: str) -> list[Account]:
        """The accounts with a role for an institution, by address."""
        found = [one for one in self.table.rows().values() if one.role_for(siren)]
        return sorted(found, key=lambda one: one.email)

    def update(self, identifier: str, change: Callable[[Account | None], Account]) -> Account:
        """See CompactedTable.update. Blocking; raises TableError."""
        return self.table.update(identifier, change)


def _by_identity(accounts: Iterable[Account]) -> dict[Identity, Account]:
    return {one.identity: one for one in accounts if one.identity is not None}


def accounts_table(bootstrap: str) -> AccountsTable:
    """The table of accounts on a Kafka; nothing is opened before it is started."""
    from traverse_schemas.log.compacted_topic import KafkaTableLog

    return CompactedTable(
        KafkaTableLog(bootstrap, ACCOUNTS), encode=encode_account, decode=decode_account
    )
