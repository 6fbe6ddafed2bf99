"""Names of territories as people type them in a search: `marseille`, `haute savoie`, `grand est`.

A name of several words, or of a town that people know, is taken for a place; a single word that is
also an ordinary one (le Lot, la commune de Mer) is not, unless it is written with a capital.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories

# Names of communes of more than 2,000 people, and of départements, that are words of titles.
_ORDINARY_TEXT: Final = """
    anse aube bains bourg cher chauve cours creuse die eau eglise eu falaise fosses gorges ger
    jardin landes ligne lot manche marines marne mer nord orange orne ouest peri pierres pont port
    rouge rue saint salle salles sens somme sud tierce tours var ville albert aubin gap nice lens
"""
_ORDINARY: Final = frozenset(_ORDINARY_TEXT.split())
_NEVER: Final = frozenset({"lot", "rue", "ligne", "saint", "france", "ville"})
_KNOWN_TOWN: Final = 2_000  # inhabitants from which a one-word name is taken for a place
_CLEARLY: Final = 3  # times more inhabitants than the next of the same name
_RIVAL_TOWN: Final = 10_000  # inhabitants from which a town may be meant as well as a département


class NamedPlace(NamedTuple):
    """A name's territories (typed code, label): one, or several to choose from."""

    choices: tuple[tuple[str, str], ...]


def named_place(folded: str, territories: Territories, *, capital: bool) -> NamedPlace | None:
    """The territory of exactly this name (`names.fold_name`), or None; `capital` tells whether it
    was typed with one."""
    if len(folded) < 3:
        return None
    found = _names(territories).get(folded)
    if found is None:
        return None
    if " " not in folded:
        if folded in _NEVER:
            return None
        if folded in _ORDINARY and not capital:
            return None
        if found[0][0] < _KNOWN_TOWN and not capital:
            return None
    return NamedPlace(_clear(found))


Row = tuple[int, str, str]


def prepare_names(territories: Territories) -> None:
    """Reads all names, half a second once: at the service's start, not in its first search."""
    _names(territories)


def _clear(rows: tuple[Row, ...]) -> tuple[tuple[str, str], ...]:
    """The first alone when no other of its name comes near: Vienne is a département and a town."""
    first = rows[0]
    area = not first[1].startswith("com:")
    rivals = [
        row
        for row in rows[1:]
        if row[0] * _CLEARLY > first[0]
        or (area and row[1].startswith("com:") and row[0] >= _RIVAL_TOWN)
    ]
    return tuple((code, label) for _, code, label in (first, *rivals[:4]))


@cache
def _names(territories: Territories) -> dict[str, tuple[Row, ...]]:
    """Folded name -> (population, code, label), the most peopled first."""
    found: dict[str, dict[str, Row]] = {}
    epcis: set[str] = set()

    def add(name: str, row: Row) -> None:
        found.setdefault(fold_name(name), {}).setdefault(row[1], row)

    for department in territories.departments():
        label = f"{department.name} ({department.number})"
        add(department.name, (department.population, department.code, label))
    for region in territories.regions():
        add(region.name, (region.population, region.code, region.name))
    for commune in territories.communes():
        label = f"{commune.name} ({commune.department})"
        add(commune.name, (commune.population, commune.code, label))
        if commune.epci and commune.epci not in epcis:
            epcis.add(commune.epci)
            if epci := territories.epci(commune.epci):
                add(epci.name, (epci.population, epci.code, epci.name))
    return {name: _ranked(rows.values()) for name, rows in found.items()}


def _ranked(rows: Iterable[Row]) -> tuple[Row, ...]:
    ordered = sorted(rows, key=lambda row: (-row[0], row[1]))
    towns = [row for row in ordered if row[1].startswith("com:")]
    areas = [row for row in ordered if not row[1].startswith("com:")]
    # Paris and La Réunion are a département of the same name: the smaller one that is it.
    if towns and areas and towns[0][0] >= 0.9 * areas[0][0]:
        return tuple(towns)
    if len({row[0] for row in areas}) == 1 and len(areas) > 1:
        return (next((row for row in areas if row[1].startswith("dep:")), areas[0]), *towns)
    return tuple(ordered)
