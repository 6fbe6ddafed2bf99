"""Short and other names of territories: `place_aliases_fr.txt`, read and checked."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from traverse_schemas.french.word_lists import lines_of, words_of
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_search_api.errors import SearchError


class PlaceAliasesError(SearchError):
    """The file of names has faults; the sentence names the first lines to mend."""


@dataclass(frozen=True, slots=True)
class PlaceAlias:
    """One line: names as written, and the typed codes of the territories that they may mean."""

    line: int
    names: tuple[str, ...]
    codes: tuple[str, ...]


def parse_place_aliases(text: str) -> tuple[PlaceAlias, ...]:
    """The lines of a file; comments (#) and blank lines are passed over. Refuses nothing."""
    return tuple(
        PlaceAlias(line.number, words_of(line.left), tuple(line.right.split()))
        for line in lines_of(text)
    )


def place_alias_faults(aliases: tuple[PlaceAlias, ...], territories: Territories) -> list[str]:
    """What is wrong, one French sentence each; [] when all is well."""
    found: list[str] = []
    owner: dict[str, int] = {}
    for alias in aliases:
        where = f"Ligne {alias.line} :"
        if not alias.names or not alias.codes:
            found.append(f"{where} il faut au moins un nom, « => » et un code de territoire.")
        found += [
            f"{where} « {code} » n’est pas un territoire connu (com:, epci:, dep: ou reg:)."
            for code in alias.codes
            if not territories.knows(code)
        ]
        for name in alias.names:
            key = fold_name(name)
            if not key:
                found.append(f"{where} « {name} » n’a ni lettre ni chiffre.")
            first = owner.setdefault(key, alias.line)
            if first != alias.line:
                found.append(f"{where} « {name} » est déjà à la ligne {first}.")
    return found


@dataclass(frozen=True, slots=True)
class Named:
    """The codes of a name, and whether it must be typed with a `capital`, or all in capitals
    (`acronym`)."""

    codes: tuple[str, ...]
    capital: bool
    acronym: bool


@cache
def place_aliases(territories: Territories) -> dict[str, Named]:
    """The product's names, folded. Raises PlaceAliasesError."""
    text = Path(__file__).with_name("place_aliases_fr.txt").read_text(encoding="utf-8")
    found = parse_place_aliases(text)
    wrong = place_alias_faults(found, territories)
    if wrong:
        raise PlaceAliasesError(
            "Le fichier place_aliases_fr.txt est à corriger : " + " ".join(wrong[:5])
        )
    return {
        fold_name(name): Named(alias.codes, name[:1].isupper(), name.isupper())
        for alias in found
        for name in alias.names
    }
