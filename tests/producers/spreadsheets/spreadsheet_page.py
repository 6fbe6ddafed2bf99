"""The page `docs/publish/spreadsheet.md`, taken apart for the tests that run it."""

import re
import shlex
from pathlib import Path
from typing import Any

import openpyxl

PAGE = Path(__file__).parents[3] / "docs/publish/spreadsheet.md"


class Page:
    """Its commands, its tables and its mapping, in their order."""

    def __init__(self) -> None:
        self.text = PAGE.read_text(encoding="utf-8")

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command, without the program's name."""
        blocks = re.findall(r"```sh\n(.*?)```", self.text, re.DOTALL)
        return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]

    @property
    def mapping(self) -> str:
        (found,) = re.findall(r"```toml\n(.*?)```", self.text, re.DOTALL)
        return str(found)

    @property
    def tables(self) -> list[list[list[str]]]:
        """The rows of each table, its header first."""
        found: list[list[list[str]]] = []
        lines = self.text.splitlines()
        for number, line in enumerate(lines):
            if not line.startswith("|") or line.startswith("|---"):
                continue
            if not lines[number - 1].startswith("|"):
                found.append([])
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        return found


def fill_in(path: Path, rows: list[list[str]], *, new: bool) -> None:
    """Type rows under their headers, below what is there, or over the row of the same reference."""
    book = openpyxl.load_workbook(path)
    sheet: Any = book["Dossiers"]
    titles = {str(cell.value).rstrip(" *"): cell.column for cell in sheet[1]}
    header, *typed = rows
    for row in typed:
        references = {
            cell.value: cell.row for cell in next(sheet.iter_cols(titles["Référence"], titles[
                "Référence"]))
        }  # fmt: skip
        at = sheet.max_row + 1 if new else references[row[0]]
        for title, text in zip(header, row, strict=True):
            sheet.cell(at, titles[title]).value = text
    book.save(path)


def keep_a_sheet(path: Path, rows: list[list[str]]) -> None:
    """A programme as somebody keeps it: two rows of titles, then the table."""
    book = openpyxl.Workbook()
    sheet: Any = book.create_sheet("Programme 2026")
    for row in (["Programme des achats"], ["mis à jour en mars"], *rows):
        sheet.append(row)
    book.save(path)
