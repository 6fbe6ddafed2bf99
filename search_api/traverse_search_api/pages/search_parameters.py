"""What the address of a search page asks for, and the French for what it asks wrongly."""

from typing import Any, Final

from fastapi import Request
from pydantic import ValidationError

from traverse_search_api.parameters import SearchParameters
from traverse_search_api.problems import sentence_of

_LISTS: Final = frozenset(
    name
    for name, field in SearchParameters.model_fields.items()
    if "tuple" in str(field.annotation)
)


def search_parameters(request: Request) -> SearchParameters:
    """What the address asks for. Raises ValidationError."""
    given = request.query_params
    values: dict[str, Any] = {}
    for name in given:
        texts = given.getlist(name)
        values[name] = texts if name in _LISTS else texts[-1]
    return SearchParameters.model_validate(values)


def first_fault(error: ValidationError) -> tuple[str, str]:
    """The parameter, and what is wrong with it."""
    fault = error.errors()[0]
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return name, f"Le filtre « {name[:40]} » n’existe pas : repartez de la recherche."
    return name, f"Le filtre « {name[:40]} » ne peut pas être lu : {sentence_of(fault)}."
