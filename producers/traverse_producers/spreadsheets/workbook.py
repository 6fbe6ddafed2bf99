"""Reads a workbook (XLSX) of strangers as rows of text, bounded in memory and time.

What a file could do is refused with a sentence before it is opened (`bounds`); external links are
not kept, formulas are not computed (their last value counts, as the spreadsheet saved it), macros
are not read.
"""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, NamedTuple

from traverse_producers.spreadsheets.bounds import check_workbook
from traverse_producers.tables.cells import UnreadableCellError

LARGEST_FILE = 32 << 20
MOST_ROWS = 100_000
MOST_COLUMNS = 256
_WIDEST = 1024
_CHUNK = 1 << 20
_MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell [^>]{0,80}ref="[A-Z]{1,3}([0-9]{1,7})(?::[A-Z]{1,3}([0-9]{1,7}))?"'
)
_ERRORS = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_OLE = b"\xd0\xcf\x11\xe0"
_MOST_MERGED = 10_000


class SheetRow(NamedTuple):
    """A row of a sheet: its number, its cells as text, what is wrong with it ("" if nothing)."""

    number: int
    cells: list[str]
    fault: str


def read_rows(stream: BinaryIO, sheet: str | None = None) -> Iterator[SheetRow]:
    """The rows of a sheet (the first one that is shown by default), empty ones left out.

    Raises UnreadableCellError for a file that cannot be read as a whole.
    """
    with SpooledTemporaryFile(max_size=4 << 20) as copy:
        _copy(stream, copy)
        with _mapped():
            check_workbook(copy)
            yield from _rows(copy, sheet)


def _copy(stream: BinaryIO, copy: IO[bytes]) -> None:
    size = 0
    while octets := stream.read(_CHUNK):
        size += len(octets)
        if size > LARGEST_FILE:
            raise UnreadableCellError(
                f"Le classeur dépasse {LARGEST_FILE >> 20} Mio : partagez-le en plusieurs "
                "fichiers, ou enregistrez-le en CSV."
            )
        copy.write(octets)
    copy.seek(0)
    head = copy.read(4)
    if head == _OLE:
        raise UnreadableCellError(
            "Le classeur est protégé par un mot de passe, ou d'un ancien format (.xls) : "
            "enregistrez-le en .xlsx, sans mot de passe."
        )
    if head[:2] != b"PK":
        raise UnreadableCellError(
            "Ce n'est pas un classeur .xlsx : enregistrez-le dans ce format, ou en CSV."
        )
    copy.seek(0)


def _rows(copy: IO[bytes], name: str | None) -> Iterator[SheetRow]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that openpyxl does not keep
        book = load_workbook(copy, read_only=True, data_only=True, keep_links=False)
    try:
        sheet = _sheet(book, name)
        merged, has_formulas = _scan(sheet)
        sheet.reset_dimensions()  # what the file says of its size is not to be trusted
        formulas: Iterator[Any] | None = None
        other = None
        if has_formulas:
            copy.seek(0)
            other = load_workbook(copy, read_only=True, data_only=False, keep_links=False)
            twin = other[sheet.title]
            twin.reset_dimensions()
            formulas = twin.iter_rows(values_only=True)
        try:
            yield from _texts(sheet.iter_rows(values_only=True), formulas, merged)
        finally:
            if other is not None:
                other.close()
    finally:
        book.close()


def _texts(
    rows: Iterator[Any], formulas: Iterator[Any] | None, merged: set[int]
) -> Iterator[SheetRow]:
    for number, row in enumerate(rows, start=1):
        twin = next(formulas, ()) if formulas is not None else ()
        if not row:
            continue
        if len(row) > _WIDEST or any(value is not None for value in row[MOST_COLUMNS:]):
            raise UnreadableCellError(
                f"La ligne {number} a plus de {MOST_COLUMNS} colonnes : supprimez les colonnes à "
                "droite du tableau."
            )
        cells = [_text(value) for value in row[:MOST_COLUMNS]]
        fault = _fault(row, twin)
        if not any(cells) and not fault:
            continue
        if number > MOST_ROWS:
            raise UnreadableCellError(
                f"La feuille a plus de {MOST_ROWS} lignes : partagez-la en plusieurs fichiers."
            )
        if number in merged:
            fault = fault or (
                "Des cellules de cette ligne sont fusionnées avec d'autres lignes : "
                "défusionnez-les et remplissez chaque ligne."
            )
        yield SheetRow(number, cells, fault)


def _fault(row: tuple[Any, ...], twin: tuple[Any, ...]) -> str:
    from openpyxl.utils import get_column_letter

    for position, value in enumerate(row[:MOST_COLUMNS]):
        column = get_column_letter(position + 1)
        if isinstance(value, str) and value in _ERRORS:
            return f"La cellule {column} contient une erreur ({value}) : corrigez sa formule."
        if value is None and position < len(twin) and _is_formula(twin[position]):
            return (
                f"La formule de la cellule {column} n'a pas de valeur enregistrée : ouvrez le "
                "classeur dans un tableur et enregistrez-le, ou écrivez la valeur."
            )
    return ""


def _is_formula(value: Any) -> bool:
    if value is None or isinstance(value, str):
        return isinstance(value, str) and value.startswith("=")
    return type(value).__name__ in ("ArrayFormula", "DataTableFormula")


def _sheet(book: Any, name: str | None) -> Any:
    shown = [each for each in book.worksheets if each.sheet_state == "visible"]
    if name is None:
        if not shown:
            raise UnreadableCellError("Le classeur n'a aucune feuille visible.")
        return shown[0]
    for each in book.worksheets:
        if each.title.strip().casefold() == name.strip().casefold():
            return each
    titles = ", ".join(each.title for each in shown)[:200]
    raise UnreadableCellError(
        f"Le classeur n'a pas de feuille « {name[:40]} » : il a {titles or 'aucune feuille'}."
    )


def _scan(sheet: Any) -> tuple[set[int], bool]:
    """The rows that cells join with others, and whether the sheet has formulas."""
    merged: set[int] = set()
    formulas = False
    found = 0
    with sheet._get_source() as content:
        rest = b""
        while octets := content.read(_CHUNK):
            window = rest + octets
            formulas = formulas or _FORMULA.search(window) is not None
            for match in _MERGED.finditer(window):
                first, last = int(match[1]), int(match[2] or match[1])
                found += 1
                if found > _MOST_MERGED:
                    raise UnreadableCellError(
                        "La feuille a trop de cellules fusionnées : défusionnez-les."
                    )
                if first < last:
                    merged.update(range(first, min(last, MOST_ROWS) + 1))
            rest = window[-200:]
    return merged, formulas


def _text(value: Any) -> str:
    """The content of a cell as people would type it in French."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date().isoformat()
        return (value + timedelta(seconds=30)).isoformat(timespec="minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return _number(value)
    return str(value).strip()


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.10f}".rstrip("0").replace(".", ",")
    # Three decimals could be thousands: a zero more says that they are not.
    return f"{text}0" if len(text.partition(",")[2]) == 3 else text


@contextmanager
def _mapped() -> Iterator[None]:
    """What the libraries say of a broken file, as one sentence."""
    try:
        yield
    except UnreadableCellError:
        raise
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, IndexError,
            AttributeError, EOFError, NotImplementedError, RuntimeError, OSError, SyntaxError,
            OverflowError, MemoryError) as error:  # fmt: skip
        raise UnreadableCellError(
            f"Le classeur n'est pas lisible ({type(error).__name__}) : ouvrez-le dans un tableur, "
            "enregistrez-le à nouveau en .xlsx, ou en CSV."
        ) from error
