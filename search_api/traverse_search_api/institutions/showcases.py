"""Which sites may show an institution's list in a frame: set by the institution itself, one row an
institution on `traverse.showcases` (ADR 0042).

What is set becomes part of a header (`frame-ancestors`, CSP 3): an origin is taken apart, put
together anew, and held to one pattern, when it is set and again when it is read.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from typing import Annotated, Final, TypeVar

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from traverse_schemas.log.compacted_table import CompactedTable, TableError
from traverse_schemas.log.table_rows import read_row
from traverse_schemas.log.topics import SHOWCASES
from traverse_search_api.institutions.showcase_errors import (
    InvalidOriginError,
    ShowcasesAwayError,
    TooManyOriginsError,
)

_LOG = logging.getLogger(__name__)
MOST_ORIGINS: Final = 20
_PATIENCE: Final = 5.0
_QUICK: Final = 2.0  # seconds for which the list waits: without an answer, nobody frames it
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN: Final = re.compile(
    rf"(?:https://{_LABEL}(?:\.{_LABEL})*|http://(?:localhost|127\.0\.0\.1))(?::([1-9][0-9]{{0,4}}))?",
    re.ASCII,
)
_LONGEST: Final = 270
_LAST_PORT: Final = 65535

NOBODY: Final = "'none'"
"""No site at all, as CSP says it."""


def is_origin(text: str) -> bool:
    """Whether a text is an origin over TLS, or of this machine for who develops a site, and nothing
    more."""
    found = _ORIGIN.fullmatch(text) if len(text) <= _LONGEST else None
    return found is not None and int(found[1] or 0) <= _LAST_PORT


def _held(text: str) -> str:
    if not is_origin(text):
        raise ValueError("pas une origine")
    return text


Origin = Annotated[str, AfterValidator(_held)]


class Showcase(BaseModel):
    """A row: the sites, as origins (RFC 6454)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    origins: Annotated[tuple[Origin, ...], Field(max_length=MOST_ORIGINS)] = ()


ShowcaseTable = CompactedTable[Showcase]
Result = TypeVar("Result")


class Showcases:
    """Reads and writes the table, which it follows from the first question on."""

    def __init__(self, table: ShowcaseTable) -> None:
        self._table = table
        self._starting = threading.Lock()
        self._started = False

    async def origins(self, siren: str) -> tuple[str, ...]:
        """The sites of an institution. Raises ShowcasesAwayError."""
        return await self._run(lambda: self._row(siren, _PATIENCE).origins)

    async def ancestors(self, siren: str) -> str:
        """The same as the header says it; nobody while it cannot be read."""
        try:
            found = await self._run(lambda: self._row(siren, _QUICK).origins)
        except ShowcasesAwayError:
            return NOBODY
        return ancestors_of(found)

    def at_hand(self, siren: str) -> str:
        """The same, as it is known at this moment, without waiting; nobody while it is not."""
        row = self._table.get(siren)
        return NOBODY if row is None else ancestors_of(row.origins)

    async def put(self, siren: str, origins: tuple[str, ...]) -> None:
        """Let these sites frame the institution's list, and no others. Raises
        ShowcasesAwayError."""
        row = Showcase(origins=origins)

        def write() -> None:
            self._follow(_PATIENCE)
            self._table.put(siren, row)

        await self._run(write)

    def close(self) -> None:
        """Stop following."""
        if self._started:
            self._table.close()

    def _row(self, siren: str, patience: float) -> Showcase:
        self._follow(patience)
        return self._table.get(siren) or Showcase()

    def _follow(self, patience: float) -> None:
        with self._starting:
            if not self._started:
                self._table.start()
                self._started = True
        if not self._table.ready:
            self._table.wait(patience)

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.to_thread(work)
        except TableError as error:
            _LOG.warning("showcases_away cause=%s", error)
            raise ShowcasesAwayError from error


def ancestors_of(origins: tuple[str, ...]) -> str:
    """The value of `frame-ancestors`. What is no origin is left out, wherever it came from."""
    return " ".join(one for one in origins if is_origin(one)) or NOBODY


def origins_typed(text: str) -> tuple[str, ...]:
    """The origins that somebody typed, one a line, each once. Raises InvalidOriginError,
    TooManyOriginsError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = tuple(dict.fromkeys(origin_of(line) for line in lines))
    if len(found) > MOST_ORIGINS:
        raise TooManyOriginsError(MOST_ORIGINS)
    return found


def origin_of(text: str) -> str:
    """The origin of a site's address, as browsers write it: lower case, the host in ASCII (RFC
    5891), no port that goes without saying. Raises InvalidOriginError for anything but a site over
    TLS; but on this machine (localhost, 127.0.0.1) one may develop without."""
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii").lower()
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidOriginError(text) from error
    if url.userinfo or url.raw_path != b"/" or url.fragment:
        raise InvalidOriginError(text)
    origin = f"{url.scheme}://{host}" + (f":{url.port}" if url.port is not None else "")
    if not is_origin(origin):
        raise InvalidOriginError(text)
    return origin


def showcases_table(bootstrap: str) -> ShowcaseTable:
    """The table on a Kafka; nothing is opened before it is started."""
    from traverse_schemas.log.compacted_topic import KafkaTableLog

    return CompactedTable(
        KafkaTableLog(bootstrap, SHOWCASES),
        encode=lambda row: row.model_dump_json().encode(),
        decode=decode_showcase,
    )


def decode_showcase(octets: bytes) -> Showcase:
    """Read a row. Raises ValueError for octets that are none, or hold what is no origin."""
    return read_row(Showcase, octets)
