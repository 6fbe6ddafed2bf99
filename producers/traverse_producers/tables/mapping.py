"""How a table that exists already says what Traverse's columns say: a small TOML file.

sheet = "Programme 2026"            # which sheet of the workbook; the first by default
header_row = 4                      # the line that names the columns; the first by default
date_format = "%d.%m.%Y"            # of dates that are written as text
reference = ["Exercice", "N°"]      # columns that make the reference together
ignore_others = true                # columns that are not named here are left out

[columns]                           # column of the table = column of Traverse ("": left out)
"Intitulé du besoin" = "titre"

[constants]                         # the same for every row
type = "Besoin d'achat"

[values."Nature"]                   # words of a column = words of Traverse
TVX = "travaux"

[factors]                           # column of Traverse = what its number is multiplied by
montant_ht = 1000
"""

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from traverse_producers.errors import InvalidOptionError
from traverse_producers.tables.cells import UnreadableCellError, plain, read_decimal
from traverse_producers.tables.columns import BY_HEADER

_LARGEST = 1 << 20
_KEYS = {
    "sheet", "header_row", "date_format", "reference", "ignore_others", "columns", "constants",
    "values", "factors",
}  # fmt: skip
_DATES = {"read_date", "read_moment", "read_instant"}


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping; keys of tables of the file's columns are as `plain` gives them."""

    sheet: str | None = None
    header_row: int = 0
    date_format: str | None = None
    reference: tuple[str, ...] = ()
    ignore_others: bool = False
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    factors: dict[str, Decimal] = field(default_factory=dict)

    def value(self, title: str, column: str, text: str) -> str:
        """The content of a cell as Traverse's column takes it; what cannot be read stays."""
        said = self.values.get(plain(title), {}).get(plain(text), text)
        if column in self.factors:
            try:
                said = f"{read_decimal(said) * self.factors[column]:f}"
            except (UnreadableCellError, InvalidOperation):
                return said
        if self.date_format and BY_HEADER[column].read.__name__ in _DATES:
            try:
                at = datetime.strptime(said, self.date_format)  # noqa: DTZ007 - zone told apart
            except ValueError:
                return said
            has_hour = any(sign in self.date_format for sign in ("%H", "%I"))
            return at.isoformat(timespec="minutes") if has_hour else at.date().isoformat()
        return said

    def reference_of(self, row: dict[str, str]) -> str:
        """The reference that several columns make together; "" when one of them is empty."""
        by_word = {plain(title): text for title, text in row.items()}
        parts = [by_word.get(plain(title), "") for title in self.reference]
        return "-".join(parts) if all(parts) else ""


NO_MAPPING = Mapping()


def read_mapping(octets: bytes, name: str) -> Mapping:
    """The mapping of a TOML file. Raises InvalidOptionError."""
    if len(octets) > _LARGEST:
        raise InvalidOptionError(
            f"{name} : une correspondance fait quelques Kio, pas plus d'un Mio."
        )
    try:
        said: dict[str, Any] = tomllib.loads(octets.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidOptionError(f"{name} n'est pas du TOML lisible ({error}).") from None
    if unknown := sorted(said.keys() - _KEYS):
        raise InvalidOptionError(
            f"{name} : « {unknown[0][:40]} » n'existe pas dans une correspondance ; il y a "
            f"{', '.join(sorted(_KEYS))}."
        )
    try:
        return Mapping(
            sheet=_text(said, "sheet"),
            header_row=_row(said),
            date_format=_text(said, "date_format"),
            reference=tuple(_texts(said)),
            ignore_others=_yes(said),
            columns={plain(key): value for key, value in _table(said, "columns").items()},
            constants=_table(said, "constants"),
            values=_values(said),
            factors=_factors(said),
        )
    except ValueError as error:
        raise InvalidOptionError(f"{name} : {error}") from None


def _text(said: dict[str, Any], key: str) -> str | None:
    value = said.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} doit être un texte entre guillemets.")
    return value


def _row(said: dict[str, Any]) -> int:
    value = said.get("header_row", 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1000:
        raise ValueError("header_row doit être le numéro d'une ligne, de 1 à 1000.")
    return value


def _texts(said: dict[str, Any]) -> list[str]:
    value = said.get("reference", [])
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError('reference doit être une liste de colonnes, comme ["Exercice", "N°"].')
    return value


def _yes(said: dict[str, Any]) -> bool:
    value = said.get("ignore_others", False)
    if not isinstance(value, bool):
        raise ValueError("ignore_others doit être true ou false.")
    return value


def _table(said: dict[str, Any], key: str) -> dict[str, str]:
    table = said.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(v, str | int) for v in table.values()):
        raise ValueError(f'[{key}] doit être une suite de lignes colonne = "texte".')
    return {name: str(value) for name, value in table.items()}


def _values(said: dict[str, Any]) -> dict[str, dict[str, str]]:
    tables = said.get("values", {})
    if not isinstance(tables, dict):
        raise ValueError('[values."COLONNE"] doit être une suite de lignes mot = "mot".')
    return {
        plain(column): {plain(word): value for word, value in _table(tables, column).items()}
        for column in tables
    }


def _factors(said: dict[str, Any]) -> dict[str, Decimal]:
    table = said.get("factors", {})
    if not isinstance(table, dict):
        raise ValueError("[factors] doit être une suite de lignes colonne = nombre.")
    found = {}
    for name, value in table.items():
        column = BY_HEADER.get(plain(name))
        if column is None or isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"[factors] : {name[:40]} = nombre, d'une colonne de Traverse.")
        found[column.name] = Decimal(str(value))
    return found
