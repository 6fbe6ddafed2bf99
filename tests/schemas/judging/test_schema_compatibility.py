"""What a schema took it must go on taking: each way of breaking that is told, the rest is free."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemas.validators import Validator
from traverse_schemas.judging.schema_compatibility import incompatibilities

OLD: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title"],
    "properties": {
        "title": {"type": "string", "maxLength": 100, "minLength": 1, "pattern": "^[a-z]"},
        "count": {"type": "integer", "minimum": 0, "maximum": 10},
        "kind": {"$ref": "#/$defs/Kind"},
        "url": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "list": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
        "free": {"type": "object", "properties": {"a": {"type": "string"}}},
        "map": {"type": "object", "additionalProperties": {"type": "number"}},
        "one": {"const": "x"},
        "any": {},
    },
    "$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}},
}


def changed(name: str, **schema: Any) -> dict[str, Any]:
    """The old schema with another schema for one property."""
    return {**OLD, "properties": {**OLD["properties"], name: schema}}


STRING = OLD["properties"]["title"]
INTEGER = OLD["properties"]["count"]

BREAKING: dict[str, tuple[dict[str, Any], str]] = {
    "required": ({**OLD, "required": ["title", "count"]}, "/count: is now required"),
    "removed": (
        {**OLD, "properties": {k: v for k, v in OLD["properties"].items() if k != "count"}},
        "/count: was removed",
    ),
    "type": (changed("count", type="string"), "/count: no longer takes the types integer"),
    "type of anything": (changed("any", type="string"), "/any: no longer takes the types"),
    "null": (changed("url", type="string"), "/url: no longer takes the types null"),
    "enum": (
        {**OLD, "$defs": {"Kind": {"enum": ["a"], "type": "string"}}},
        "/kind: no longer takes the values 'b'",
    ),
    "new enum": (changed("title", **STRING, enum=["a"]), "/title: takes only listed values"),
    "const": (changed("one", const="y"), "/one: no longer takes the values 'x'"),
    "maxLength": (changed("title", **{**STRING, "maxLength": 50}), "/title: maxLength is 50"),
    "minLength": (changed("title", **{**STRING, "minLength": 2}), "/title: minLength is 2"),
    "new bound": (changed("url", type=["string", "null"], maxLength=5), "/url: maxLength is 5"),
    "minimum": (changed("count", **{**INTEGER, "minimum": 1}), "/count: minimum is 1, was 0"),
    "maximum": (changed("count", **{**INTEGER, "maximum": 9}), "/count: maximum is 9, was 10"),
    "pattern": (changed("title", **{**STRING, "pattern": "^a"}), "/title: pattern is new or"),
    "format": (changed("url", type=["string", "null"], format="uri"), "/url: format is new"),
    "items": (
        changed("list", type="array", items={"type": "integer"}, maxItems=5),
        "/list[]: no longer takes the types string",
    ),
    "maxItems": (
        changed("list", type="array", items={"type": "string"}, maxItems=4),
        "/list: maxItems is 4",
    ),
    "uniqueItems": (
        changed("list", type="array", items={"type": "string"}, maxItems=5, uniqueItems=True),
        "/list: uniqueItems is new",
    ),
    "additionalProperties": (
        changed("free", type="object", properties={"a": {"type": "string"}},
                additionalProperties=False),
        "/free: no longer takes unknown properties",
    ),
    "a name that was free": (
        changed("free", type="object", properties={"a": {"type": "string"},
                                                   "b": {"type": "string"}}),
        "/free/b: no longer takes the types",
    ),
    "values of a map": (
        changed("map", type="object", additionalProperties={"type": "integer"}),
        "/map/*: no longer takes the types number",
    ),
    "dependent": ({**OLD, "dependentRequired": {"a": ["b"]}}, "dependentRequired is new"),
    "false": ({**OLD, "properties": {**OLD["properties"], "any": False}}, "/any: takes only"),
}  # fmt: skip

HARMLESS: dict[str, dict[str, Any]] = {
    "nothing": OLD,
    "words": {**OLD, "title": "Autre", "description": "Autre", "$id": "x"},
    "a new optional property": changed("new", type="string"),
    "no longer required": {**OLD, "required": []},
    "one more value": {**OLD, "$defs": {"Kind": {"enum": ["a", "b", "c"], "type": "string"}}},
    "wider bounds": changed("title", type="string", maxLength=200),
    "a number for an integer": changed("count", type="number", minimum=0, maximum=10),
    "one more alternative": changed(
        "url", anyOf=[{"type": "null"}, {"type": "integer"}, {"type": "string"}]
    ),
    "a reference written out": changed("kind", enum=["b", "a"]),
    "open to unknown properties": {**OLD, "additionalProperties": True},
    "a default": changed("any", default=1),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_publishers_is_told_with_its_place(name: str) -> None:
    """One sentence, beginning with the path of the property."""
    new, said = BREAKING[name]
    found = incompatibilities(OLD, new)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_takes_as_much_or_more_is_free(name: str) -> None:
    """Evolution without a new version."""
    assert incompatibilities(OLD, HARMLESS[name]) == []


def test_a_schema_that_contains_itself_is_compared_once() -> None:
    """No recursion without end."""
    tree = {
        "$ref": "#/$defs/Tree",
        "$defs": {
            "Tree": {
                "type": "object",
                "properties": {"leaf": {"type": "string"}, "inner": {"$ref": "#/$defs/Tree"}},
            }
        },
    }
    assert incompatibilities(tree, tree) == []


_values = st.one_of(st.none(), st.booleans(), st.integers(-3, 6), st.text("ab", max_size=4))
_values = st.one_of(_values, st.lists(_values, max_size=3))
_schemas = st.one_of(
    st.fixed_dictionaries({"enum": st.lists(st.sampled_from(["a", "b", 1, 2]), min_size=1)}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "number", "null", "array", "boolean"])},
        optional={
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 4),
            "minimum": st.integers(-2, 2),
            "maximum": st.integers(0, 5),
            "maxItems": st.integers(0, 3),
            "items": st.fixed_dictionaries({"type": st.sampled_from(["string", "integer"])}),
        },
    ),
)
_schemas = st.one_of(_schemas, st.fixed_dictionaries({"anyOf": st.lists(_schemas, min_size=1)}))


@given(old=_schemas, new=_schemas, value=_values)
def test_where_nothing_is_told_the_new_schema_takes_what_the_old_one_took(
    old: dict[str, Any], new: dict[str, Any], value: object
) -> None:
    """The promise itself, on any two schemas and any value."""
    told = bool(incompatibilities(old, new))
    taken_before = Validator(old).takes(value)
    assert told or not taken_before or Validator(new).takes(value)
