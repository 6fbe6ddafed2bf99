"""Where an institution publishes its permanences itself: for the page and for the API alike."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from traverse_schemas.clock import Clock
from traverse_schemas.documents.status import french_day
from traverse_schemas.reference.rows import TerritoryChain
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institutions import Institution
from traverse_search_api.accounts.audit import Audit, Deed
from traverse_search_api.moments import first_instant
from traverse_search_api.permanences.calendar import Permanence, permanences, read_calendar
from traverse_search_api.permanences.handed_in import reduced
from traverse_search_api.permanences.held import AHEAD
from traverse_search_api.permanences.published import PublishedCalendar, PublishedCalendars


@dataclass(frozen=True, slots=True)
class PermanenceDesk:
    """`present` is the machine's clock. Who asks was judged before: here it is only noted."""

    published: PublishedCalendars
    audit: Audit
    territories: Territories
    present: Clock
    # Parsing holds the interpreter: one calendar at a time, so that searches go on beside it.
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def publish(self, who: Institution, octets: bytes, account: str) -> PublishedCalendar:
        """Publish a calendar in place of the one before; `account` is who does it, for the audit.
        Raises RefusedCalendarError, AuditAwayError, PermanencesAwayError."""
        now = self.present.now()
        async with self._turn:
            kept = await asyncio.to_thread(reduced, octets, self._home(who), self.territories, now)
        row = PublishedCalendar(
            calendar=kept.calendar, at=now, told=kept.told, left_out=kept.left_out
        )
        await self.audit.write(
            Deed.PERMANENCES_PUBLISHED, siren=who.siren, account=account, now=now, told=kept.told
        )
        await self.published.put(who.siren, row)
        return row

    async def remove(self, who: Institution, account: str) -> None:
        """Publish none any more. Raises AuditAwayError, PermanencesAwayError."""
        now = self.present.now()
        await self.audit.write(Deed.PERMANENCES_REMOVED, siren=who.siren, account=account, now=now)
        await self.published.remove(who.siren)

    async def coming(
        self, who: Institution, row: PublishedCalendar, as_of: datetime
    ) -> list[Permanence]:
        """What the calendar announces from the day of an instant (aware) on, the earliest first."""
        day = first_instant(french_day(as_of))

        def read() -> list[Permanence]:
            events = read_calendar(row.calendar.encode(), self._home(who), self.territories)
            return permanences(events, who.name, day, day + AHEAD)

        async with self._turn:
            return await asyncio.to_thread(read)

    def _home(self, who: Institution) -> TerritoryChain | None:
        return self.territories.chain(who.territory) if who.territory else None
