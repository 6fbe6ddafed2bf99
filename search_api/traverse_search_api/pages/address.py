"""The address of a search page says everything about it: what was asked, and nothing else. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from traverse_search_api.parameters import SearchParameters

Given = dict[str, list[str]]
"""What was asked, by the names of the API."""

_NOT_SHOWN = frozenset({"facets", "cursor", "size"})


def given(parameters: SearchParameters) -> Given:
    """The parameters that say something, as they stand in an address."""
    asked: Given = {}
    values = parameters.model_dump(mode="json", exclude_defaults=True, exclude=set(_NOT_SHOWN))
    for name, value in values.items():
        if value in (None, "", []):
            continue
        asked[name] = _texts(value)
    return asked


def page_address(asked: Mapping[str, Sequence[str]], path: str = "/") -> str:
    """The address of the search page for what is asked."""
    pairs = [(name, text) for name, texts in asked.items() for text in texts]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def without(asked: Given, name: str, value: str | None = None) -> Given:
    """The same without one value of a parameter, or without the parameter."""
    kept = [text for text in asked.get(name, []) if value is not None and text != value]
    return {**{key: texts for key, texts in asked.items() if key != name}, **_one(name, kept)}


def with_value(asked: Given, name: str, value: str) -> Given:
    """The same with one value more."""
    return {**asked, name: [*asked.get(name, []), value]}


def instead(asked: Given, name: str, value: str) -> Given:
    """The same with this value of a parameter and no other."""
    return {**asked, name: [value]}


def _one(name: str, texts: list[str]) -> Given:
    return {name: texts} if texts else {}


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    if isinstance(value, dict):  # a point
        return [f"{value['lat']},{value['lon']}"]
    if isinstance(value, float):
        return [f"{value:g}"]
    return [str(value)]
