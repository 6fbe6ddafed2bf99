"""The calendars of permanences that institutions published themselves: one row an institution on
`traverse.permanences` (ADR 0046)."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Annotated, Final, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from traverse_schemas.log.compacted_table import CompactedTable, TableError
from traverse_schemas.log.table_rows import read_row
from traverse_schemas.log.topics import PERMANENCES
from traverse_search_api.permanences.calendar import MOST_OCTETS
from traverse_search_api.permanences.errors import PermanencesAwayError

_LOG = logging.getLogger(__name__)
_PATIENCE: Final = 5.0


class PublishedCalendar(BaseModel):
    """A row: an iCalendar as `handed_in.reduced` leaves it, since when it is published, how many
    of its events are told, and how many of those that were handed in are not."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    calendar: Annotated[str, Field(max_length=MOST_OCTETS)]
    at: AwareDatetime
    told: Annotated[int, Field(ge=0)] = 0
    left_out: Annotated[int, Field(ge=0)] = 0


PublishedTable = CompactedTable[PublishedCalendar]
Result = TypeVar("Result")


class PublishedCalendars:
    """Reads and writes the table, which it follows from `start` or the first question on."""

    def __init__(self, table: PublishedTable) -> None:
        self._table = table

    def start(self) -> None:
        """Follow the table; again is fine."""
        self._table.start()

    def rows(self) -> Mapping[str, PublishedCalendar]:
        """By SIREN, as they are now; none until the table has been read."""
        return self._table.rows()

    async def of(self, siren: str) -> PublishedCalendar | None:
        """That of an institution. Raises PermanencesAwayError."""

        def read() -> PublishedCalendar | None:
            self._follow()
            return self._table.get(siren)

        return await self._run(read)

    async def put(self, siren: str, row: PublishedCalendar) -> None:
        """Publish it, in place of the one before. Raises PermanencesAwayError."""

        def write() -> None:
            self._follow()
            self._table.put(siren, row)

        await self._run(write)

    async def remove(self, siren: str) -> None:
        """Take it away. Raises PermanencesAwayError."""

        def write() -> None:
            self._follow()
            if self._table.get(siren) is not None:
                self._table.delete(siren)

        await self._run(write)

    def close(self) -> None:
        """Stop following."""
        self._table.close()

    def _follow(self) -> None:
        self._table.start()
        if not self._table.ready:
            self._table.wait(_PATIENCE)

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.to_thread(work)
        except TableError as error:
            _LOG.warning("permanences_away cause=%s", error)
            raise PermanencesAwayError from error


def published_table(bootstrap: str) -> PublishedTable:
    """The table on a Kafka; nothing is opened before it is started."""
    from traverse_schemas.log.compacted_topic import KafkaTableLog

    return CompactedTable(
        KafkaTableLog(bootstrap, PERMANENCES),
        encode=encode_calendar,
        decode=decode_calendar,
    )


def encode_calendar(row: PublishedCalendar) -> bytes:
    """The row as it lies on the topic."""
    return row.model_dump_json().encode()


def decode_calendar(octets: bytes) -> PublishedCalendar:
    """Read a row. Raises ValueError for octets that are none."""
    return read_row(PublishedCalendar, octets)
