"""The calendars of institutions, as this process holds them: those that they published themselves;
of the others, read from the addresses in the registry every hour, from no address that is not
public, and the last good one counts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from traverse_schemas.clock import Clock
from traverse_schemas.documents.status import french_day
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institutions import Institution
from traverse_schemas.registry.registry import Registry
from traverse_search_api.alerts.outside import Outside, OutsideError
from traverse_search_api.moments import first_instant
from traverse_search_api.permanences.calendar import (
    MOST_OCTETS,
    Kept,
    Permanence,
    UnreadableCalendarError,
    permanences,
    read_calendar,
)
from traverse_search_api.permanences.published import PublishedCalendar, PublishedCalendars

_LOG = logging.getLogger(__name__)

AHEAD: Final = timedelta(days=60)
"""For so long permanences are told ahead."""

_EVERY: Final = 3600.0
_LOOK_EVERY: Final = 2.0  # seconds between two looks whether a calendar or an address is new
_AT_ONCE: Final = 4  # calendars that are fetched at one time
_KEPT: Final = timedelta(days=7)
"""For so long a calendar counts that can be had no more."""


Source = str | PublishedCalendar
"""Where a calendar comes from: an address, or what its institution published."""


@dataclass(slots=True)
class _Held:
    """A calendar, and when and where it was had. `tried` is in seconds of the loop's clock."""

    source: Source
    tried: float
    events: list[Kept] = field(default_factory=list)
    had: datetime | None = None


@dataclass(slots=True)
class Calendars:
    """`present` is the machine's clock. Nothing is asked of anybody before `start`."""

    registry: Registry
    published: PublishedCalendars
    outside: Outside
    territories: Territories
    present: Clock
    every: float = _EVERY
    _held: dict[str, _Held] = field(default_factory=dict)
    _times: dict[tuple[str, datetime | None, datetime], list[Permanence]] = field(
        default_factory=dict
    )
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Fetch them, and go on doing so."""
        self._task = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self.published.close)

    async def coming(self, as_of: datetime, near: Callable[[Permanence], bool]) -> list[Permanence]:
        """What is chosen of the permanences that are not over at an instant (aware) and begin in
        the 60 days from that day; the earliest first."""
        return await asyncio.to_thread(self._coming, as_of, near)

    def _coming(self, as_of: datetime, near: Callable[[Permanence], bool]) -> list[Permanence]:
        day = first_instant(french_day(as_of))
        now, view, published = self.present.now(), self.registry.view(), self.published.rows()
        found: list[Permanence] = []
        for siren, held in list(self._held.items()):
            who = view.known_to_others(siren)
            if who is None or not who.active(now) or held.source != _source(who, published):
                continue
            if held.had is None or (isinstance(held.source, str) and now - held.had > _KEPT):
                continue
            key = (siren, held.had, day)
            times = self._times.get(key)
            if times is None:
                times = permanences(held.events, who.name, day, day + AHEAD)
                self._times = {one: each for one, each in self._times.items() if one[0] != siren}
                self._times[key] = times
            found += [
                one for one in times if (one.when.end or one.when.start) > as_of and near(one)
            ]
        return sorted(found, key=lambda one: (one.when.start, one.institution, one.what))

    async def _go_on(self) -> None:
        while True:
            try:
                await self.refresh()
            except Exception:
                # A fault of ours with one calendar must not end the others for good.
                _LOG.exception("permanences_refresh_failed")
            await asyncio.sleep(_LOOK_EVERY)

    async def refresh(self) -> None:
        """Have what is due: what was published since, an address that is new in the registry, or
        that was read an hour ago."""
        view, now = self.registry.view(), self.present.now()
        if not self.registry.ready or not view.institutions:
            return
        self.published.start()
        published, clock = self.published.rows(), asyncio.get_running_loop().time
        wanted = {
            one.siren: one
            for one in view.institutions.values()
            if one.active(now) and _source(one, published)
        }
        for gone in self._held.keys() - wanted.keys():
            del self._held[gone]
        due: list[Institution] = []
        for siren, one in wanted.items():
            held, source = self._held.get(siren), _source(one, published)
            if isinstance(source, PublishedCalendar):
                if held is None or held.source != source:
                    await self._whole(one, self._take(one, source))
            elif held is None or held.source != source or clock() - held.tried >= self.every:
                due.append(one)
        places = asyncio.Semaphore(_AT_ONCE)

        async def fetch(one: Institution) -> None:
            async with places:
                await self._whole(one, self._fetch(one))

        await asyncio.gather(*(fetch(one) for one in due))

    async def _whole(self, one: Institution, work: Awaitable[None]) -> None:
        """What is done for an institution. Whatever fails in it, the others go on."""
        try:
            await work
        except (OutsideError, UnreadableCalendarError) as error:
            _LOG.warning("permanences_not_read siren=%s cause=%s", one.siren, error)
        except Exception:
            _LOG.exception("permanences_fault siren=%s", one.siren)

    async def _take(self, one: Institution, row: PublishedCalendar) -> None:
        """Hold what an institution published. One that cannot be read is tried once: it would be
        read anew at each look, and would be the same."""
        held = self._held[one.siren] = _Held(row, 0)
        held.events = await self._read(one, row.calendar.encode())
        held.had = self.present.now()

    async def _fetch(self, one: Institution) -> None:
        url, known = one.permanences or "", self._held.get(one.siren)
        if known is None or known.source != url:
            known = self._held[one.siren] = _Held(url, 0)
        known.tried = asyncio.get_running_loop().time()
        headers = {"accept": "text/calendar", "accept-encoding": "identity"}
        told = await self.outside.ask("GET", url, headers, most=MOST_OCTETS)
        if told.status != 200:
            raise OutsideError(f"l’adresse a répondu {told.status}")
        events = await self._read(one, told.body)
        known.events, known.had = events, self.present.now()

    async def _read(self, one: Institution, octets: bytes) -> list[Kept]:
        home = self.territories.chain(one.territory) if one.territory else None
        return await asyncio.to_thread(read_calendar, octets, home, self.territories)


def _source(one: Institution, published: Mapping[str, PublishedCalendar]) -> Source | None:
    """What an institution published itself goes before the address in the registry."""
    return published.get(one.siren) or one.permanences
