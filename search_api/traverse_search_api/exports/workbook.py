"""A search as a workbook that is written while it is read: nothing of it is kept, in memory or on
disk."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from datetime import date
from threading import Lock
from typing import IO, Any, Final, cast
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter

from traverse_search_api.exports.tables import COLUMNS, Item, table_row

SHEET_ROWS: Final = 100_000
"""Rows of a workbook at most: what a spreadsheet opens without a long wait, and whose longest texts
stay far below the two gibibytes that a part of a ZIP may have whose length is not known before."""

_DAY: Final = "dd/mm/yyyy"
_EUROS: Final = "#,##0.00"  # a French spreadsheet shows it with a comma, and spaces
_TITLE: Final = "Traverse"


async def xlsx_pieces(
    items: AsyncIterator[Sequence[Item]], site: str
) -> AsyncGenerator[bytes, None]:
    """A page of items becomes a piece of the archive at once; `site` is where the pages are.

    In a thread: writing a page takes long enough to hold up everybody else's searches.
    """
    book = _Book()
    try:
        yield await asyncio.to_thread(book.begin)
        async for page in items:
            rows = [table_row(item, site) for item in page]
            yield await asyncio.to_thread(book.append, rows)
        yield await asyncio.to_thread(book.end)
    finally:
        await asyncio.to_thread(book.discard)


class _Book:
    """A workbook of one sheet, each step of which gives the octets that it adds.

    Steps wait for each other: who is cancelled leaves one running in its thread.
    """

    def __init__(self) -> None:
        self._octets = _Octets()
        self._archive = ZipFile(cast(IO[bytes], self._octets), "w", ZIP_DEFLATED)
        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet(_TITLE)
        self._sheet._id = 1  # its place in the archive, which the library would give it at the end
        self._part = self._archive.open(self._sheet.path[1:], "w")
        self._days = _cell(self._sheet, _DAY)
        self._amounts = _cell(self._sheet, _EUROS)
        self._rows = 0
        self._step = Lock()

    def begin(self) -> bytes:
        """The header, which stays in sight and filters."""
        with self._step:
            for number, column in enumerate(COLUMNS, 1):
                self._sheet.column_dimensions[get_column_letter(number)].width = column.width
            self._sheet.freeze_panes = "A2"
            # The library writes to a file of its own unless its writer is given another.
            self._sheet._writer = WorksheetWriter(self._sheet, self._part)
            self._sheet._writer.write_top()
            self._append(_header(self._sheet, column.header) for column in COLUMNS)
            return self._octets.taken()

    def append(self, rows: list[list[Any]]) -> bytes:
        """So many rows more."""
        with self._step:
            for row in rows:
                self._append(self._styled(value) for value in row)
            return self._octets.taken()

    def end(self) -> bytes:
        """What follows the rows, and the other parts of the archive."""
        with self._step:
            last = get_column_letter(len(COLUMNS))
            self._sheet.auto_filter.ref = f"A1:{last}{self._rows}"
            self._sheet.close()
            self._part.close()
            _Rest(self._book, self._archive).save()
            return self._octets.taken()

    def discard(self) -> None:
        """Ends what its reader left midway; nothing where it is whole."""
        with self._step:
            if not self._sheet.closed:
                self._sheet.close()
            self._part.close()
            self._archive.close()

    def _append(self, row: Iterator[Any]) -> None:
        self._sheet.append(row)
        self._rows += 1

    def _styled(self, value: Any) -> Any:
        # One cell for all of a kind: the sheet writes each before it asks for the next.
        if isinstance(value, date):
            return _of(self._days, value)
        if isinstance(value, int | float):
            return _of(self._amounts, value)
        return value or None  # a cell that holds nothing is none: spreadsheets count those that are


class _Rest(ExcelWriter):  # type: ignore[misc]  # the library has no types
    """Writes all parts of the archive but the sheet, which is there."""

    def write_worksheet(self, ws: Any) -> None:
        """Names it only."""
        ws._drawing = None
        ws._rels = ws._writer._rels
        self.manifest.append(ws)


class _Octets:
    """A file of which what was written is taken away again. It cannot be gone back in: the archive
    then tells the length of a part behind it (APPNOTE.TXT, 4.4.4, bit 3)."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, octets: bytes) -> int:
        """Keeps them until they are taken."""
        self._pieces.append(bytes(octets))
        return len(octets)

    def flush(self) -> None:
        """There is nowhere to go on to."""

    def taken(self) -> bytes:
        """All since the last time."""
        octets = b"".join(self._pieces)
        self._pieces.clear()
        return octets


def _cell(sheet: Any, number_format: str) -> Any:
    cell = WriteOnlyCell(sheet)
    cell.number_format = number_format
    return cell


def _of(cell: Any, value: Any) -> Any:
    cell.value = value
    return cell


def _header(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    return cell
