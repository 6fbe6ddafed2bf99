"""Reads records from a workbook: the same columns and cells as from CSV."""

from collections.abc import Iterator
from typing import BinaryIO

from traverse_producers.files.rows import Refused, Row
from traverse_producers.spreadsheets.workbook import SheetRow, read_rows
from traverse_producers.tables.cells import UnreadableCellError
from traverse_producers.tables.mapping import NO_MAPPING, Mapping
from traverse_producers.tables.rows import Plan, Voice, plan_of, row_of


def read_xlsx(
    stream: BinaryIO, name: str, voice: Voice, mapping: Mapping = NO_MAPPING
) -> Iterator[Row]:
    """The events that the rows of a sheet tell; `line` is the row's number in the sheet."""
    plan: Plan | None = None
    number = 1
    try:
        for number, cells, fault in table_of(stream, mapping):
            where = Refused(name, number, None, "", fault)
            if plan is None:
                plan = plan_of(cells, mapping)
            elif fault:
                yield where
            else:
                yield row_of(cells, plan, where, voice)
    except UnreadableCellError as error:
        yield Refused(name, number, None, "", str(error))
        return
    if plan is None:
        sentence = "La feuille est vide : sa première ligne doit nommer les colonnes."
        yield Refused(name, 1, None, "", sentence)


def table_of(stream: BinaryIO, mapping: Mapping) -> Iterator[SheetRow]:
    """The rows of the table, its header first (`header_row`, else the first that is not empty).
    Raises UnreadableCellError."""
    width = 0
    for row in read_rows(stream, mapping.sheet):
        if row.number < mapping.header_row:
            continue
        if not width:
            header = row.cells
            while header and not header[-1]:
                header = header[:-1]
            width = len(header)
            yield row._replace(cells=header)
        else:
            yield row._replace(cells=row.cells + [""] * (width - len(row.cells)))
