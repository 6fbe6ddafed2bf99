"""Where institutions publish theirs: what it costs everybody else."""

import asyncio
import time
from threading import Lock
from typing import Any

import pytest

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.search_api.accounts.people import INSTITUTIONS, NOW, MemoryEvents, MovingClock
from tests.search_api.permanences.publishing import WEEKLY, calendar
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.reference.territories import Territories
from traverse_search_api.accounts.audit import Audit
from traverse_search_api.permanences import desk as desk_module
from traverse_search_api.permanences.calendar import Kept, read_calendar
from traverse_search_api.permanences.desk import PermanenceDesk
from traverse_search_api.permanences.published import (
    PublishedCalendar,
    PublishedCalendars,
    decode_calendar,
    encode_calendar,
)


def test_one_calendar_is_parsed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many look at the page."""
    lock, overlapped = Lock(), []

    def reading(octets: bytes, *places: Any) -> list[Kept]:
        overlapped.append(not lock.acquire(blocking=False))
        time.sleep(0.02)
        kept = read_calendar(octets, *places)
        if not overlapped[-1]:
            lock.release()
        return kept

    monkeypatch.setattr(desk_module, "read_calendar", reading)
    table = CompactedTable(
        MemoryTableLog(MemoryTopic()), encode=encode_calendar, decode=decode_calendar
    )
    desk = PermanenceDesk(
        PublishedCalendars(table), Audit(MemoryEvents()), Territories.load(), MovingClock()
    )
    row = PublishedCalendar(calendar=calendar(WEEKLY).decode(), at=NOW)

    async def look() -> list[int]:
        looks = (desk.coming(INSTITUTIONS[0], row, NOW) for _ in range(4))
        return [len(found) for found in await asyncio.gather(*looks)]

    assert all(count > 5 for count in asyncio.run(look()))
    assert overlapped == [False] * 4
