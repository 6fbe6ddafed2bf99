"""What the address of a search page asks for, and the French for what it asks wrongly."""

from typing import Any, Final

from fastapi import Request
from pydantic import ValidationError

from traverse_search_api.pages.institution.field_names import FILTERS
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.web.problems import sentence_of

_LISTS: Final = frozenset(
    name
    for name, field in SearchParameters.model_fields.items()
    if "tuple" in str(field.annotation)
)
_CHOSEN: Final = frozenset({"enum", "literal_error", "theme"})


def search_parameters(request: Request) -> SearchParameters:
    """What the address asks for. Raises ValidationError."""
    given = request.query_params
    values: dict[str, Any] = {}
    for name in given:
        texts = given.getlist(name)
        values[name] = texts if name in _LISTS else texts[-1]
    return SearchParameters.model_validate(values)


def first_fault(error: ValidationError) -> tuple[str, str]:
    """The parameter, and what is wrong with it, as people call it. A list to choose from is told by
    where it stands: its codes are not theirs."""
    fault = error.errors()[0]
    name = str(fault["loc"][0]) if fault["loc"] else ""
    filter_ = f"Le filtre « {FILTERS.get(name, name[:40])} »"
    if fault["type"] == "extra_forbidden":
        return name, f"{filter_} n’existe pas : repartez de la recherche."
    if fault["type"] in _CHOSEN:
        return name, (
            f"{filter_} n’admet pas « {str(fault['input'])[:40]} » : repartez de la recherche, et "
            "choisissez parmi ce qu’elle propose."
        )
    return name, f"{filter_} ne peut pas être lu : {sentence_of(fault)}."
