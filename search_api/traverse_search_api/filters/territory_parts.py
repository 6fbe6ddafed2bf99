"""What a territory is made of, for the facet that counts its parts and the map that draws them.

France is shown by régions, a région by départements, a département and an EPCI by communes.
"""

from collections.abc import Iterable
from typing import Any, Final

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters.territory_query import resolve_place

Query = dict[str, Any]

FRANCE: Final = "fr"
_FRAMES: Final = ("epci", "dep", "reg", FRANCE)
# They are parts of Paris, Lyon and Marseille, which are counted whole.
_ARRONDISSEMENTS: Final = "com:(751|6938|132).*"
_MOST: Final = 60


def frame_of(asked: Iterable[str], territories: Territories) -> str:
    """The smallest EPCI, département or région that has all that is asked for, else France.

    Takes codes that `resolve_place` takes; raises as it does.
    """
    frame: tuple[str, ...] = ()
    for code in asked:
        for each in resolve_place(code, territories).codes:
            chain = territories.chain(each)
            if chain is not None:
                frame = tuple(one for one in frame or chain.codes if one in chain.codes)
    return next((one for one in frame if one.partition(":")[0] in _FRAMES), FRANCE)


def parts_of(frame: str, territories: Territories) -> Query:
    """The aggregation that counts the parts of a frame (`frame_of`), the most frequent first."""
    level, _, value = frame.partition(":")
    terms: Query = {"field": "within", "size": _MOST}
    if level == "reg":
        numbers = (one.number for one in territories.departments() if one.region == value)
        return {**terms, "include": [f"dep:{number}" for number in numbers]}
    if level == "dep":
        return {**terms, "include": f"com:{value}.*", "exclude": _ARRONDISSEMENTS}
    if level == "epci" and (epci := territories.epci(value)) is not None:
        return {**terms, "include": [f"com:{member}" for member in epci.members]}
    return {**terms, "include": "reg:.*"}
