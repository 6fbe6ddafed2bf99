"""How often publications are read and followed, by institution, in aggregate (ADR 0041).

A read is a number in memory: nothing is awaited, looked up or written on its way. Each process
writes its own sums of the day to `traverse.readership` once a minute, as one row that replaces the
one before; so a repeated write counts nothing twice, and processes add up. Killed, a process loses
its last minute. There is nobody in these sums: no account, no address, no cookie, no publication.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final, NamedTuple
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from traverse_schemas.clock import Clock
from traverse_schemas.documents.status import french_day
from traverse_schemas.french.numbers import number
from traverse_schemas.log.compacted_table import CompactedTable, TableError
from traverse_schemas.log.table_rows import read_row
from traverse_schemas.log.topics import READERSHIP
from traverse_search_api.access.reader import Reader

_LOG = logging.getLogger(__name__)
FLUSH_EVERY: Final = 60.0
"""Seconds: what a process that is killed may lose."""

DAYS: Final = 30
FOLLOWED: Final = "followed"
"""The row of the notifier; those of days are named by the day and the process."""

_FEW: Final = 5
_PATIENCE: Final = 5.0
_QUICK: Final = 2.0  # seconds that a page waits for the sums
_LAST_WRITE: Final = 2.0
_MOST: Final = 20_000  # institutions in a row, which must fit into a message

Sums = dict[Annotated[str, Field(pattern=r"^\d{9}$")], Annotated[int, Field(ge=0)]]


class Counts(BaseModel):
    """A row: what one process counted on a day, by SIREN; or what is followed, since that day."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    day: date
    sums: Sums = {}


class ReadCounts(NamedTuple):
    """Of an institution's publications: reads of 30 days and of the 30 before, and saved searches
    that found any."""

    reads: int
    before: int
    followed: int


ReadershipTable = CompactedTable[Counts]


class Readership:
    """Counts, keeps and tells. One for a process."""

    def __init__(
        self, table: ReadershipTable, clock: Clock, new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        """Nothing is opened before there is something to write or to tell."""
        self._table = table
        self._clock = clock
        self._process = new_id()[:12]
        self._days: dict[date, dict[str, int]] = {}
        self._unwritten: set[date] = set()
        self._started = False
        self._task: asyncio.Task[None] | None = None

    def read(self, document: Mapping[str, Any], reader: Reader) -> None:
        """Somebody has read a whole publication. It counts for its owner and for each institution
        that says it, once; not where they read what is their own."""
        today = french_day(self._clock.now())
        sums = self._days.setdefault(today, {})
        for siren in institutions_of(document) - {reader.siren}:
            if siren in sums or len(sums) < _MOST:
                sums[siren] = sums.get(siren, 0) + 1
                self._unwritten.add(today)

    async def of(self, siren: str) -> ReadCounts | None:
        """What there is to say of an institution; None while the sums cannot be read."""
        try:
            rows = await asyncio.to_thread(self._rows)
        except TableError as error:
            _LOG.warning("readership_away cause=%s", error)
            return None
        own = {self._key(day): Counts(day=day, sums=sums) for day, sums in self._days.items()}
        return told(siren, {**rows, **own}, french_day(self._clock.now()))

    def start(self) -> None:
        """Write once a minute from now on; called in an event loop."""
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Write what is left, where that can be done at once, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._started:
            if self._table.ready:
                await self.write(_LAST_WRITE)
            await asyncio.to_thread(self._table.close)

    async def write(self, patience: float = _PATIENCE) -> None:
        """Write the sums that have changed. What cannot be written now is written next time."""
        for day in sorted(self._unwritten):
            row = Counts(day=day, sums=dict(self._days[day]))
            self._unwritten.discard(day)
            try:
                await asyncio.to_thread(self._put, self._key(day), row, patience)
            except BaseException as error:
                self._unwritten.add(day)
                if not isinstance(error, TableError):
                    raise
                _LOG.warning("readership_waits cause=%s", error)
                return
        today = french_day(self._clock.now())
        for day in [one for one in self._days if one != today and one not in self._unwritten]:
            del self._days[day]

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            await self.write()

    def _put(self, key: str, row: Counts, patience: float) -> None:
        self._open(patience)
        self._table.put(key, row, patience)

    def _rows(self) -> Mapping[str, Counts]:
        self._open(_QUICK)
        return self._table.rows()

    def _open(self, patience: float) -> None:
        if not self._started:
            self._table.start()
            self._started = True
        if not self._table.ready:
            self._table.wait(patience)

    def _key(self, day: date) -> str:
        return f"{day.isoformat()} {self._process}"


def institutions_of(document: Mapping[str, Any]) -> set[str]:
    """The SIRENs of an opportunity: its owner's, and those of the sources that say it."""
    found = {str(one["source"]).split(":")[2] for one in document["sources"]}
    return found | ({document["owner_siren"]} if document.get("owner_siren") else set())


def told(siren: str, rows: Mapping[str, Counts], today: date) -> ReadCounts:
    """The sums of an institution over all processes. Pure."""
    reads = before = 0
    for key, row in rows.items():
        if key == FOLLOWED:
            continue
        age = (today - row.day) // timedelta(days=1)
        if 0 <= age < DAYS:
            reads += row.sums.get(siren, 0)
        elif DAYS <= age < 2 * DAYS:
            before += row.sums.get(siren, 0)
    followed = rows[FOLLOWED].sums.get(siren, 0) if FOLLOWED in rows else 0
    return ReadCounts(reads, before, followed)


def few(count: int) -> str:
    """« moins de 5 »: of a small number one might guess who it was."""
    return f"moins de {_FEW}" if count < _FEW else number(count)


def readership_table(bootstrap: str) -> ReadershipTable:
    """The table on a Kafka; nothing is opened before it is started."""
    from traverse_schemas.log.compacted_topic import KafkaTableLog

    return CompactedTable(
        KafkaTableLog(bootstrap, READERSHIP),
        encode=lambda row: row.model_dump_json().encode(),
        decode=_decode,
    )


def _decode(octets: bytes) -> Counts:
    return read_row(Counts, octets)


class FollowedSums:
    """What the notifier tells of followers: written when it changes, and once a day at least."""

    def __init__(self, table: ReadershipTable) -> None:
        self._table = table
        self._last: Counts | None = None

    def write(self, sums: Mapping[str, int], today: date) -> None:
        """Replace the row. Blocks; raises TableError."""
        most = sorted(sums.items(), key=lambda each: (-each[1], each[0]))[:_MOST]
        row = Counts(day=today, sums=dict(most))
        if row == self._last:
            return
        self._table.put(FOLLOWED, row)
        self._last = row
