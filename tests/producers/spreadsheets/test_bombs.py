"""Workbooks that are small until they are read, in a process that has little memory and time."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.producers.bounded import Run, bounded
from tests.producers.spreadsheets.test_workbook import book

pytestmark = pytest.mark.long

READ = """
from traverse_producers.spreadsheets.workbook import read_rows
from traverse_producers.tables.cells import UnreadableCellError
try:
    with open(file, "rb") as stream:
        print(sum(1 for _ in read_rows(stream)), "rows")
except UnreadableCellError as error:
    print(error)
"""
MAIN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
SHEET, STYLES, TEXTS = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"
MEGABYTE = 1 << 20


def repeated(octets: bytes, total: int) -> Iterator[bytes]:
    """About so many octets, a megabyte at a time."""
    block = octets * (MEGABYTE // len(octets))
    for _ in range(total // MEGABYTE):
        yield block


def bomb(file: Path, name: str, content: Iterator[bytes]) -> Path:
    """A workbook one part of which has this content."""
    with (
        zipfile.ZipFile(io.BytesIO(book(["a"]))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part.filename, old.read(part))
        with new.open(name, "w", force_zip64=True) as part_file:
            for octets in content:
                part_file.write(octets)
    assert file.stat().st_size < 16 * MEGABYTE
    return file


def sheet(*pieces: Callable[[], Iterator[bytes]] | bytes) -> Iterator[bytes]:
    """A sheet whose data are these pieces."""
    yield MAIN + b"<sheetData>"
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            yield from piece()
    yield b"</sheetData></worksheet>"


def of(octets: bytes, total: int = 180 * MEGABYTE) -> Callable[[], Iterator[bytes]]:
    return lambda: repeated(octets, total)


def attributes() -> Iterator[bytes]:
    """One element with some ten million attributes."""
    yield b"<a "
    for block in range(12):
        yield b"".join(b'a%d="" ' % n for n in range(block * 500_000, (block + 1) * 500_000))
    yield b"/>"


BOMBS: dict[str, tuple[str, Callable[[], Iterator[bytes]]]] = {
    "gigabytes": (SHEET, lambda: sheet(of(b"<row/>", 2 << 30))),
    "empty rows": (SHEET, lambda: sheet(of(b"<row/>"))),
    "one row": (SHEET, lambda: sheet(b"<row>", of(b"<c/>"), b"</row>")),
    "elements that are no rows": (SHEET, lambda: sheet(of(b"<a/>"))),
    "one text": (SHEET, lambda: sheet(b"<row><c><v>", of(b"a"), b"</v></c></row>")),
    "attributes": (SHEET, lambda: sheet(attributes)),
    "a far row": (SHEET, lambda: sheet(b'<row r="999999999999"><c><v>1</v></c></row>')),
    "styles": (STYLES, lambda: sheet(of(b"<a/>"))),
    "comments in styles": (STYLES, lambda: sheet(of(b"<!-- -->"))),
    "shared texts": (TEXTS, lambda: sheet(of(b"<si/>", 40 * MEGABYTE))),
    "a name that says nothing": ("xl/media/image1.png", lambda: sheet(of(b"<a/>"))),
}


def read(file: Path) -> Run:
    return bounded(READ, file)


@pytest.mark.parametrize("kind", BOMBS)
def test_a_workbook_that_grows_is_refused_in_one_sentence(kind: str, tmp_path: Path) -> None:
    """Within 400 MiB, and a fraction of the time that it could take."""
    name, content = BOMBS[kind]
    run = read(bomb(tmp_path / "bomb.xlsx", name, content()))
    assert "trop grand" in run.said or "numérote 1048576" in run.said, run
    assert run.said.count("\n") == 0
    assert run.peak < 400


def test_the_table_of_an_archive_is_bounded(tmp_path: Path) -> None:
    """Its lines are held in memory, and cost more there than in the file."""
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(100_000):
            archive.writestr(str(number), b"")
    run = read(file)
    assert "2000 parties" in run.said
    assert run.peak < 150


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "cp037"])
def test_a_part_in_another_encoding_hides_nothing(encoding: str, tmp_path: Path) -> None:
    """Every spreadsheet writes UTF-8."""
    text = f"<?xml version='1.0' encoding='{encoding}'?><a/>"
    run = read(bomb(tmp_path / "a.xlsx", SHEET, iter([text.encode(encoding)])))
    assert "n'est pas en UTF-8" in run.said


def test_a_declaration_of_another_encoding_is_refused(tmp_path: Path) -> None:
    """Octets that are text in UTF-8 may be elements in what the part declares."""
    octets = b"<?xml version='1.0' encoding='utf-7'?><a>+ADw-b/+AD4-</a>"
    assert "UTF-8" in read(bomb(tmp_path / "a.xlsx", STYLES, iter([octets]))).said


def test_a_dtd_is_refused_wherever_it_is(tmp_path: Path) -> None:
    """Behind a comment that is longer than any head."""
    octets = b"<!--" + b" " * 200_000 + b'--><!DOCTYPE a [<!ENTITY b "x">]><a/>'
    assert "DTD" in read(bomb(tmp_path / "a.xlsx", STYLES, iter([octets]))).said


def test_a_large_sheet_is_read(tmp_path: Path) -> None:
    """As many rows as are taken, in less memory than the file has unpacked."""

    def rows() -> Iterator[bytes]:
        for number in range(1, 100_001):
            cells = b"".join(b"<c><v>%d</v></c>" % column for column in range(10))
            yield b'<row r="%d">%s</row>' % (number, cells)

    run = read(bomb(tmp_path / "a.xlsx", SHEET, sheet(rows)))
    assert run.said == "100000 rows"
    assert run.peak < 200
