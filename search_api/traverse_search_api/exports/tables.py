"""A search as a table for spreadsheets: French headers, and no cell that one would compute."""

import csv
import io
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from traverse_schemas.documents.status import french_day
from traverse_search_api.deadlines import is_bare, local_end

Item = dict[str, Any]

# OWASP, CSV Injection: what a spreadsheet takes for the beginning of a formula, in full width too.
_FORMULA: Final = re.compile(r"^[\s]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_LONGEST_CELL: Final = 32_767  # characters that a spreadsheet takes in a cell
# XML 1.0, 2.2 (Char): these two are no characters there, and openpyxl does not know.
_NO_CHARACTER: Final = re.compile(f"{ILLEGAL_CHARACTERS_RE.pattern}|[\ud800-\udfff\ufffe\uffff]")


class Row(NamedTuple):
    """An item as a table shows it: what is looked for in it once. `owner` is whose thing it is,
    `source` who says it (`source_of`), `page` its address here."""

    item: Item
    owner: Item
    source: Item
    page: str


class Column(NamedTuple):
    """A column of a table: its French header, how wide a spreadsheet shows it (in digits), and what
    it holds of a row."""

    header: str
    width: int
    value: Callable[[Row], Any]


def owner_of(item: Item) -> Item:
    """The institution whose thing it is, else that which says it; {} where none is told."""
    owners = [one for one in item["institutions"] if one.get("role") == "owner"]
    found: Item = (owners or item["institutions"] or [{}])[0]
    return found


def source_of(item: Item) -> Item:
    """Who says it, and where it is to be read: the owner's own word, then whoever relays it, and of
    either first those that have an address."""
    owner = f"urn:siren:{owner_of(item).get('siren', '')}:"

    def behind(source: Item) -> tuple[bool, bool]:
        return "url" not in source, not f"{source['source']}:".startswith(owner)

    return min(item["sources"], key=behind)


def page_of(item: Item, site: str) -> str:
    """The address of its page; `site` is that at which people reach the pages."""
    return f"{site}/fiche/{item['id']}"


def _deadline_day(row: Row) -> date | None:
    deadline = row.item.get("deadline")
    return local_end(deadline).date() if deadline else None


def _deadline_hour(row: Row) -> str:
    deadline = row.item.get("deadline")
    if not deadline:
        return ""
    return "à vérifier" if is_bare(deadline) else f"{local_end(deadline):%H:%M}"


def _day(instant: str) -> date:
    return french_day(datetime.fromisoformat(instant))


COLUMNS: Final = (
    Column("Identifiant", 12, lambda row: row.item["id"]),
    Column("Type", 18, lambda row: row.item["kind_label"]),
    Column("Titre", 60, lambda row: row.item["title"]),
    Column("Statut", 16, lambda row: row.item["status_label"]),
    Column("Institution", 32, lambda row: row.owner.get("name", "")),
    Column("SIREN", 12, lambda row: row.owner.get("siren", "")),
    Column("Territoire", 24, lambda row: (row.item.get("territory") or {}).get("name", "")),
    Column("Code du territoire", 14, lambda row: (row.item.get("territory") or {}).get("code", "")),
    Column("Thèmes", 28, lambda row: ", ".join(row.item.get("theme_labels", ()))),
    Column("CPV", 12, lambda row: ", ".join(row.item.get("cpv", ()))),
    Column("Montant (€)", 16, lambda row: row.item.get("amount")),
    # The buyer's own day and hour: a notice says them so, and who is late by a zone is late.
    Column("Échéance", 12, _deadline_day),
    Column("Heure de l’échéance", 12, _deadline_hour),
    Column("Publié le", 12, lambda row: _day(row.item["published_at"])),
    Column("Mis à jour le", 12, lambda row: _day(row.item["updated_at"])),
    Column("Résumé", 60, lambda row: row.item.get("summary", "")),
    Column("Adresse", 40, lambda row: row.source.get("url", "")),
    Column("Source", 24, lambda row: row.source["source"]),
    Column("Référence", 20, lambda row: row.source["subject"]),
    Column("Fiche Traverse", 40, lambda row: row.page),
)


def table_row(item: Item, site: str) -> list[Any]:
    """The cells of an item: texts that no spreadsheet computes, numbers, days, None."""
    row = Row(item, owner_of(item), source_of(item), page_of(item, site))
    return [harmless(column.value(row)) for column in COLUMNS]


def valid_text(text: str, instead: str = " ") -> str:
    """A text without the characters that no XML document may hold."""
    return _NO_CHARACTER.sub(instead, text)


def harmless(value: Any) -> Any:
    """A cell's value; a text that a spreadsheet would compute gets an apostrophe in front."""
    if not isinstance(value, str):
        return value
    text = valid_text(value)[: _LONGEST_CELL - 1]
    return f"'{text}" if _FORMULA.match(text) else text


async def csv_pieces(
    items: AsyncIterator[Sequence[Item]], site: str
) -> AsyncGenerator[bytes, None]:
    """With `;`, decimal commas and a byte order mark: what a French spreadsheet opens at once.
    `site` is where the pages are."""
    yield "\ufeff".encode() + _csv_lines([[column.header for column in COLUMNS]])
    async for page in items:
        yield _csv_lines([[_csv_cell(cell) for cell in table_row(item, site)] for item in page])


def _csv_cell(value: Any) -> Any:
    # A day stays as ISO 8601 has it, which spreadsheets and programs read alike.
    return f"{value:.2f}".replace(".", ",") if isinstance(value, float) else value


def _csv_lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
