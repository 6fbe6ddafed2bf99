"""The calendars that institutions publish, as this process holds them: read from the addresses in
the registry every hour, from no address that is not public; the last good one counts."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from traverse_schemas.clock import Clock
from traverse_schemas.institutions import Institution
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry import Registry
from traverse_schemas.status import french_day
from traverse_search_api.alerts.outside import Outside, OutsideError
from traverse_search_api.moments import first_instant
from traverse_search_api.permanences.calendar import (
    Kept,
    Permanence,
    UnreadableCalendarError,
    permanences,
    read_calendar,
)

_LOG = logging.getLogger(__name__)

AHEAD: Final = timedelta(days=60)
"""For so long permanences are told ahead."""

_EVERY: Final = 3600.0
_LOOK_EVERY: Final = 2.0  # seconds between two looks whether the registry names another address
_AT_ONCE: Final = 4  # calendars that are fetched at one time
_MOST_OCTETS: Final = 512 * 1024
_KEPT: Final = timedelta(days=7)
"""For so long a calendar counts that can be had no more."""


@dataclass(slots=True)
class _Held:
    """A calendar, and when and where it was had. `tried` is in seconds of the loop's clock."""

    url: str
    tried: float
    events: list[Kept] = field(default_factory=list)
    had: datetime | None = None


@dataclass(slots=True)
class Calendars:
    """`present` is the machine's clock. Nothing is asked of anybody before `start`."""

    registry: Registry
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

    async def coming(self, as_of: datetime, near: Callable[[Permanence], bool]) -> list[Permanence]:
        """What is chosen of the permanences that are not over at an instant (aware) and begin in
        the 60 days from that day; the earliest first."""
        return await asyncio.to_thread(self._coming, as_of, near)

    def _coming(self, as_of: datetime, near: Callable[[Permanence], bool]) -> list[Permanence]:
        day = first_instant(french_day(as_of))
        now, view = self.present.now(), self.registry.view()
        found: list[Permanence] = []
        for siren, held in list(self._held.items()):
            who = view.known_to_others(siren)
            if who is None or not who.active(now) or who.permanences != held.url:
                continue
            if held.had is None or now - held.had > _KEPT:
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
            await self.refresh()
            await asyncio.sleep(_LOOK_EVERY)

    async def refresh(self) -> None:
        """Fetch what is due: new in the registry, or an hour old."""
        if not self.registry.ready:
            return
        now, clock = self.present.now(), asyncio.get_running_loop().time
        view = self.registry.view()
        wanted = {
            one.siren: one
            for one in view.institutions.values()
            if one.permanences and one.active(now)
        }
        for gone in self._held.keys() - wanted.keys():
            del self._held[gone]
        due = [
            one
            for siren, one in wanted.items()
            if (held := self._held.get(siren)) is None
            or held.url != one.permanences
            or clock() - held.tried >= self.every
        ]
        places = asyncio.Semaphore(_AT_ONCE)

        async def fetch(one: Institution) -> None:
            async with places:
                await self._fetch(one)

        await asyncio.gather(*(fetch(one) for one in due))

    async def _fetch(self, one: Institution) -> None:
        url, known = one.permanences or "", self._held.get(one.siren)
        if known is None or known.url != url:
            known = self._held[one.siren] = _Held(url, 0)
        known.tried = asyncio.get_running_loop().time()
        headers = {"accept": "text/calendar", "accept-encoding": "identity"}
        try:
            told = await self.outside.ask("GET", url, headers, most=_MOST_OCTETS)
            if told.status != 200:
                raise OutsideError(f"l’adresse a répondu {told.status}")
            home = self.territories.chain(one.territory) if one.territory else None
            events = await asyncio.to_thread(read_calendar, told.body, home, self.territories)
        except (OutsideError, UnreadableCalendarError) as error:
            _LOG.warning("permanences_not_read siren=%s cause=%s", one.siren, error)
            return
        known.events, known.had = events, self.present.now()
