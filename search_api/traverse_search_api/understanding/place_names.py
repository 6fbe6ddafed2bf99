"""Names of territories as people type them in a search: `marseille`, `haute savoie`, `PACA`.

A name of several words, or of a town that people know, is taken for a place; a single word that is
also an ordinary one (la Manche, la commune de Mer) is not, unless it is written with a capital,
follows what only a commune has (mairie d'orange), or is a well-known town's and stands alone
(tours). So are an article and a word: la Garde, not "la garde". The name of a commune that has
merged is that of the one it belongs to today (Annecy-le-Vieux).
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

from traverse_schemas.french.analysis import STOP_WORDS
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_search_api.understanding.place_aliases import place_aliases

# Names of communes of more than 2,000 people, and of départements, that are words of titles.
_ORDINARY_TEXT: Final = """
    albert angles anse arcs aube aubin avirons bains bourg cher chauve clefs corne cours creuse
    desert die drain eau eglise eu falaise fleche fosses francois garde gee gene ger geste gorges
    jardin landes ligne lilas lire longeron lot luc madeleine manche marin marines mer moule nord
    orange ouest passage peri pierres pont port portes possession riche robert rouge rue saint salle
    salles sens somme sud tampon tierce tourneur tours trinite union ville
"""
_ORDINARY: Final = frozenset(_ORDINARY_TEXT.split())
# Villages whose names stand in titles for something else, with or without a capital.
_NEVER_TEXT: Final = """
    aire bois bourg cote ecole ens france grand hopital lacs ligne lot marches mont montagne parc
    petit place plan quartier rue saint trait val vallee ville
"""
_NEVER: Final = frozenset(_NEVER_TEXT.split())
_SMALL: Final = frozenset(STOP_WORDS)
_KNOWN_TOWN: Final = 2_000  # inhabitants from which a one-word name is taken for a place
_KNOWN_WITH_ARTICLE: Final = 8_000  # from which "le havre" is, and not a word with its article
_WELL_KNOWN: Final = 20_000  # from which a name that is a word too is, alone: tours
_MERGED_INTO: Final = 10_000  # inhabitants of a town in which one word was a commune's name
# How sure a name is: by the people of all that it may mean. Who lives in an area says its town's
# name, and who lives in Saint-Pierre-des-Corps says it whole as often as not.
_AREA: Final = 10
_LONGER: Final = 2
_CLEARLY: Final = 3  # times what all others weigh together
_LITTLE: Final = 30  # of the heaviest's weight so small a part is not worth offering
_MOST_OFFERED: Final = 5
_ARTICLE: Final = re.compile(r"^(?:le|la|les|l) ")
_CONTRACTED: Final = {"du": "le", "au": "le", "des": "les", "aux": "les"}
# How the tables write what kind of EPCI it is, and how people do.
_EPCI_KIND: Final = re.compile(
    r"^(?P<kind>ca|cc|cu|metropole) (?:de la |de l |de |du |des |d )?(?P<name>.+)$"
)
_EPCI_KINDS: Final = {
    "ca": "communaute d agglomeration", "cc": "communaute de communes", "cu": "communaute urbaine",
}  # fmt: skip


Choices = tuple[tuple[str, str], ...]


class NamedPlace(NamedTuple):
    """A name's territories (typed code, label): one, or several to choose from. `namesakes` are all
    that it may mean, those of exactly that name before those whose name begins so. `governs`: who
    governs it was named."""

    choices: Choices
    namesakes: tuple[Choices, ...] = ()
    governs: bool = False


def named_place(
    folded: str,
    territories: Territories,
    *,
    capital: bool,
    first: bool = False,
    acronym: bool = False,
    alone: bool = False,
    level: str = "",
) -> NamedPlace | None:
    """The territory of exactly this name (`names.fold_name`), or None.

    `capital` tells whether it was typed with one, or stands where a name must; that says nothing of
    the `first` word of a text, unless a département or a town that people know is called so.
    `acronym` tells whether it was typed in capitals: AURA is a region wherever it stands. `alone`
    is a name that is the whole text. Where a `level` was said (as codes begin: "com"), those of it
    alone are meant.
    """
    if len(folded) < 3 or folded.partition(" ")[0] not in _beginnings(territories):
        return None
    aliases = place_aliases(territories)
    alias = aliases.get(folded)
    meant = (capital and not first) or (acronym and alias is not None and alias.acronym)
    if alias is not None and (meant or not alias.capital):
        codes = [code for code in alias.codes if code.startswith(level)]
        if choices := tuple((code, _label(code, territories)) for code in codes):
            return NamedPlace(choices, (choices,))
    names = _names(territories)
    found = names.get(folded)
    contracted, _, noun = folded.partition(" ")
    if found is None and contracted in _CONTRACTED and noun:
        # "du Havre", "des Pennes-Mirabeau": the article is part of the name.
        found = names.get(f"{_CONTRACTED[contracted]} {noun}")
        folded = f"{_CONTRACTED[contracted]} {noun}"
    if found is None and folded.startswith(("saint ", "st ", "sainte ", "ste ")):
        # "saint martin de vésubie", which is Saint-Martin-Vésubie.
        found = _saints(territories).get(_without_small(folded))
    rows = _of_level(found or (), level)
    if not rows:
        return None
    said = level not in ("", "com")  # "département du Lot" is no lot
    if not (said or _may_be_meant(folded, rows[0], capital=capital, first=first, alone=alone)):
        return None
    return _named(rows, _of_level(_longer(territories).get(folded, ()), level))


Row = tuple[int, str, str]


def _may_be_meant(folded: str, most: Row, *, capital: bool, first: bool, alone: bool) -> bool:
    noun = _ARTICLE.sub("", folded)
    if " " in noun:
        return True
    if noun in _NEVER:
        return False
    known = most[0] >= (_KNOWN_TOWN if noun == folded else _KNOWN_WITH_ARTICLE)
    if known and (noun not in _ORDINARY or (alone and most[0] >= _WELL_KNOWN)):
        return True
    # "Pont à réparer" begins with a capital because it begins.
    return capital and (not first or not most[1].startswith("com:"))


def prepare_names(territories: Territories) -> None:
    """Reads all names, most of a second once: at the service’s start, not in its first search."""
    _beginnings(territories)
    _longer(territories)
    _saints(territories)


def _named(exactly: tuple[Row, ...], longer: tuple[Row, ...]) -> NamedPlace:
    """What is called `exactly` so where one clearly weighs more than all others together, those
    whose name is `longer` among them (Saint-Maximin is a village, and how a town is called); else
    the heaviest to choose from, one of exactly that name always among them."""
    codes = {code for _, code, _ in exactly}
    weights = {row: _weight(row) for row in exactly}
    weights |= {row: _weight(row) / _LONGER for row in longer if row[1] not in codes}
    heaviest, *others = sorted(weights, key=lambda row: (-weights[row], row[1]))
    namesakes = _choices(exactly), _choices(row for row in weights if row not in exactly)
    rest = sum(weights[row] for row in others)
    if heaviest in exactly and weights[heaviest] >= _CLEARLY * rest:
        return NamedPlace(_choices([heaviest]), namesakes)
    least = weights[heaviest] / _LITTLE
    offered = [heaviest, *(row for row in others if weights[row] >= least)][:_MOST_OFFERED]
    if not codes.intersection(code for _, code, _ in offered):
        own = max(exactly, key=lambda row: (weights[row], row[1]))
        offered = [*offered[: _MOST_OFFERED - 1], own]
    return NamedPlace(_choices(offered), namesakes)


def _weight(row: Row) -> float:
    population, code, _ = row
    return population if code.startswith("com:") else population / _AREA


def _choices(rows: Iterable[Row]) -> Choices:
    return tuple((code, label) for _, code, label in rows)


def _label(code: str, territories: Territories) -> str:
    chain = territories.chain(code)
    department = chain.first("dep") if chain else None
    if chain is None or department is None:
        return chain.name if chain else code
    if code.startswith("dep:"):
        return f"{chain.name} (département)"
    return f"{chain.name} ({department.code[4:]})" if code.startswith("com:") else chain.name


@cache
def _names(territories: Territories) -> dict[str, tuple[Row, ...]]:
    """Folded name -> (population, code, label), the most peopled first."""
    found: dict[str, dict[str, Row]] = {}
    shorter: dict[str, dict[str, Row]] = {}
    epcis: set[str] = set()

    def add(name: str, row: Row, among: dict[str, dict[str, Row]] = found) -> None:
        among.setdefault(fold_name(name), {}).setdefault(row[1], row)

    for department in territories.departments():
        row = (department.population, department.code, f"{department.name} (département)")
        add(department.name, row)
    for region in territories.regions():
        row = (region.population, region.code, region.name)
        add(region.name, row)
    for commune in territories.communes():
        row = (commune.population, commune.code, f"{commune.name} ({commune.department})")
        add(commune.name, row)
        bare = _ARTICLE.sub("", fold_name(commune.name))
        if " " in bare and commune.population >= _KNOWN_TOWN:
            add(bare, row, shorter)
        if commune.epci and commune.epci not in epcis:
            epcis.add(commune.epci)
            if epci := territories.epci(commune.epci):
                row = (epci.population, epci.code, epci.name)
                add(epci.name, row)
                for name in _epci_names(fold_name(epci.name)):
                    add(name, row, shorter)
    former: dict[str, dict[str, Row]] = {}
    for name, commune in territories.former_names():
        # How many lived there is not told: several words are enough, one is in a town that is big.
        several = " " in _ARTICLE.sub("", fold_name(name))
        known = several or commune.population >= _MERGED_INTO
        label = f"{commune.name} ({commune.department}), anciennement {name}"
        add(name, (_KNOWN_WITH_ARTICLE if known else 1, commune.code, label), former)
    # A territory's own name comes before what is left of another's, and before what was one.
    for others in (shorter, former):
        for name, rows in others.items():
            found.setdefault(name, rows)
    return {name: tuple(sorted(rows.values(), key=_by_people)) for name, rows in found.items()}


@cache
def _beginnings(territories: Territories) -> frozenset[str]:
    """The words with which a name begins: most expressions of a text begin with none."""
    named = (*_names(territories), *place_aliases(territories))
    return frozenset((*(name.partition(" ")[0] for name in named), *_CONTRACTED))


def _epci_names(folded: str) -> Iterable[str]:
    """How people call an EPCI of the tables: « communauté de communes de la Dombes », « Nice Côte
    d'Azur »."""
    said = _EPCI_KIND.match(folded)
    if said is None:
        return
    kind, name = said["kind"], said["name"]
    if kind == "metropole":
        yield f"metropole {name}"
        yield f"metropole de {name}"
    else:
        yield f"{_EPCI_KINDS[kind]}{folded.removeprefix(kind)}"
        yield f"{kind} {name}"
        yield f"{_EPCI_KINDS[kind]} {name}"
    if " " in name and (kind == "metropole" or name.startswith("pays ")):
        yield name


@cache
def _saints(territories: Territories) -> dict[str, tuple[Row, ...]]:
    """Towns of saints by their names without small words, where one alone is left with them."""
    found: dict[str, set[tuple[Row, ...]]] = {}
    for name, rows in _names(territories).items():
        if name.startswith(("saint ", "sainte ")) and rows[0][1].startswith("com:"):
            found.setdefault(_without_small(name), set()).add(rows)
    return {name: rows.pop() for name, rows in found.items() if len(rows) == 1}


def _without_small(folded: str) -> str:
    return " ".join(word for word in folded.split() if word not in _SMALL)


@cache
def _longer(territories: Territories) -> dict[str, tuple[Row, ...]]:
    """A name -> the communes whose names go on from it, the most peopled first: `saint pierre` ->
    Saint-Pierre-des-Corps."""
    found: dict[str, list[Row]] = {}
    names = _names(territories)
    for commune in territories.communes():
        words = fold_name(commune.name).split()
        row = (commune.population, commune.code, f"{commune.name} ({commune.department})")
        for count in range(1, len(words)):
            if (name := " ".join(words[:count])) in names:
                found.setdefault(name, []).append(row)
    return {name: tuple(sorted(rows, key=_by_people)) for name, rows in found.items()}


def _by_people(row: Row) -> tuple[int, str]:
    return -row[0], row[1]


def _of_level(rows: tuple[Row, ...], level: str) -> tuple[Row, ...]:
    """Those of a level; where none was said, each territory as one: Paris and La Réunion are a
    département of the same name, and this one a région too."""
    if level:
        return tuple(row for row in rows if row[1].startswith(level))
    towns = [row for row in rows if row[1].startswith("com:")]
    areas = [row for row in rows if not row[1].startswith("com:")]
    # The smaller one that is it.
    if towns and areas and towns[0][0] >= 0.9 * areas[0][0]:
        return tuple(towns)
    if len({row[0] for row in areas}) == 1 and len(areas) > 1:
        return (next((row for row in areas if row[1].startswith("dep:")), areas[0]), *towns)
    return rows
