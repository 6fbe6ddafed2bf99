"""Reads records from a CSV file with a header, row by row. Streaming; see `csv_columns`.

Separated by `;`, `,` or tabs; in UTF-8 (with or without its mark), UTF-16 or Windows-1252. A row
that is wrong is told and the next ones are read; a header that is wrong refuses the file, since
every row would lose what its unknown column holds.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from difflib import get_close_matches
from typing import BinaryIO, NamedTuple

from traverse_producers.csv_cells import UnreadableCellError, plain
from traverse_producers.csv_columns import BY_HEADER, COLUMNS, ONLY_IN_JSON, Column
from traverse_producers.csv_record import Cell, event_of
from traverse_producers.errors import InvalidEventError
from traverse_producers.event_builder import octets_of
from traverse_producers.importers.octets import texts
from traverse_producers.rows import Ready, Refused, Row

_SEPARATORS = ";\t,"
_LONGEST_LINE = 1024 * 1024  # characters
_NEEDED = (("reference", "reference"), ("kind", "type"))


class Voice(NamedTuple):
    """Who speaks in a file of records: the source, and the time of rows that carry none."""

    source: str
    now: Callable[[], datetime]


def read_csv(stream: BinaryIO, name: str, voice: Voice) -> Iterator[Row]:
    """The events that the rows tell."""
    lines = _Lines(stream)
    try:
        header = lines.header()
        columns = _columns(header.cells)
    except UnreadableCellError as error:
        yield Refused(name, max(lines.read, 1), None, "", str(error))
        return
    for line, row in lines.rows(header.separator):
        if isinstance(row, str):
            yield Refused(name, line, None, "", row)
        elif any(row):
            yield _row(row, columns, header.cells, Refused(name, line, None, "", ""), voice)


def _row(
    row: list[str], columns: list[Column | None], header: list[str], where: Refused, voice: Voice
) -> Row:
    """The event of a row, or its refusal (`where`, with the sentence)."""
    cells = []
    reference = None
    for position, text in enumerate(row):
        if not text:
            continue
        column = columns[position] if position < len(columns) else None
        if column is None:
            sentence = (
                f"La cellule n° {position + 1} (« {text[:40]} ») n'a pas de nom de colonne : "
                "vérifiez les séparateurs et les guillemets de la ligne."
            )
            return where._replace(sentence=sentence)
        if column.name == "reference":
            reference = text
        cells.append(Cell(column, header[position], text))
    try:
        event = event_of(cells, source=voice.source, now=voice.now)
        return Ready(where.file, where.line, reference, octets_of(event))
    except (UnreadableCellError, InvalidEventError) as error:
        return where._replace(reference=reference, sentence=str(error))


def _columns(header: list[str]) -> list[Column | None]:
    """The column of each header; None for one without a name. Raises UnreadableCellError."""
    columns: list[Column | None] = []
    for title in header:
        word = plain(title)
        column = BY_HEADER.get(word)
        if word and column is None:
            raise UnreadableCellError(unknown_column(title))
        if column is not None and column in columns:
            raise UnreadableCellError(
                f"La colonne {title} dit la même chose qu'une autre ({column.name}) : "
                "gardez-en une seule."
            )
        columns.append(column)
    known = {column.name for column in columns if column}
    for name, french in _NEEDED:
        if name not in known:
            raise UnreadableCellError(
                f"Le fichier n'a pas de colonne {french} : la première ligne doit nommer les "
                "colonnes, reference et type au moins (« traverse publish --columns » les montre)."
            )
    return columns


def unknown_column(title: str) -> str:
    """The sentence for a header that is no column's name."""
    word = plain(title)
    if word in ONLY_IN_JSON:
        return (
            f"La colonne « {title[:40]} » ne tient pas dans un tableau : publiez ces dossiers en "
            "JSON."
        )
    close = get_close_matches(word, BY_HEADER, n=1)
    hint = f"est-ce {close[0]} ? Sinon, retirez-la" if close else "retirez-la, ou corrigez son nom"
    known = ", ".join(column.aliases[0] for column in COLUMNS)
    return (
        f"La colonne « {title[:40]} » n'existe pas : {hint} (« traverse publish --columns » montre "
        f"des exemples) ; les colonnes sont {known}."
    )


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

    def header(self) -> _Header:
        """The first line with something on it, and the separator that it uses most."""
        for line in self:
            if line.strip() and not line.casefold().startswith("sep="):
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
