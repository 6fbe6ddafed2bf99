"""The calendars that a process holds: fetched from where the registry says, and kept."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.search_api.accounts.people import INSTITUTIONS, MARSEILLE, NOW, MovingClock
from tests.search_api.permanences.publishing import (
    WEEKLY,
    Publisher,
    calendar,
    event,
    publishing,
)
from traverse_schemas.compacted_table import CompactedTable
from traverse_schemas.institutions import Institution
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry import FixedRegistry
from traverse_search_api.alerts.outside import Outside
from traverse_search_api.permanences.handed_in import reduced
from traverse_search_api.permanences.held import Calendars
from traverse_search_api.permanences.published import (
    PublishedCalendar,
    PublishedCalendars,
    decode_calendar,
    encode_calendar,
)

TERRITORIES = Territories.load()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as made:
        yield made


def held(*rows: Institution, private: bool = True) -> tuple[Calendars, MovingClock]:
    clock = MovingClock()
    outside = Outside(private=private, seconds=10)
    table = CompactedTable(
        MemoryTableLog(MemoryTopic()), encode=encode_calendar, decode=decode_calendar
    )
    published = PublishedCalendars(table)
    return Calendars(FixedRegistry(rows), published, outside, TERRITORIES, clock, every=0), clock


def told(calendars: Calendars, as_of: datetime = NOW) -> list[str]:
    async def look() -> list[str]:
        await calendars.refresh()
        found = await calendars.coming(as_of, lambda one: True)
        return [f"{one.institution} {one.when.start:%d/%m}" for one in found]

    return asyncio.run(look())


def at(publisher: Publisher, path: str, **more: object) -> Institution:
    values = {"permanences": publisher.address + path, **more}
    return INSTITUTIONS[1].model_copy(update=values)


def test_a_calendar_is_fetched_kept_and_forgotten(publisher: Publisher) -> None:
    calendars, clock = held(at(publisher, "/ok.ics"), INSTITUTIONS[0])
    first = told(calendars)
    assert first[0] == "CCI Aix-Marseille-Provence 17/03" and len(first) > 5
    assert publisher.asked == ["/ok.ics"]
    publisher.away = True
    assert told(calendars) == first  # the last good one counts
    assert told(calendars, datetime(2026, 4, 1, 12, tzinfo=UTC))[0].endswith("07/04")
    clock.move(days=8)
    assert told(calendars) == []
    publisher.away = False
    assert told(calendars) == first
    # Whoever is a member no more, or gives no address any more, is not told of.
    calendars.registry = FixedRegistry([at(publisher, "/ok.ics", revoked_at=NOW)])
    assert told(calendars) == []


@pytest.mark.parametrize("path", ["/big.ics", "/moved.ics", "/none.ics"])
def test_what_cannot_be_read_hurts_nobody(publisher: Publisher, path: str) -> None:
    good = INSTITUTIONS[0].model_copy(update={"permanences": f"{publisher.address}/ok.ics"})
    calendars, _ = held(at(publisher, path), good)
    assert {text.rpartition(" ")[0] for text in told(calendars)} == {"Ville de Marseille"}


def test_no_address_that_is_not_public_is_ever_called(publisher: Publisher) -> None:
    calendars, _ = held(at(publisher, "/ok.ics"), private=False)
    assert told(calendars) == []
    # Not by another name either, nor over TLS.
    port = publisher.address.rpartition(":")[2]
    row = INSTITUTIONS[1].model_copy(update={"permanences": f"https://localhost:{port}/ok.ics"})
    calendars, _ = held(row, private=False)
    assert told(calendars) == []
    assert publisher.asked == []


def row(*events: str) -> PublishedCalendar:
    kept = reduced(calendar(*events), TERRITORIES.chain("com:13055"), TERRITORIES, NOW)
    return PublishedCalendar(calendar=kept.calendar, at=NOW)


def test_what_an_institution_published_goes_before_the_address_and_nothing_is_fetched(
    publisher: Publisher,
) -> None:
    noted = INSTITUTIONS[0].model_copy(update={"permanences": f"{publisher.address}/ok.ics"})
    calendars, clock = held(noted)
    published = calendars.published
    other = event("x", "SUMMARY:Autre", start="TZID=Europe/Paris:20260318T140000")
    asyncio.run(published.put(MARSEILLE, row(other)))
    assert told(calendars) == ["Ville de Marseille 18/03"]
    assert publisher.asked == []
    clock.move(days=20)  # it does not grow old
    assert told(calendars, NOW) == ["Ville de Marseille 18/03"]
    asyncio.run(published.put(MARSEILLE, row(WEEKLY)))
    assert told(calendars)[0].endswith("17/03")
    asyncio.run(published.remove(MARSEILLE))
    publisher.away = True
    assert told(calendars) == []  # what was taken away is not told, whatever comes in its place
    assert publisher.asked == ["/ok.ics"]
    published.close()


def test_what_only_tries_is_told_to_nobody() -> None:
    calendars, _ = held(INSTITUTIONS[0].model_copy(update={"sandbox": True}))
    asyncio.run(calendars.published.put(MARSEILLE, row(WEEKLY)))
    assert told(calendars) == []
    calendars.published.close()
