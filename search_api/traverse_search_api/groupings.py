"""Groupings: the proposed joint purchases that a reader may see, chosen and put in words. Pure.

Held in memory from `traverse.groupings`: they are few beside the records. Each belongs to a layer
of readers (`Reader.sees_layer`), and holds nothing that these may not read (decision 9).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Protocol

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from traverse_schemas.grouping import Grouping
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import THEMES
from traverse_schemas.status import french_day
from traverse_search_api.parameters import Moment
from traverse_search_api.territory_query import resolve_place

_LABELS: Final = {"proposed": "Proposition de groupement", "expired": "Échu"}
_FAR: Final = "9999-12-31"


def _split(value: object) -> object:
    """`?cpv=45,50&cpv=71` -> ("45", "50", "71")."""
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, list | tuple):
        return value
    texts = (part for text in value for part in str(text).split(","))
    return tuple(dict.fromkeys(part.strip() for part in texts if part.strip()))


def _theme(slug: str) -> str:
    if slug not in THEMES:
        raise ValueError(f"« {slug} » n’est pas un thème : {', '.join(THEMES)}")
    return slug


Texts = Annotated[
    tuple[Annotated[str, Field(max_length=80)], ...], BeforeValidator(_split), Field(max_length=100)
]


class GroupingParameters(BaseModel):
    """The parameters of `GET /v1/groupings`; several values of one widen it, parameters narrow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    territory: Texts = Field(
        default=(),
        description="Où se trouve au moins un membre : com:, cp:, epci:, dep:, reg: ou fr.",
    )
    theme: Annotated[
        tuple[Annotated[str, AfterValidator(_theme)], ...],
        BeforeValidator(_split),
        Field(max_length=100),
    ] = ()
    cpv: Texts = Field(default=(), description="Codes CPV, ou leurs débuts.")
    institution: Texts = Field(default=(), description="SIREN d’un membre.")
    status: Annotated[
        tuple[Literal["proposed", "expired"], ...], BeforeValidator(_split), Field(max_length=2)
    ] = ("proposed",)
    as_of: Moment = None
    size: int = Field(default=20, ge=1, le=100)


class GroupingRows(Protocol):
    """Where the groupings are."""

    def rows(self) -> Mapping[str, Grouping]:
        """Every row by its key. Raises SearchUnavailableError while they are not known."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


def read_row(octets: bytes) -> Grouping:
    """A message of `traverse.groupings`. Raises ValueError."""
    try:
        grouping: Grouping = orjson.loads(octets)["grouping"]
        if not isinstance(grouping["layer"], str):
            raise TypeError
    except (KeyError, TypeError):
        raise ValueError("no grouping with a layer") from None
    return grouping


def answer(
    rows: Iterable[Grouping],
    parameters: GroupingParameters,
    as_of: datetime,
    territories: Territories,
) -> dict[str, Any]:
    """A reader's groupings, those with the least time left first, then the surest."""
    today = french_day(as_of)
    places = {
        code for asked in parameters.territory for code in resolve_place(asked, territories).codes
    }
    found = [
        item
        for row in rows
        if _wanted(row, parameters, places)
        and (item := item_of(row, today))["status"] in parameters.status
    ]
    found.sort(key=lambda item: (item["window"].get("to", _FAR), -item["score"], item["id"]))
    total = {"value": len(found), "exact": True}
    return {"total": total, "items": found[: parameters.size]}


def item_of(grouping: Grouping, today: date) -> dict[str, Any]:
    """A grouping as it is shown on a day: with its status and the days that are left to buy
    together (None: no end is known)."""
    until = grouping["window"].get("to")
    left = (date.fromisoformat(until) - today).days if until else None
    status = "expired" if left is not None and left < 0 else "proposed"
    return {
        **{name: value for name, value in grouping.items() if name not in ("layer", "places")},
        "status": status,
        "status_label": _LABELS[status],
        "days_left": None if left is None else max(0, left),
        "law": "Groupement de commandes : Code de la commande publique, art. L.2113-6 à L.2113-8. "
        "La convention se signe avant le lancement de la consultation.",
    }


def _wanted(grouping: Grouping, parameters: GroupingParameters, places: set[str]) -> bool:
    if places and places.isdisjoint(grouping["places"]):
        return False
    if parameters.theme and set(parameters.theme).isdisjoint(grouping["themes"]):
        return False
    if parameters.cpv and not any(code.startswith(parameters.cpv) for code in grouping["cpv"]):
        return False
    sirens = {member.get("siren") for member in grouping["members"]}
    return not parameters.institution or not sirens.isdisjoint(parameters.institution)
