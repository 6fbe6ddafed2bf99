"""Reads records from a CSV file with a header, row by row. Streaming; see `columns`.

Separated by `;`, `,` or tabs; in UTF-8 (with or without its mark), UTF-16 or Windows-1252.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from traverse_producers.files.rows import Refused, Row
from traverse_producers.importers.octets import texts
from traverse_producers.tables.cells import UnreadableCellError
from traverse_producers.tables.mapping import NO_MAPPING, Mapping
from traverse_producers.tables.rows import Voice, plan_of, row_of

_SEPARATORS = ";\t,"
_LONGEST_LINE = 1024 * 1024  # characters


def read_csv(
    stream: BinaryIO, name: str, voice: Voice, mapping: Mapping = NO_MAPPING
) -> Iterator[Row]:
    """The events that the rows tell."""
    lines = _Lines(stream)
    try:
        header = lines.header(mapping.header_row)
        plan = plan_of(header.cells, mapping)
    except UnreadableCellError as error:
        yield Refused(name, max(lines.read, 1), None, "", str(error))
        return
    for line, row in lines.rows(header.separator):
        if isinstance(row, str):
            yield Refused(name, line, None, "", row)
        elif any(row):
            yield row_of(row, plan, Refused(name, line, None, "", ""), voice)


def raw_rows(stream: BinaryIO, header_row: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The cells of a file, its header first, with the numbers of their lines; [] for a row that
    cannot be read. Raises UnreadableCellError for a file without header."""
    lines = _Lines(stream)
    header = lines.header(header_row)
    yield lines.read, header.cells
    for line, row in lines.rows(header.separator):
        yield line, [] if isinstance(row, str) else row


class _Header(NamedTuple):
    cells: list[str]
    separator: str


class _Lines:
    """The lines of a file, with their numbers. Those of a row that cannot be read come back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._source = _lines(stream)
        self._again: deque[str] = deque()
        self._row: list[str] = []
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self.read += 1
        self._row.append(line)
        return line

    def header(self, number: int = 0) -> _Header:
        """The first line with something on it (from line `number`), and the separator that it
        uses most."""
        for line in self:
            if self.read >= number and line.strip() and not line.casefold().startswith("sep="):
                separator = max(_SEPARATORS, key=line.count)
                try:
                    cells = next(csv.reader([line], delimiter=separator, strict=True))
                except csv.Error:
                    break
                self._row = []
                return _Header([cell.strip() for cell in cells], separator)
        raise UnreadableCellError(
            "Le fichier n'a pas de première ligne qui nomme les colonnes, comme "
            "reference;type;titre;territoire;url."
        )

    def rows(self, separator: str) -> Iterator[tuple[int, list[str] | str]]:
        """Each row with the number of its first line; a sentence for one that cannot be read."""
        reader = csv.reader(self, delimiter=separator, strict=True)
        while True:
            first = self.read + 1
            self._row = []
            try:
                yield first, [cell.strip() for cell in next(reader)]
            except StopIteration:
                return
            except csv.Error:
                # Most often a quote that is never closed: only its own line is lost.
                self._again.extendleft(reversed(self._row[1:]))
                self.read = first
                reader = csv.reader(self, delimiter=separator, strict=True)
                yield (
                    first,
                    "Les guillemets de cette ligne ne vont pas par deux, ou une cellule est trop "
                    "longue : corrigez-la (un guillemet dans un texte s'écrit deux fois).",
                )


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Lines with their ends; one beyond the limit is cut there, and its row will not be right."""
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    rest = ""
    for text in texts(stream):
        *whole, rest = (rest + newlines.decode(text)).split("\n")
        for line in whole:
            yield f"{line}\n"
        if len(rest) > _LONGEST_LINE:
            yield f"{rest}\n"
            rest = ""
    if rest:
        yield rest
