"""From the rows of a table, whatever file it is in, to events: the plan of its header, row by row.

A row that is wrong is told and the next ones are read; a header that is wrong refuses the file,
since every row would lose what its unknown column holds.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple

from traverse_producers.errors import InvalidEventError
from traverse_producers.event_builder import octets_of
from traverse_producers.files.rows import LeftOut, Ready, Refused, Row
from traverse_producers.tables.cells import UnreadableCellError, plain
from traverse_producers.tables.columns import BY_HEADER, COLUMNS, ONLY_IN_JSON, Column
from traverse_producers.tables.mapping import NO_MAPPING, Mapping
from traverse_producers.tables.record import Cell, event_of

CORRECTIONS = "À corriger"
"""The header of the column in which a copy of a table says what to mend; never read."""

EXAMPLE = "EXEMPLE"
"""The reference of a template's example row, which is left out."""

_NEEDED = (("reference", "reference"), ("kind", "type"))


class Voice(NamedTuple):
    """Who speaks in a table of records: the source, and the time of rows that carry none."""

    source: str
    now: Callable[[], datetime]


class Plan(NamedTuple):
    """What each column of a table is, and what its mapping adds to every row.

    A position without a name is None in `columns`, one that is left out is False.
    """

    header: tuple[str, ...]
    columns: tuple[Column | bool | None, ...]
    mapping: Mapping
    constants: tuple[Cell, ...]

    def header_of(self, pointer: str) -> str | None:
        """The header of the column that a JSON pointer into an event speaks of."""
        for title, column in zip(self.header, self.columns, strict=True):
            if isinstance(column, Column) and _speaks_of(pointer, column.path):
                return title
        return None


def plan_of(header: Sequence[str], mapping: Mapping = NO_MAPPING) -> Plan:
    """The plan of a header. Raises UnreadableCellError."""
    columns = tuple(_column(title, mapping) for title in header)
    known = [column for column in columns if isinstance(column, Column)]
    for column, title in zip(columns, header, strict=True):
        if isinstance(column, Column) and known.count(column) > 1:
            raise UnreadableCellError(
                f"La colonne {title} dit la même chose qu'une autre ({column.name}) : "
                "gardez-en une seule."
            )
    names = {column.name for column in known}
    constants = []
    for name, value in mapping.constants.items():
        column = _by_name(name, "constants")
        if column.name not in names:
            constants.append(Cell(column, name, value))
    names |= {cell.column.name for cell in constants}
    missing = [title for title in mapping.reference if plain(title) not in map(plain, header)]
    if missing:
        raise UnreadableCellError(
            f"La colonne « {missing[0][:40]} », dont la référence est faite, n'est pas dans le "
            "tableau : corrigez reference dans la correspondance."
        )
    if mapping.reference:
        names.add("reference")
    for name, french in _NEEDED:
        if name not in names:
            raise UnreadableCellError(
                f"Le fichier n'a pas de colonne {french} : la première ligne doit nommer les "
                "colonnes, reference et type au moins (« traverse publish --columns » les montre)."
            )
    return Plan(tuple(header), columns, mapping, tuple(constants))


def row_of(row: Sequence[str], plan: Plan, where: Refused, voice: Voice) -> Row:
    """The event of a row, or its refusal (`where`, with the sentence)."""
    cells, reference = list(plan.constants), None
    for position, text in enumerate(row):
        if not text:
            continue
        column = plan.columns[position] if position < len(plan.columns) else None
        if column is None:
            sentence = (
                f"La cellule n° {position + 1} (« {text[:40]} ») n'a pas de nom de colonne : "
                "vérifiez les séparateurs et les guillemets de la ligne."
            )
            return where._replace(sentence=sentence)
        if isinstance(column, Column):
            title = plan.header[position]
            cells.append(Cell(column, title, plan.mapping.value(title, column.name, text)))
            if column.name == "reference":
                reference = text
    if plan.mapping.reference:
        reference = plan.mapping.reference_of(dict(zip(plan.header, row, strict=False)))
        if reference:
            cells.append(Cell(BY_HEADER["reference"], "reference", reference))
    if reference == EXAMPLE:
        return LeftOut(where.file, where.line, reference, "La ligne d'exemple du modèle.")
    try:
        event = event_of(cells, source=voice.source, now=voice.now)
        return Ready(where.file, where.line, reference, octets_of(event))
    except (UnreadableCellError, InvalidEventError) as error:
        return where._replace(reference=reference, sentence=str(error))


def _column(title: str, mapping: Mapping) -> Column | bool | None:
    word = plain(title)
    if not word:
        return None
    if word == plain(CORRECTIONS):
        return False
    mapped = mapping.columns.get(word)
    if mapped is not None:
        return _by_name(mapped, "columns") if mapped else False
    if word in {plain(each) for each in mapping.reference}:
        return False
    column = BY_HEADER.get(word)
    if column is None:
        if mapping.ignore_others:
            return False
        raise UnreadableCellError(unknown_column(title))
    return column


def _by_name(name: str, table: str) -> Column:
    column = BY_HEADER.get(plain(name))
    if column is None:
        raise UnreadableCellError(
            f"Dans la correspondance ({table}), « {name[:40]} » n'est pas une colonne de "
            "Traverse : « traverse publish --columns » les montre."
        )
    return column


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


def _speaks_of(pointer: str, path: str) -> bool:
    parts = pointer.strip("/").split("/")
    if path.startswith("/"):
        return parts == [path.strip("/")]
    root, *names = path.split("/")
    if root == "data":
        return parts[:1] == ["data"] and parts[1 : 1 + len(names)] == names
    return parts[:2] == ["data", f"{root}s"]  # amount/value: /data/amounts/0/value
