"""A copy of a table with a column that says, row by row, what to mend."""

import contextlib
import csv
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from traverse_producers.errors import PublishError
from traverse_producers.files.read import is_workbook
from traverse_producers.files.rows import Refused
from traverse_producers.spreadsheets.rows import table_of
from traverse_producers.spreadsheets.template import add_choices, choices_of
from traverse_producers.tables.cells import UnreadableCellError, plain
from traverse_producers.tables.csv_rows import raw_rows
from traverse_producers.tables.mapping import Mapping
from traverse_producers.tables.rows import CORRECTIONS, Plan, plan_of
from traverse_schemas.system_faults import fault

_SUFFIX = ".a-corriger"


def write_corrections(path: Path, problems: Iterable[Refused], mapping: Mapping) -> Path | None:
    """Write the copy beside the file (`besoins.a-corriger.xlsx`), and give its path.

    None when no row is concerned or the file cannot be copied: the report has it all. A copy of an
    earlier time is replaced. Raises UnwritableCopyError.
    """
    by_row = _by_row(problems)
    if not by_row or (_SUFFIX in path.name and not path.exists()):
        return None
    stem = path.name.removesuffix(path.suffix).removesuffix(_SUFFIX)
    copy = path.with_name(f"{stem}{_SUFFIX}{'.xlsx' if is_workbook(path.name) else '.csv'}")
    write = _write_xlsx if is_workbook(path.name) else _write_csv
    try:
        # Beside it, then in its place: a copy is whole, or is not there.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".traverse-", suffix=copy.suffix)
        os.close(handle)
        try:
            write(path, Path(name), by_row, mapping)
            Path(name).replace(copy)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except UnreadableCellError:
        return None
    except OSError as error:
        raise UnwritableCopyError(
            f"La copie à corriger {copy} ne peut pas être écrite ({fault(error)}) : vérifiez les "
            "droits du dossier ; le rapport dit tout."
        ) from error
    return copy


class UnwritableCopyError(PublishError):
    """The folder of a table cannot be written in."""


def _by_row(problems: Iterable[Refused]) -> dict[int, list[Refused]]:
    found: dict[int, list[Refused]] = defaultdict(list)
    for problem in problems:
        if isinstance(problem.line, int):
            found[problem.line].append(problem)
    return found


def _said(problems: list[Refused], plan: Plan | None) -> str:
    lines = []
    for problem in problems:
        header = plan.header_of(problem.pointer) if plan and problem.pointer else None
        lines.append(f"Colonne {header} : {problem.sentence}" if header else problem.sentence)
    return "\n".join(dict.fromkeys(lines))


def _copied(
    rows: Iterator[tuple[int, list[str]]], by_row: dict[int, list[Refused]], mapping: Mapping
) -> Iterator[tuple[list[str], Plan | None, bool]]:
    """The rows with their corrections as the first cell; those of an earlier copy are replaced."""
    plan: Plan | None = None
    old: int | None = None
    for place, (number, cells) in enumerate(rows):
        if place == 0:
            with contextlib.suppress(UnreadableCellError):
                plan = plan_of(cells, mapping)
            words = [plain(title) for title in cells]
            old = words.index(plain(CORRECTIONS)) if plain(CORRECTIONS) in words else None
        kept = [cell for at, cell in enumerate(cells) if at != old]
        wrong = by_row.get(number, [])
        said = _said(wrong, plan)
        if place == 0:
            said = f"{CORRECTIONS}\n{said}" if said else CORRECTIONS
        yield [said, *kept], plan, bool(wrong)


def _write_csv(path: Path, copy: Path, by_row: dict[int, list[Refused]], mapping: Mapping) -> None:
    with path.open("rb") as stream, copy.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        for cells, _, _ in _copied(raw_rows(stream, mapping.header_row), by_row, mapping):
            writer.writerow(cells)


def _write_xlsx(path: Path, copy: Path, by_row: dict[int, list[Refused]], mapping: Mapping) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("Dossiers")
    sheet.column_dimensions["A"].width = 60
    sheet.freeze_panes = "B2"
    fill = PatternFill("solid", fgColor="FDE9D9")
    plan: Plan | None = None
    with path.open("rb") as stream:
        rows = ((row.number, row.cells) for row in table_of(stream, mapping))
        for place, (cells, plan_, wrong) in enumerate(_copied(rows, by_row, mapping)):
            plan = plan_
            made = []
            for at, text in enumerate(cells):
                cell: Any = WriteOnlyCell(sheet, value=text or None)
                cell.data_type = "s" if text else "n"  # never a formula: what others typed is text
                cell.number_format = "@"
                if wrong:
                    cell.fill = fill
                if place == 0:
                    cell.font = Font(bold=True)
                if at == 0:
                    cell.alignment = Alignment(wrap_text=True, vertical="top")
                made.append(cell)
            sheet.append(made)
    if plan is not None:
        kept = [c for t, c in zip(plan.header, plan.columns, strict=True)
                if plain(t) != plain(CORRECTIONS)]  # fmt: skip
        add_choices(book, sheet, choices_of([None, *kept]))
    book.save(copy)
