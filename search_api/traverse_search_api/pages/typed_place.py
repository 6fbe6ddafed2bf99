"""A place as people type it in a form: a name, `mairie d'Aubagne`, a postal or INSEE code, `Aubagne
(13)`. Pure."""

import re
from typing import Final, NamedTuple

from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.place import territory_guesses
from traverse_search_api.beside.suggestions import suggested_places
from traverse_search_api.understanding.governing_names import place_called

_IN_DEPARTMENT: Final = re.compile(r"(.+?)\s*\(([0-9AB]{2,3})\)", re.IGNORECASE)
_LONGEST: Final = 120


class PlaceChoice(NamedTuple):
    """A territory: its typed code and how it is called."""

    code: str
    label: str


def place_choices(text: str, territories: Territories) -> list[PlaceChoice]:
    """What the text may mean: one choice where it is clear, several to choose from, or none."""
    text = " ".join(text[:_LONGEST].split())
    if not text:
        return []
    if (found := territories.chain(text)) is not None:
        return [PlaceChoice(found.code, label_of(found.code, territories))]
    codes = [code for code in territory_guesses(text) if territories.chain(code) is not None]
    if codes:
        return [PlaceChoice(code, label_of(code, territories)) for code in codes]
    if match := _IN_DEPARTMENT.fullmatch(text):
        commune = territories.find_commune(match[1], match[2].upper())
        if commune is not None:
            return [PlaceChoice(commune.code, label_of(commune.code, territories))]
    named = place_called(fold_name(text), territories)
    if named is not None:
        return [PlaceChoice(*choice) for choice in named.choices]
    found_places = suggested_places(text, territories)
    return [PlaceChoice(one["code"], one["label"]) for one in found_places]


def retyped(text: str, choices: list[PlaceChoice], territories: Territories) -> str:
    """What a form shows of a place that was asked for: its name rather than a code, where the name
    means the same."""
    if len(choices) != 1 or ":" not in text:
        return text
    (code, label), named = choices[0], place_choices(choices[0].label, territories)
    return label if [one.code for one in named] == [code] else text


def label_of(code: str, territories: Territories) -> str:
    """« Aubagne (13) », « Bouches-du-Rhône », « 13400 Aubagne (code postal) »."""
    chain = territories.chain(code)
    if chain is None:
        return code
    department = chain.first("dep")
    if code.startswith("cp:"):
        return f"{chain.name} (code postal)"
    if code.startswith("com:") and department is not None:
        return f"{chain.name} ({department.code[4:]})"
    return chain.name
