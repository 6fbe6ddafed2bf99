"""What the pages of people who sign in need besides the search: put together in one place."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.log.compacted_table import TableError
from traverse_schemas.registry.registry import LiveRegistry, Registry, institutions_table
from traverse_search_api.accounts.account import Account
from traverse_search_api.accounts.audit import Audit, Deed, open_audit
from traverse_search_api.accounts.directory import Directory, LiveDirectory, accounts_table
from traverse_search_api.accounts.errors import AccountsAwayError
from traverse_search_api.accounts.openid import Provider
from traverse_search_api.accounts.passwords import Passwords
from traverse_search_api.accounts.session import Sessions, SignedIn
from traverse_search_api.accounts.throttle import Throttle
from traverse_search_api.accounts.visits import Visits
from traverse_search_api.gateway_client import GatewayClient
from traverse_search_api.settings import SearchSettings


@dataclass(frozen=True, slots=True)
class Staff:
    """Accounts, sessions, what people do. `provider` is None where nobody signs in elsewhere."""

    directory: Directory
    registry: Registry
    visits: Visits
    audit: Audit
    gateway: GatewayClient
    provider: Provider | None = None
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)
    start: Callable[[], None] = lambda: None
    close_tables: Callable[[], None] = lambda: None

    def require_ready(self) -> None:
        """Raises AccountsAwayError until accounts and registry have been read."""
        if not (self.directory.ready and self.registry.ready):
            raise AccountsAwayError

    async def update(
        self, account: Account, change: Callable[[Account | None], Account]
    ) -> Account:
        """Change an account, on the log. Raises AccountsAwayError."""
        try:
            return await asyncio.to_thread(self.directory.update, account.id, change)
        except TableError as error:
            raise AccountsAwayError from error

    async def note(self, person: SignedIn, deed: Deed, *, now: datetime, **data: Any) -> None:
        """Write durably what somebody did for their institution. Raises AuditAwayError."""
        await self.audit.write(deed, siren=person.siren, account=person.account.id, now=now, **data)

    async def close(self) -> None:
        """Release everything."""
        await self.gateway.close()
        await asyncio.to_thread(self.close_tables)
        await asyncio.to_thread(self.audit.close)


def open_staff(settings: SearchSettings, clock: Clock | None = None) -> Staff:
    """Everything by the settings; the tables are followed from `start` on."""
    accounts = accounts_table(settings.kafka)
    institutions = institutions_table(settings.kafka)

    def start() -> None:
        accounts.start()
        institutions.start()

    def close() -> None:
        accounts.close()
        institutions.close()

    directory, registry = LiveDirectory(accounts), LiveRegistry(institutions)
    return Staff(
        directory=directory,
        registry=registry,
        visits=visits_of(settings, directory, registry, clock or SystemClock()),
        audit=open_audit(settings.kafka),
        gateway=GatewayClient(settings.gateway, settings.api_key_file),
        provider=Provider.of(settings),
        start=start,
        close_tables=close,
    )


def visits_of(
    settings: SearchSettings, directory: Directory, registry: Registry, clock: Clock
) -> Visits:
    """Sessions and their cookies, by the settings."""
    sessions = Sessions(
        settings.session_key.get_secret_value().encode(),
        directory,
        registry,
        idle=timedelta(minutes=settings.session_minutes),
        longest=timedelta(hours=settings.session_hours),
    )
    return Visits(sessions, clock, tls=settings.public_address.startswith("https://"))
