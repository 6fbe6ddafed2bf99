"""Groupings: the joint purchases that a reader may see, chosen and put in words. Pure.

Held in memory from `traverse.groupings`: they are few beside the records. Each belongs to a layer
of readers (`Reader.sees_layer`), and holds nothing that these may not read (decision 9).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Protocol

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from traverse_schemas.documents.grouping import (
    Grouping,
    GroupingMember,
    GroupingMessage,
    anchor_of,
    records_of,
)
from traverse_schemas.documents.status import french_day
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import THEMES
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.errors import InvalidCursorError
from traverse_search_api.filters.territory_query import resolve_place
from traverse_search_api.groupings.errors import MovedGroupingError, UnknownGroupingError
from traverse_search_api.parameters import Moment

_LABELS: Final = {
    "proposed": "Proposition de groupement",
    "convention": "Convention à délibérer",
    "constituted": "Groupement constitué",
    "expired": "Échu",
}
_STANCES: Final = {
    "interested": "Intéressé",
    "convention": "Convention à délibérer",
    "deliberated": "A délibéré",
    "constituted": "A signé",
}
_Place = tuple[str, float, str]
"""Where a grouping stands among others: the end of its time, its score and its id."""

_LAW: Final = (
    "Groupement de commandes : Code de la commande publique, art. L.2113-6 à L.2113-8. "
    "Dire son intérêt n’engage pas ; la convention se délibère et se signe avant le lancement de "
    "la consultation."
)
_PRIVATE: Final = (
    " Une personne privée qui n’est pas acheteur n’y entre que si tous les membres appliquent le "
    "Code à ces achats (art. L.2113-6)."
)
_FAR: Final = "9999-12-31"
_STEPS: Final = 100  # from one grouping to where its members went, and on

PATIENCE: Final = 5.0
"""Seconds that the first caller waits until the groupings are read."""


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
        Field(max_length=100, description="Thèmes, par leur nom court."),
    ] = ()
    cpv: Texts = Field(default=(), description="Codes CPV, ou leurs débuts.")
    institution: Texts = Field(
        default=(), description="SIREN d’un membre, ou de qui pourrait le rejoindre."
    )
    status: Annotated[
        tuple[Literal["proposed", "convention", "constituted", "expired"], ...],
        BeforeValidator(_split),
        Field(max_length=4, description="Où il en est, à la date de `as_of`."),
    ] = ("proposed", "convention", "constituted")
    as_of: Moment = Field(default=None, description="Date à laquelle on juge ; maintenant, sinon.")
    size: int = Field(default=20, ge=1, le=100, description="Groupements par page.")
    cursor: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="La page suivante : next de la réponse précédente."
    )


class GroupingRows(Protocol):
    """Where the groupings are."""

    def rows(self, patience: float = PATIENCE) -> Mapping[str, GroupingMessage]:
        """Every message by its key. Raises GroupingsUnavailableError when they are not known after
        so many seconds."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


def read_row(octets: bytes) -> GroupingMessage:
    """A message of `traverse.groupings`. Raises ValueError."""
    message: GroupingMessage = orjson.loads(octets)
    if not {"id", "layer"} <= message.keys():
        raise ValueError("un groupement sans identifiant")
    return message


def answer(
    rows: Iterable[GroupingMessage],
    parameters: GroupingParameters,
    as_of: datetime,
    territories: Territories,
    reader: Reader = ANYBODY,
) -> dict[str, Any]:
    """A reader's groupings, those with the least time left first, then the surest; `next` is the
    cursor of the page that follows. Raises InvalidCursorError, InvalidParameterError.

    A cursor is the place of the last that was shown: what has come before it since is not missed by
    who asks anew, and nothing is shown twice that has not moved.
    """
    after = None if parameters.cursor is None else _read_place(parameters.cursor)
    today = french_day(as_of)
    places = {
        code for asked in parameters.territory for code in resolve_place(asked, territories).codes
    }
    found = [
        item
        for row in _shown(rows, reader, today)
        if _wanted(row, parameters, places)
        and (item := item_of(row, today))["status"] in parameters.status
    ]
    total = {"value": len(found), "exact": True}
    left = sorted((it for it in found if after is None or _place(it) > after), key=_place)
    shown = left[: parameters.size]
    following = _written_place(_place(shown[-1])) if len(left) > len(shown) else None
    return {"total": total, "items": shown, "next": following}


def one(
    rows: Mapping[str, GroupingMessage], identity: str, as_of: datetime, reader: Reader = ANYBODY
) -> dict[str, Any]:
    """The grouping with an id. Raises MovedGroupingError when that leads to another one: its
    members went there, or one of them names it; UnknownGroupingError when it leads nowhere that
    this reader may read."""
    found = rows.get(identity)
    for _ in range(_STEPS):
        if found is None or "moved_to" not in found:
            break
        found = rows.get(found["moved_to"])
    if found is None:
        found = _of_member(rows.values(), identity)
    if found is None or "grouping" not in found or not reader.reads(found["layer"]):
        raise UnknownGroupingError(identity)
    if found["id"] != identity:
        raise MovedGroupingError(found["id"])
    return item_of(found["grouping"], french_day(as_of))


def of_records(
    rows: Iterable[GroupingMessage],
    records: Iterable[str],
    as_of: datetime,
    reader: Reader = ANYBODY,
) -> list[dict[str, Any]]:
    """The groupings that some records are in, or could join, by id, as a reader may see them; those
    that are over left out."""
    wanted = set(records)
    today = french_day(as_of)
    found = [
        item_of(row, today)
        for row in _shown(rows, reader, today)
        if not wanted.isdisjoint(records_of(row))
    ]
    return sorted(
        (item for item in found if item["status"] != "expired"), key=lambda item: str(item["id"])
    )


def item_of(grouping: Grouping, today: date) -> dict[str, Any]:
    """A grouping as it is shown on a day: with its status and the days that are left to buy
    together (None: no end is known)."""
    grouping = _on_day(grouping, today)
    until = grouping["window"].get("to")
    left = (date.fromisoformat(until) - today).days if until else None
    over = (left is not None and left < 0) or _has_expired(grouping, today)
    status = "expired" if over and grouping["state"] != "constituted" else grouping["state"]
    hidden = ("layer", "places", "state", "members", "others", "expires", "after")
    return {
        **{name: value for name, value in grouping.items() if name not in hidden},
        "visibility": grouping["layer"].partition(":")[0],
        "members": list(map(_member, grouping["members"])),
        "others": list(map(_member, grouping.get("others", ()))),
        "status": status,
        "status_label": _LABELS[status],
        "days_left": None if left is None else max(0, left),
        "law": _law(grouping),
    }


def _on_day(grouping: Grouping, today: date) -> Grouping:
    """What a grouping is on a day, of the records that are worth showing; what was signed stays as
    it was."""
    while "after" in grouping and _has_expired(grouping, today):
        if grouping["state"] == "constituted":
            break
        grouping = grouping["after"]
    return grouping


def _has_expired(grouping: Grouping, today: date) -> bool:
    return grouping.get("expires", _FAR) < today.isoformat()


def _law(grouping: Grouping) -> str:
    """What binds whom. Of what kind an owner is, is what its publisher says: `other` may be no
    buyer."""
    whole = (*grouping["members"], *grouping.get("others", ()))
    private = any(one.get("owner_kind") == "other" for one in whole)
    return _LAW + (_PRIVATE if private else "")


def _place(item: Mapping[str, Any]) -> _Place:
    return (item["window"].get("to", _FAR), -item["score"], item["id"])


def _written_place(place: _Place) -> str:
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _read_place(cursor: str) -> _Place:
    """The inverse of `_written_place`. Raises InvalidCursorError."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        until, score, identity = orjson.loads(urlsafe_b64decode(padded))
        return (str(until), float(score), str(identity))
    except (ValueError, TypeError):
        raise InvalidCursorError(
            "Ce curseur n’est pas de ce service : relancez la recherche sans cursor."
        ) from None


def _member(member: GroupingMember) -> dict[str, Any]:
    stance = member.get("stance")
    return {**member, **({"stance_label": _STANCES[stance]} if stance else {})}


def _shown(rows: Iterable[GroupingMessage], reader: Reader, today: date) -> Iterable[Grouping]:
    for row in rows:
        if "grouping" in row and reader.sees_layer(row["layer"]):
            yield _on_day(row["grouping"], today)


def _of_member(rows: Iterable[GroupingMessage], identity: str) -> GroupingMessage | None:
    """The grouping of the same layer that the record is in by which an id is named."""
    anchor = anchor_of(identity)
    tag = identity.removesuffix(anchor)
    for row in rows:
        records = records_of(row["grouping"]) if "grouping" in row else ()
        if row["id"].startswith(tag) and anchor in records:
            return row
    return None


def _wanted(grouping: Grouping, parameters: GroupingParameters, places: set[str]) -> bool:
    if places and places.isdisjoint(grouping["places"]):
        return False
    if parameters.theme and set(parameters.theme).isdisjoint(grouping["themes"]):
        return False
    if parameters.cpv and not any(code.startswith(parameters.cpv) for code in grouping["cpv"]):
        return False
    whole = (*grouping["members"], *grouping.get("others", ()))
    sirens = {member.get("siren") for member in whole}
    return not parameters.institution or not sirens.isdisjoint(parameters.institution)
