"""Territories named by who governs them: `mairie d'Aubagne`, `agglo de Pau`, `conseil départemental
du Var`.

The kind says the level: `ville de Vienne` is the town, `département de la Vienne` is not. An EPCI
has a name of its own or a town's: `agglomération d'Aubagne` is the one that Aubagne is in today.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from traverse_schemas.reference.territories import Territories
from traverse_search_api.understanding.code_words import district
from traverse_search_api.understanding.place_names import NamedPlace, named_place


class _Kind(NamedTuple):
    """The level that a kind governs (as codes begin); of EPCI, of which types they may be
    (`Epci.type`)."""

    level: str
    types: tuple[str, ...] = ()


_TYPES: Final = {
    "CA": "communaute d agglomeration",
    "CU": "communaute urbaine",
    "CC": "communaute de communes",
    "METRO": "metropole",
    "MET69": "metropole",
}
_URBAN: Final = ("CA", "CU", "METRO", "MET69")
_KINDS: Final = {
    **dict.fromkeys(("mairie", "ville", "commune"), _Kind("com")),
    **dict.fromkeys(("agglomeration", "agglo"), _Kind("epci", _URBAN)),
    "communaute d agglomeration": _Kind("epci", ("CA",)),
    "communaute urbaine": _Kind("epci", ("CU",)),
    "communaute de communes": _Kind("epci", ("CC",)),
    "metropole": _Kind("epci", ("METRO", "MET69")),
    "intercommunalite": _Kind("epci", tuple(_TYPES)),
    **dict.fromkeys(("departement", "conseil departemental", "conseil general"), _Kind("dep")),
    **dict.fromkeys(("region", "conseil regional"), _Kind("reg")),
}
_SAID: Final = re.compile(
    rf"(?:l )?(?P<kind>{'|'.join(sorted(_KINDS, key=len, reverse=True))}) (?P<rest>.+)"
)
_OF: Final = re.compile(r"(?:de|d|du|des) ")
_ALL_OF: Final = re.compile(r"(?:de la|de l|de|du|des|d) ")
# "Contrat de ville", "centre ville" and "politique de la ville" are things of their own.
_OF_A_TOWN: Final = frozenset({"de", "d", "en", "centre", "coeur"})
_POLICY: Final = ["politique", "de", "la"]


def governed_place(
    folded: str, territories: Territories, *, acronym: bool = False, before: Sequence[str] = ()
) -> NamedPlace | None:
    """The territory of whom this names by its kind and by a name (`names.fold_name`), or None.

    What stands behind « de » is a name, whatever else the word means; without it, a name that
    people know is. `acronym` is as for `named_place`; `before` are the words in front, folded.
    """
    said = _SAID.fullmatch(folded)
    if said is None:
        return None
    kind, rest = _KINDS[said["kind"]], said["rest"]
    if said["kind"] == "ville" and (
        not _OF_A_TOWN.isdisjoint(before[-1:]) or list(before[-len(_POLICY) :]) == _POLICY
    ):
        return None
    names = list(_names(rest))
    asked = _Asked(territories, capital=_OF.match(rest) is not None, acronym=acronym)
    match kind.level:
        case "epci":
            found = asked.epci(rest, names, kind.types)
        case "com":
            found = asked.first(names, kind.level) or asked.district(names)
        case "reg":
            # "Région Sud" is called so itself.
            found = asked.first([*names, f"region {names[-1]}"], kind.level)
        case _:
            found = asked.first(names, kind.level)
    return found._replace(governs=True) if found else None


def place_called(folded: str, territories: Territories) -> NamedPlace | None:
    """The territory of which a text that stands where a place must is the name (folded), its own or
    that of who governs it; or None."""
    governed = governed_place(folded, territories)
    return governed or named_place(folded, territories, capital=True)


class _Asked(NamedTuple):
    """How names are looked up."""

    territories: Territories
    capital: bool
    acronym: bool

    def first(self, names: Sequence[str], level: str) -> NamedPlace | None:
        """The first of some names that a territory of this level has."""
        for name in names:
            found = named_place(
                name, self.territories, capital=self.capital, acronym=self.acronym, level=level
            )
            if found is not None:
                return found
        return None

    def epci(self, rest: str, names: Sequence[str], types: Sequence[str]) -> NamedPlace | None:
        """That of a name of its own, else those of these types that towns of the name are in."""
        own = [f"{_TYPES[each]} {name}" for each in types for name in (rest, names[-1])]
        found = self.first([*dict.fromkeys(own), *names], "epci")
        if found is not None:
            return found
        towns = self.first(names, "com")
        rows = [
            epci
            for code, _ in (towns.choices if towns else ())
            if (town := self.territories.commune(code.partition(":")[2]))
            and town.epci
            and (epci := self.territories.epci(town.epci))
            and epci.type in types
        ]
        choices = tuple(dict.fromkeys((row.code, row.name) for row in rows))
        return NamedPlace(choices, (choices,)) if choices else None

    def district(self, names: Sequence[str]) -> NamedPlace | None:
        """The arrondissement of a town hall: mairie du 15e arrondissement de Paris."""
        for name in names:
            found = district(name.split(), "", self.territories)
            if found is not None:
                return NamedPlace(found.choices, (found.choices,))
        return None


def _names(rest: str) -> Iterator[str]:
    """What follows a kind as names, the most faithful first: « de la Ciotat » is La Ciotat, « du
    Luc » Le Luc, « de la Sarthe » Sarthe."""
    yield _OF.sub("", rest, count=1) if rest.startswith(("de ", "d ")) else rest
    if bare := _ALL_OF.match(rest):
        yield rest[bare.end() :]


def governing_siren(code: str, territories: Territories) -> str | None:
    """The SIREN of who governs a territory (a typed code), where the tables know it; an
    arrondissement has none of its own."""
    level, _, value = code.partition(":")
    match level:
        case "com":
            row = None if territories.former(value) else territories.commune(value)
            return row.siren if row else None
        case "epci":
            return value
        case "dep":
            department = territories.department(value)
            return department.siren if department else None
        case "reg":
            region = territories.region(value)
            return region.siren if region else None
        case _:
            return None
