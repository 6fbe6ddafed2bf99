"""« Pour les programmes » as data: the OpenAPI description, for people who read it. Pure.

Nothing is said here that the description does not say: a route, a parameter or an example that is
missing on the page is missing there.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any, Final

Json = Mapping[str, Any]

SEARCH: Final = "/v1/opportunities"
"""The route whose parameters others take too."""

_FAMILIES: Final = {
    "recherche": "Chercher et lire",
    "exports": "Emporter une recherche entière",
    "flux": "Suivre une recherche",
    "alertes": "Être averti",
    "permanences": "Publier ses permanences",
    "exploitation": "Surveiller le service",
}
_EXAMPLE: Final = (("q", "école"), ("territory", "dep:13"))
_SHOWN: Final = 8  # values that a line can show; the description has them all
_PLACES: Final = {"query": "", "path": "dans l’adresse", "header": "en-tête"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a call; `values` are those that it takes, `example` one of them."""

    name: str
    where: str
    text: str
    values: str
    example: str


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the API. `searches`: it takes the parameters of a search (`filters` of the
    page), and `parameters` besides; `command`: how it is tried."""

    method: str
    path: str
    anchor: str
    title: str
    text: str
    searches: bool
    parameters: list[Parameter]
    command: str


@dataclass(frozen=True, slots=True)
class Family:
    """Calls for one purpose."""

    title: str
    anchor: str
    calls: list[Call]


@dataclass(frozen=True, slots=True)
class ProgramsView:
    """The page: `filters` are the parameters of a search, told once."""

    families: list[Family]
    filters: list[Parameter]


def programs_view(description: Json, address: str) -> ProgramsView:
    """`description` is the OpenAPI document of the service, `address` where people reach it."""
    filters = [_parameter(one) for one in description["paths"][SEARCH]["get"]["parameters"]]
    names = {one.name for one in filters}
    calls: dict[str, list[Call]] = {}
    for path, methods in sorted(description["paths"].items(), key=lambda one: one[0] != SEARCH):
        for method, operation in methods.items():
            call = _call(method, path, operation, names, address)
            calls.setdefault(operation["tags"][0], []).append(call)
    order = [*_FAMILIES, *(tag for tag in calls if tag not in _FAMILIES)]
    families = [
        Family(_FAMILIES.get(tag, tag.capitalize()), tag, calls[tag])
        for tag in order
        if tag in calls
    ]
    return ProgramsView(families, filters)


def _call(method: str, path: str, operation: Json, filters: set[str], address: str) -> Call:
    parameters = [_parameter(one) for one in operation.get("parameters", ())]
    takes = {one.name for one in parameters}
    searches = {"q", "kind"} <= takes
    own = [one for one in parameters if not (searches and one.name in filters)]
    title = operation["summary"]
    text = operation.get("description", "").removeprefix(title).strip(" .\n;")
    return Call(
        method.upper(),
        path,
        re.sub(r"\W+", "-", f"{method}{path}").strip("-"),
        title,
        f"{text[0].upper()}{text[1:]}." if text else "",
        searches,
        own,
        _command(method, path, operation, address, takes),
    )


def _parameter(told: Json) -> Parameter:
    schema = told.get("schema", {})
    values = list(_values(schema))
    shown = ", ".join(values[:_SHOWN])
    if len(values) > _SHOWN:
        shown += f" et {len(values) - _SHOWN} autres"
    return Parameter(
        told["name"], _PLACES[told["in"]], told.get("description", ""), shown, _example(schema)
    )


def _values(schema: Json) -> Iterable[str]:
    """The values of a closed list, wherever the schema has it."""
    yield from (str(one) for one in schema.get("enum", ()))
    for part in (schema.get("items"), *schema.get("anyOf", ())):
        if part:
            yield from _values(part)


def _example(schema: Json) -> str:
    found = next(iter(schema.get("examples", ())), "")
    return str(found[0] if isinstance(found, list) else found)


def _command(method: str, path: str, operation: Json, address: str, takes: set[str]) -> str:
    """`curl` for it, as it is pasted into a terminal."""
    where = quote(address + re.sub(r"\{(\w+)\}", lambda name: name[1].upper(), path))
    words = ["curl"]
    if "stream" in path:
        words.append("-N")
    if method != "get":
        words += ["-X", method.upper(), "-H", quote("Authorization: Bearer CLÉ")]
    asked = [
        f"--data-urlencode {quote(f'{name}={value}')}" for name, value in _EXAMPLE if name in takes
    ]
    words += ["-G", where, *asked] if asked else [where]
    body = next(iter(operation.get("requestBody", {}).get("content", ())), None)
    if body:
        words += ["-H", quote(f"Content-Type: {body}"), "--data-binary", "@FICHIER"]
    return " ".join(words)
