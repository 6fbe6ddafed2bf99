"""Reads files to publish: events in JSON, NDJSON or a JSON array, records in CSV or XLSX.

The name's ending tells the format (.csv, .tsv, .xlsx, .ndjson, .jsonl), else the first octets do.
"""

import codecs
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from pathlib import PurePath
from typing import BinaryIO, Protocol, cast

from traverse_producers.errors import UnreadableInputError
from traverse_producers.files.json_rows import is_by_line, read_json
from traverse_producers.files.rows import Refused, Row
from traverse_producers.spreadsheets.rows import read_xlsx
from traverse_producers.tables.csv_rows import read_csv
from traverse_producers.tables.mapping import NO_MAPPING, Mapping
from traverse_producers.tables.rows import Voice

_TABLES = {".csv", ".tsv", ".txt"}
_WORKBOOKS = {".xlsx", ".xlsm", ".xls"}
_LINES = {".ndjson", ".jsonl"}


class Open(Protocol):
    """Opens a file or an address by its name (`input_streams.open_input`)."""

    def __call__(self, where: str, /) -> AbstractContextManager[BinaryIO]: ...


def read_files(
    files: Iterable[str],
    open_file: Open,
    *,
    institution: str | None,
    voice: Voice | None,
    mapping: Mapping = NO_MAPPING,
) -> Iterator[Row]:
    """The rows of the files, in their order. A file that cannot be read is one refusal.

    `voice` speaks for the records of tables; without one they are refused. `institution` (a SIREN)
    refuses the ready events of others. `mapping` says what the columns of tables are.
    """
    for file in files:
        try:
            with open_file(file) as stream:
                yield from _rows(stream, file, institution, voice, mapping)
        except UnreadableInputError as error:
            yield Refused(file, 1, None, "", str(error))


def _rows(
    stream: BinaryIO, name: str, institution: str | None, voice: Voice | None, mapping: Mapping
) -> Iterator[Row]:
    ending = PurePath(name).suffix.casefold()
    buffered = cast(BufferedReader, stream)
    workbook = is_workbook(name, buffered)
    if workbook or is_table(name) or (ending not in _LINES and not _is_json(buffered)):
        if voice is None:
            sentence = (
                "Ces dossiers en tableau ne disent pas qui les publie : ajoutez --institution "
                "SIREN."
            )
            yield Refused(name, 1, None, "", sentence)
        elif workbook:
            yield from read_xlsx(stream, name, voice, mapping)
        else:
            yield from read_csv(stream, name, voice, mapping)
        return
    if buffered.peek(3).startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    by_line = ending in _LINES or is_by_line(stream)
    yield from read_json(stream, name, by_line=by_line, institution=institution)


def is_table(name: str) -> bool:
    """Whether the name is that of a table in text."""
    return PurePath(name).suffix.casefold() in _TABLES


def is_workbook(name: str, stream: BufferedReader | None = None) -> bool:
    """Whether the name, else the first octets, are those of a workbook (.xlsx, .xls, a ZIP)."""
    if PurePath(name).suffix.casefold() in _WORKBOOKS:
        return True
    return stream is not None and stream.peek(4).startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


def _is_json(stream: BufferedReader) -> bool:
    """Whether the first sign opens a JSON object or array (an empty file counts as one)."""
    head = stream.peek(1).removeprefix(codecs.BOM_UTF8).lstrip()
    return head[:1] in (b"{", b"[", b"")
