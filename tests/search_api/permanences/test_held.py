"""The calendars that a process holds: fetched from where the registry says, and kept."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.search_api.accounts.people import CHAMBER, INSTITUTIONS, MARSEILLE, NOW, MovingClock
from tests.search_api.permanences.publishing import (
    WEEKLY,
    Publisher,
    calendar,
    event,
    publishing,
)
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institutions import Institution
from traverse_schemas.registry.registry import FixedRegistry
from traverse_search_api.alerts.outside import Outside
from traverse_search_api.permanences import held as held_module
from traverse_search_api.permanences.calendar import Kept, read_calendar
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


def test_a_fault_of_ours_with_one_calendar_ends_no_other(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of any kind, published or fetched; and what was published is not read again at each look."""
    tried: list[bytes] = []

    def faulty(octets: bytes, *places: Any) -> list[Kept]:
        tried.append(octets)
        if b"Casse" in octets or b"<html>" in octets:
            raise ZeroDivisionError
        return read_calendar(octets, *places)

    monkeypatch.setattr(held_module, "read_calendar", faulty)
    third, fourth = (
        INSTITUTIONS[1].model_copy(update={"siren": siren, "name": name, "permanences": address})
        for siren, name, address in (
            ("200054807", "Métropole", publisher.address + "/none.ics"),
            ("231300021", "Région", publisher.address + "/ok.ics"),
        )
    )
    calendars, _ = held(*INSTITUTIONS, third, fourth)
    broken = event("x", "SUMMARY:Casse", start="TZID=Europe/Paris:20260318T140000")
    asyncio.run(calendars.published.put(MARSEILLE, row(broken)))
    asyncio.run(calendars.published.put(CHAMBER, row(WEEKLY)))
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        names = {text.rpartition(" ")[0] for text in told(calendars)}
        assert names == {"CCI Aix-Marseille-Provence", "Région"}
    assert sum(b"Casse" in octets for octets in tried) == 1
    for siren in (MARSEILLE, third.siren):
        assert f"permanences_fault siren={siren}" in caplog.text
    asyncio.run(calendars.published.put(MARSEILLE, row(WEEKLY)))  # mended by who publishes it
    assert any(text.startswith("Ville de Marseille") for text in told(calendars))
    calendars.published.close()


def test_what_only_tries_is_told_to_nobody() -> None:
    calendars, _ = held(INSTITUTIONS[0].model_copy(update={"sandbox": True}))
    asyncio.run(calendars.published.put(MARSEILLE, row(WEEKLY)))
    assert told(calendars) == []
    calendars.published.close()
