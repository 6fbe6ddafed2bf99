"""Workbooks of strangers: what is read, what is refused with a sentence, nothing that grows."""

import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from traverse_producers.spreadsheets import bounds, workbook
from traverse_producers.spreadsheets.workbook import read_rows
from traverse_producers.tables.cells import UnreadableCellError


def book(*rows: list[Any], change: Callable[[Any, Any], None] | None = None) -> bytes:
    """A workbook of one sheet."""
    made = openpyxl.Workbook()
    sheet: Any = made.active
    for row in rows:
        sheet.append(row)
    if change is not None:
        change(made, sheet)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def rewritten(octets: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(octets)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            new.writestr(
                part.filename,
                change(content) if part.filename.endswith(name) else content,
                zipfile.ZIP_DEFLATED,
            )
    return file.getvalue()


def cells(octets: bytes, sheet: str | None = None) -> list[list[str]]:
    return [row.cells for row in read_rows(io.BytesIO(octets), sheet)]


def refusal(octets: bytes) -> str:
    with pytest.raises(UnreadableCellError) as caught:
        list(read_rows(io.BytesIO(octets)))
    return str(caught.value)


def test_cells_are_as_people_would_type_them() -> None:
    """Dates, hours, whole numbers without point, decimals that cannot be read as thousands."""
    row = [
        date(2026, 6, 12), datetime(2026, 6, 12, 12), 21130055300016, 13055.0, 1234.5, 1.234,  # noqa: DTZ001 - as workbooks have them
        True, "  texte ", None, "0123",
    ]  # fmt: skip
    assert cells(book(row)) == [
        [
            "2026-06-12",
            "2026-06-12T12:00",
            "21130055300016",
            "13055",
            "1234,5",
            "1,2340",
            "oui",
            "texte",
            "",
            "0123",
        ]
    ]


def test_empty_rows_are_left_out_and_numbers_kept() -> None:
    """The numbers are those that the spreadsheet shows."""
    found = [(row.number, row.cells) for row in read_rows(io.BytesIO(book(["a"], [], ["b"])))]
    assert found == [(1, ["a"]), (3, ["b"])]


def test_the_first_sheet_that_is_shown() -> None:
    """Or the one that is asked for, whatever its case; a wrong name tells the right ones."""

    def hide(made: Any, sheet: Any) -> None:
        sheet.sheet_state = "hidden"
        made.create_sheet("Besoins").append(["visible"])

    octets = book(["caché"], change=hide)
    assert cells(octets) == [["visible"]]
    assert cells(octets, "SHEET") == [["caché"]]
    with pytest.raises(UnreadableCellError, match="il a Besoins"):
        cells(octets, "Autre")


def test_formulas_count_by_their_saved_value() -> None:
    """Without one the row says so: openpyxl saves none, spreadsheets do."""
    octets = book(["a", "=1+1"], ["b", 2])
    first, second = read_rows(io.BytesIO(octets))
    assert "formule de la cellule B" in first.fault
    assert not second.fault
    saved = rewritten(octets, "sheet1.xml", lambda x: x.replace(b"<v />", b"<v>2</v>"))
    saved = rewritten(saved, "sheet1.xml", lambda x: x.replace(b"<v></v>", b"<v>2</v>"))
    assert cells(saved)[0] == ["a", "2"]


def test_an_error_of_a_formula_is_told() -> None:
    """`#REF!` is no title."""
    (row,) = read_rows(io.BytesIO(book(["#REF!"])))
    assert "#REF!" in row.fault


def test_rows_that_cells_join_are_told() -> None:
    """Across columns nothing is lost; across rows the second would lose its value."""

    def merge(_: Any, sheet: Any) -> None:
        sheet.merge_cells("A1:B1")
        sheet.merge_cells("A3:A4")

    rows = read_rows(io.BytesIO(book(["titre"], ["a", 1], ["b", 2], ["c", 3], change=merge)))
    assert [bool(row.fault) for row in rows] == [False, False, True, True]


def test_external_links_are_not_followed() -> None:
    """The saved value counts, the other file is not looked for."""
    octets = book(["a", 1])
    linked = rewritten(
        octets,
        "sheet1.xml",
        lambda x: x.replace(b'<c r="B1" t="n"><v>1</v>', b'<c r="B1"><f>[1]Autre!A1</f><v>7</v>'),
    )
    assert cells(linked) == [["a", "7"]]


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what its parts would come to, and by their number."""
    monkeypatch.setattr(bounds, "LARGEST_UNPACKED", 4 << 20)
    bomb = rewritten(book(["a"]), "styles.xml", lambda _: b" " * (4 << 20))
    assert len(bomb) < 100_000
    assert "trop grand une fois décompressé" in refusal(bomb)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(bounds.MOST_PARTS + 1):
            archive.writestr(str(number), b"")
    assert "trop grand" in refusal(file.getvalue())


def test_too_much_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared strings are the one part that is held in memory."""
    monkeypatch.setattr(bounds, "LARGEST_TEXTS", 1000)
    file = io.BytesIO(book(["a"]))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/any.xml", b"<sst><si/>" + b" " * 2000 + b"</sst>")
    assert "trop de texte" in refusal(file.getvalue())


def test_a_large_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is opened."""
    monkeypatch.setattr(workbook, "LARGEST_FILE", 1000)
    assert "dépasse" in refusal(book(["a"]))


def test_a_sheet_with_too_many_rows_or_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the file says of its size; a far cell costs no more than a near one."""

    def far(_: Any, sheet: Any) -> None:
        sheet["XFD1"] = "loin"

    def deep(_: Any, sheet: Any) -> None:
        sheet["A1048576"] = "profond"

    assert "plus de 256 colonnes" in refusal(book(["a"], change=far))
    assert "plus de 100000 lignes" in refusal(book(["a"], change=deep))


ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x">]>'


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "n'est pas un classeur"),
        (b"reference;type\n", "n'est pas un classeur"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "mot de passe"),
        (b"PK\x03\x04" + b"x" * 600, "n'est pas lisible"),
        (book(["a"])[:-200], "n'est pas lisible"),
        (rewritten(book(["a"]), "sheet1.xml", lambda x: x[:-40]), "n'est pas lisible"),
        (rewritten(book(["a"]), "workbook.xml", lambda _: b"<a/>"), "lisible|aucune feuille"),
        (rewritten(book(["a"]), "sheet1.xml", lambda x: ENTITY + x), "DTD"),
        (rewritten(book(["a"]), "styles.xml", lambda x: x.replace(b"<fonts", b"<x")), ""),
    ],
)
def test_what_cannot_be_read_is_one_sentence(octets: bytes, said: str) -> None:
    """Nothing else is raised, whatever is in the file."""
    try:
        cells(octets)
    except UnreadableCellError as error:
        assert any(part in str(error) for part in said.split("|"))
    else:
        assert not said


def test_workbooks_with_octets_changed_anywhere() -> None:
    """In any of their parts: rows, or a sentence (seeded)."""
    octets = book(["a", 1, 2.5, date(2026, 1, 1), "=1+1"], ["b"] * 5)
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        names = archive.namelist()
    chance = random.Random(3)  # noqa: S311 - mutations, no secrets

    def changed(content: bytes) -> bytes:
        made = bytearray(content)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(made))
            kind = chance.randrange(3)
            if kind == 0:
                made[at] = chance.randrange(256)
            elif kind == 1:
                del made[at : at + chance.randint(1, 30)]
            else:
                made[at:at] = made[at : at + chance.randint(1, 40)]
        return bytes(made)

    for _ in range(60):
        try:
            list(read_rows(io.BytesIO(rewritten(octets, chance.choice(names), changed))))
        except UnreadableCellError as error:
            assert str(error).endswith(".")
