"""A search as a table for spreadsheets: French headers, and no cell that one would compute."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Any, Final, NamedTuple

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from traverse_schemas.status import french_day
from traverse_search_api.deadlines import is_bare, local_end

Item = dict[str, Any]

SHEET_ROWS: Final = 100_000
"""Rows of a workbook at most: with more, a reader would wait for minutes without an octet."""

_CHUNK: Final = 64 * 1024
# OWASP, CSV Injection: what a spreadsheet takes for the beginning of a formula, in full width too.
_FORMULA: Final = re.compile(r"^[\s]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_LONGEST_CELL: Final = 32_767  # characters that a spreadsheet takes in a cell
# XML 1.0, 2.2 (Char): these two are no characters there, and openpyxl does not know.
_NO_CHARACTER: Final = re.compile(f"{ILLEGAL_CHARACTERS_RE.pattern}|[\ud800-\udfff\ufffe\uffff]")


class Column(NamedTuple):
    """A column of a table: its French header, and what it shows of an item."""

    header: str
    value: Callable[[Item], Any]


def owner_of(item: Item, field: str) -> str:
    """What is said of whose thing it is, else of who says it; "" where it is not."""
    owners = [one for one in item["institutions"] if one.get("role") == "owner"]
    return str((owners or item["institutions"] or [{}])[0].get(field, ""))


def source_of(item: Item) -> Item:
    """Who says it, and where it is to be read: the owner's own word, then whoever relays it, and of
    either first those that have an address."""
    owner = f"urn:siren:{owner_of(item, 'siren')}:"

    def behind(source: Item) -> tuple[bool, bool]:
        return "url" not in source, not f"{source['source']}:".startswith(owner)

    return min(item["sources"], key=behind)


def _deadline_day(item: Item) -> str:
    deadline = item.get("deadline")
    return f"{local_end(deadline):%Y-%m-%d}" if deadline else ""


def _deadline_hour(item: Item) -> str:
    deadline = item.get("deadline")
    if not deadline:
        return ""
    return "à vérifier" if is_bare(deadline) else f"{local_end(deadline):%H:%M}"


def _day(instant: str) -> str:
    return french_day(datetime.fromisoformat(instant)).isoformat()


COLUMNS: Final = (
    Column("Identifiant", lambda item: item["id"]),
    Column("Type", lambda item: item["kind_label"]),
    Column("Titre", lambda item: item["title"]),
    Column("Statut", lambda item: item["status_label"]),
    Column("Institution", lambda item: owner_of(item, "name")),
    Column("SIREN", lambda item: owner_of(item, "siren")),
    Column("Territoire", lambda item: (item.get("territory") or {}).get("name", "")),
    Column("Code du territoire", lambda item: (item.get("territory") or {}).get("code", "")),
    Column("Thèmes", lambda item: ", ".join(item.get("theme_labels", ()))),
    Column("CPV", lambda item: ", ".join(item.get("cpv", ()))),
    Column("Montant (€)", lambda item: item.get("amount")),
    # The buyer's own day and hour: a notice says them so, and who is late by a zone is late.
    Column("Échéance", _deadline_day),
    Column("Heure de l’échéance", _deadline_hour),
    Column("Publié le", lambda item: _day(item["published_at"])),
    Column("Mis à jour le", lambda item: _day(item["updated_at"])),
    Column("Résumé", lambda item: item.get("summary", "")),
    Column("Adresse", lambda item: source_of(item).get("url", "")),
    Column("Source", lambda item: source_of(item)["source"]),
    Column("Référence", lambda item: source_of(item)["subject"]),
)


def valid_text(text: str, instead: str = " ") -> str:
    """A text without the characters that no XML document may hold."""
    return _NO_CHARACTER.sub(instead, text)


def harmless(value: Any) -> Any:
    """A cell's value; a text that a spreadsheet would compute gets an apostrophe in front."""
    if not isinstance(value, str):
        return value
    text = valid_text(value)[: _LONGEST_CELL - 1]
    return f"'{text}" if _FORMULA.match(text) else text


async def csv_pieces(items: AsyncIterator[Sequence[Item]]) -> AsyncGenerator[bytes, None]:
    """With `;`, decimal commas and a byte order mark: what a French spreadsheet opens at once."""
    yield "\ufeff".encode() + _csv_lines([[column.header for column in COLUMNS]])
    async for page in items:
        yield _csv_lines([[_csv_cell(column.value(item)) for column in COLUMNS] for item in page])


def _csv_cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.2f}".replace(".", ",")
    return harmless(value)


def _csv_lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


async def xlsx_pieces(items: AsyncIterator[Sequence[Item]]) -> AsyncGenerator[bytes, None]:
    """Rows go to a file on disk as they come; the archive is sent when it is whole.

    In a thread: writing one takes long enough to hold up everybody else's searches.
    """
    book = _Book()
    try:
        await asyncio.to_thread(book.append, [[column.header for column in COLUMNS]])
        async for page in items:
            rows = [[harmless(column.value(item)) for column in COLUMNS] for item in page]
            await asyncio.to_thread(book.append, rows)
        with TemporaryFile() as file:
            await asyncio.to_thread(book.save, file)
            file.seek(0)
            while chunk := file.read(_CHUNK):
                yield chunk
    finally:
        await asyncio.to_thread(book.discard)


class _Book:
    """A workbook of one sheet, whose rows lie in a file of the library's own until it is saved.

    Steps wait for each other: who is cancelled leaves one running in its thread.
    """

    def __init__(self) -> None:
        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("Traverse")
        self._step = Lock()

    def append(self, rows: list[list[Any]]) -> None:
        with self._step:
            for row in rows:
                self._sheet.append(row)

    def save(self, file: IO[bytes]) -> None:
        with self._step:
            self._book.save(file)

    def discard(self) -> None:
        """Without this the library keeps the file of who left midway until the process ends."""
        with self._step:
            try:
                if not self._sheet.closed:
                    self._sheet.close()
            finally:
                with suppress(FileNotFoundError):
                    self._sheet._writer.cleanup()
