"""The filters of a search in words: echoed in every answer, blamed when nothing is found."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from traverse_schemas.french.numbers import euros
from traverse_schemas.reference.territories import Territories
from traverse_search_api import labels
from traverse_search_api.deadlines import PARIS
from traverse_search_api.filters.parameter_filters import choice_filters, other_filters
from traverse_search_api.filters.territory_query import resolve_place
from traverse_search_api.moments import read_moment
from traverse_search_api.parameters import Facet, SearchParameters
from traverse_search_api.query.second_look import Filter

_WORDS: Final[Mapping[Facet, Callable[[str], str]]] = {
    Facet.KIND: labels.kind_label,
    Facet.SUBTYPE: labels.subtype_label,
    Facet.STATUS: labels.status_label,
    Facet.THEME: labels.theme_label,
    Facet.INSTITUTION_KIND: labels.institution_kind_label,
    Facet.CPV: labels.cpv_label,
}


def active_filters(
    parameters: SearchParameters, as_of: datetime, territories: Territories
) -> list[Filter]:
    """One for each parameter that narrows. Raises InvalidParameterError."""
    found = []
    for facet, query in choice_filters(parameters, as_of, territories).items():
        values = [str(value) for value in getattr(parameters, facet.value)]
        if facet is Facet.TERRITORY:
            codes = (resolve_place(code, territories).codes[0] for code in values)
            words = [labels.territory_label(code, territories) for code in codes]
        else:
            words = [_WORDS[facet](value) for value in values]
        found.append(Filter(facet.value, ",".join(values), " ou ".join(words), query))
    for name, query in other_filters(parameters).items():
        value, label = _other(name, parameters)
        found.append(Filter(name, value, label, query))
    return found


def _other(name: str, parameters: SearchParameters) -> tuple[str, str]:
    match name:
        case "institution":
            return ",".join(parameters.institution), " ou ".join(parameters.institution)
        case "near":
            near = parameters.near
            point = f"{near.lat:g},{near.lon:g}" if near else ""
            return point, f"à {parameters.radius:g} km de {point}"
        case "deadline":
            return _between("échéance", parameters.deadline_from, parameters.deadline_to, _day)
        case "published":
            return _between("publication", parameters.published_from, parameters.published_to, _day)
        case _:
            return _between("montant", parameters.amount_min, parameters.amount_max, _euros)


def _between(what: str, low: Any, high: Any, said: Callable[[Any], str]) -> tuple[str, str]:
    value = f"{'' if low is None else low},{'' if high is None else high}"
    if low is None:
        return value, f"{what} jusqu’à {said(high)}"
    upto = "" if high is None else f" jusqu’à {said(high)}"
    return value, f"{what} à partir de {said(low)}{upto}"


def _day(text: str) -> str:
    moment = read_moment(text)
    if isinstance(moment, datetime):
        return f"{moment.astimezone(PARIS):%d/%m/%Y à %H:%M}"
    return f"{moment:%d/%m/%Y}"


def _euros(value: float) -> str:
    return euros(value, cents=True)
