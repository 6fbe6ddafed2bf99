"""What the JSON Schemas say in words: every part and field, in the language of their names, to
developers who have nothing else before them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from traverse_schemas.judging.export_json_schema import json_schemas

_ENGLISH = """
the of is it its to by with what who whom whose how when where which that and from are was may has
have nobody for a an as not or no in
"""
_FRENCH = """
le la les de du des d un une est et ou où qui que qu dans pour par avec sans au aux à sur ce cet
cette sa ses son ne n pas sont elle il
"""
ENGLISH, FRENCH = frozenset(_ENGLISH.split()), frozenset(_FRENCH.split())
Schema = dict[str, Any]


def is_english(text: str) -> bool:
    """Whether its small words are English; it may name things that are French, in French."""
    words = re.findall(r"\w+", text.replace("Code de la commande publique", "").lower())
    return sum(word in ENGLISH for word in words) > sum(word in FRENCH for word in words)


def descriptions(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every description of a schema, by its place."""
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if name == "description" and isinstance(inner, str):
                yield path, inner
            yield from descriptions(inner, f"{path}/{name}")
    elif isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from descriptions(inner, f"{path}/{number}")


@pytest.mark.parametrize("path", sorted(json_schemas()))
def test_a_schema_speaks_english(path: str) -> None:
    """As its names, and the documentation, do (decision 16)."""
    found = dict(descriptions(json_schemas()[path], path))
    assert found
    assert {place: text for place, text in found.items() if not is_english(text)} == {}


def test_a_language_is_told_by_its_small_words() -> None:
    for english in (
        "Who holds a contract (titulaire) or a lot of it.",
        "The two ways of ending sans suite (Code de la commande publique, art. R.2185-1), of which "
        "one is for a reason of general interest.",
    ):
        assert is_english(english)
    for french in (
        "SIREN : 9 chiffres, le dernier étant la clé de Luhn.",
        "Territoire typé : com:INSEE, cp:POSTAL, epci:SIREN, dep:NN, reg:NN, zone:NOM ou fr.",
        "Montant en euros, de 0 à moins de 10^12, au centime près.",
        "Code NUTS (Eurostat).",
    ):
        assert not is_english(french)


@pytest.mark.parametrize("path", sorted(json_schemas()))
def test_every_field_says_what_it_holds(path: str) -> None:
    """In its own words, or in those of the part that it holds."""
    schema = json_schemas()[path]
    parts: dict[str, Schema] = schema["$defs"]
    silent = [name for name, part in parts.items() if "description" not in part]
    for name, part in [("", schema), *parts.items()]:
        for field, held in part.get("properties", {}).items():
            of = parts.get(held.get("$ref", "").rpartition("/")[2], {})
            if "description" not in held and "description" not in of:
                silent.append(f"{name}.{field}")
    assert silent == []


def test_what_is_understood_where_a_field_is_left_out_is_said() -> None:
    """Wherever that is something: a zone, a tax, a reason."""
    silent = {
        f"{name}.{field}"
        for schema in json_schemas().values()
        for name, part in [("", schema), *schema["$defs"].items()]
        for field, held in part.get("properties", {}).items()
        if held.get("default") not in (None, []) and "Absent: " not in held["description"]
    }
    assert silent == set()
