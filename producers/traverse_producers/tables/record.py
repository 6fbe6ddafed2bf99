"""From the cells of one row to one event. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from traverse_producers.event_builder import build_event, octets_of
from traverse_producers.tables.cells import UnreadableCellError, one_of
from traverse_producers.tables.columns import Column
from traverse_schemas.events import Action
from traverse_schemas.records.codes import (
    AmountKind,
    CallSubtype,
    DeadlineKind,
    Kind,
    ProjectSubtype,
    Tax,
    UpdateReason,
    WithdrawalReason,
)

_UPDATE_REASONS = one_of(
    {
        "correction": UpdateReason.CORRECTION.value,
        "prolongation": UpdateReason.EXTENSION.value,
        "avenant": UpdateReason.AMENDMENT.value,
        "reconduction": UpdateReason.RENEWAL.value,
        **{reason.value: reason.value for reason in UpdateReason},
    }
)
_WITHDRAWAL_REASONS = one_of(
    {
        "erreur": WithdrawalReason.ERROR.value,
        "effacement": WithdrawalReason.ERASURE.value,
        **{reason.value: reason.value for reason in WithdrawalReason},
    }
)
_BY_APPLICATION = {CallSubtype.CALL_FOR_PROJECTS, CallSubtype.EXPRESSION_OF_INTEREST}


class Cell(NamedTuple):
    """The content of one cell: its column, the header as it was typed, the text (not empty)."""

    column: Column
    header: str
    text: str


def event_of(cells: Sequence[Cell], *, source: str, now: Callable[[], datetime]) -> dict[str, Any]:
    """The event that a row tells. Raises UnreadableCellError, InvalidEventError.

    Without a time of its own the event is of now; without an action the record is published.
    Without an id of its own it gets a hash of all the rest. So a row with its date, published
    again, is the same event (a duplicate), and one without is a new version of its record: were
    the time left out of the hash, it would be the same id with other content, which is rejected.
    """
    said = _values(cells)
    reference, type_ = said.get("/subject"), said.get("/kind")
    if reference is None:
        raise UnreadableCellError("La colonne reference est vide : donnez la référence du dossier.")
    if type_ is None:
        raise UnreadableCellError(
            "La colonne type est vide : écrivez Projet, Marché public ou Besoin d'achat."
        )
    kind, subtype = type_
    action = said.get("/action", Action.PUBLISHED.value)
    event = build_event(
        source=source,
        kind=kind,
        action=action,
        reference=reference,
        data=_data(action, _record(said, kind, subtype), said),
        event_id=said.get("/id", ""),
        time=said.get("/time") or now(),
        sequence=said.get("/sequence"),
    )
    if not event["id"]:
        event["id"] = blake2b(octets_of(event), digest_size=16).hexdigest()
    return event


def _values(cells: Sequence[Cell]) -> dict[str, Any]:
    """What the cells say, by path; the lists of one path add up, without repeats."""
    said: dict[str, Any] = {}
    for cell in cells:
        try:
            value = cell.column.read(cell.text)
        except UnreadableCellError as error:
            raise UnreadableCellError(f"Colonne {cell.header} : {error}") from None
        path = cell.column.path
        if isinstance(value, list):
            value = [
                *said.get(path, []),
                *(each for each in value if each not in said.get(path, [])),
            ]
        said[path] = value
    return said


def _record(said: dict[str, Any], kind: str, subtype: str | None) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for path, value in said.items():
        root, *names = path.split("/")
        if root != "data":
            continue
        inner = record
        for name in names[:-1]:
            inner = inner.setdefault(name, {})
        inner[names[-1]] = value
    if subtype is not None:
        if record.get("subtype", subtype) != subtype:
            raise UnreadableCellError(
                "Les colonnes type et sous_type se contredisent : n'en remplissez qu'une."
            )
        record["subtype"] = subtype
    elif kind == Kind.PROJECT:
        record.setdefault("subtype", ProjectSubtype.PROJECT.value)
    if amounts := _amounts(said):
        record["amounts"] = amounts
    if "deadline/at" in said:
        by_application = record.get("subtype") in _BY_APPLICATION
        usual = DeadlineKind.APPLICATION if by_application else DeadlineKind.TENDER
        record["deadlines"] = [
            {
                "kind": said.get("deadline/kind", usual.value),
                "at": said["deadline/at"],
                **({"zone": said["deadline/zone"]} if "deadline/zone" in said else {}),
            }
        ]
    return record


def _amounts(said: dict[str, Any]) -> list[dict[str, Any]]:
    kind = said.get("amount/kind", AmountKind.ESTIMATE.value)
    taxes = {
        "amount/value": said.get("amount/tax", Tax.UNKNOWN.value),
        "amount/excluded": Tax.EXCLUDED.value,
        "amount/included": Tax.INCLUDED.value,
    }
    return [
        {"value": said[path], "kind": kind, "tax": tax}
        for path, tax in taxes.items()
        if path in said
    ]


def _data(action: str, record: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    reason = said.get("/reason")
    if action == Action.WITHDRAWN:
        return {"reason": _read("motif", _WITHDRAWAL_REASONS, reason)} if reason else {}
    if action == Action.CLOSED:
        ending = {"outcome": said.get("/outcome"), "on": said.get("/on"), "reason": reason}
        data = {name: value for name, value in ending.items() if value is not None}
        # A row that tells the record too closes what may never have been published before.
        return {**data, "record": record} if "title" in record else data
    if "/outcome" in said:
        raise UnreadableCellError(
            "La colonne issue est remplie, et l'action n'est pas « clos » : écrivez clos dans la "
            "colonne action, ou videz issue."
        )
    if action == Action.UPDATED and reason:
        return {**record, "reason": _read("motif", _UPDATE_REASONS, reason)}
    return record


def _read(header: str, reader: Callable[[str], Any], text: str) -> Any:
    try:
        return reader(text)
    except UnreadableCellError as error:
        raise UnreadableCellError(f"Colonne {header} : {error}") from None
