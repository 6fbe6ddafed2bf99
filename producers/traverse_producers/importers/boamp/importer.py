"""Imports BOAMP: the records of its API, or of an export of it, as JSON.

A notice of a procedure in eForms has the procedure as its subject, as from the Official Journal;
another has its own number, or that of the notice that it corrects, cancels or awards
(`annonce_lie`). What BOAMP says of a correction in the national forms is not the whole notice:
what it does not repeat is gone from the record, and the page of the notice has it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from traverse_producers.importers.boamp.record import (
    address_of,
    linked_to,
    number_of,
    record_of,
    text,
)
from traverse_producers.importers.boamp.tree import tree_of
from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.days import read_day, start_of_day
from traverse_producers.importers.eforms.importer import import_notice
from traverse_producers.importers.eforms.notice import ROOTS
from traverse_producers.importers.emit import make_event, within_limit, without_empty
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.json_feed import import_feed
from traverse_producers.importers.json_items import Row, Shape
from traverse_producers.importers.places import Places
from traverse_producers.importers.text import web_address
from traverse_schemas.events import Action
from traverse_schemas.records.codes import Kind
from traverse_schemas.reference.territories import Territories

_SHAPE = Shape(
    prefixes=frozenset({"item", "results.item", "records.item"}),
    depth=12,
    row="un avis du BOAMP",
    missing="Aucun avis dans ce fichier : une réponse de l'API du BOAMP a une liste « results » "
    "(ou « records »), un export est une liste d'avis.",
)
_UNDATED = "L'avis du BOAMP n'a pas de date de parution (dateparution) : demandez ce champ à l'API."
_UNSUCCESSFUL = re.compile(r"infructueu", re.IGNORECASE)
_DROPPED = re.compile(r"sans suite|non attribu|abandon", re.IGNORECASE)


def import_boamp(
    stream: BinaryIO, name: str, context: ImportContext
) -> Iterator[Imported | Dropped]:
    """Read a page of the API, an export, or JSON lines. See `contract.Importer`; `line` is the
    number of the record, or of its line."""
    places = Places(Territories.load())
    return import_feed(
        stream, name, _SHAPE, _records, lambda line, row: _of_record(line, row, context, places)
    )


def _records(row: Row) -> Iterator[Row]:
    """The fields of a record, of versions 1, 2 and 2.1 of the API; of a line that is a page."""
    pages = row.get("results", row.get("records"))
    if isinstance(pages, list) and "idweb" not in row:
        for each in pages:
            if isinstance(each, dict):
                yield from _records(each)
        return
    inner = row.get("record", row)
    fields = inner.get("fields", inner) if isinstance(inner, dict) else row
    yield fields if isinstance(fields, dict) else row


def _of_record(line: int, row: Row, context: ImportContext, places: Places) -> Imported | Dropped:
    number = number_of(row)
    row = row | {"donnees": _parsed(row.get("donnees"))}
    if eforms := _eforms(row):
        try:
            return import_notice(
                tree_of(*eforms),
                line,
                context,
                places,
                url=web_address(row.get("url_avis")) or address_of(number),
                reference=number or None,
            )
        except UnreadableFileError:
            pass  # what the flat fields say is still worth having
    record = record_of(row, places)
    day = read_day(row.get("dateparution"))
    if day is None:
        return Dropped(line, number or None, _UNDATED)
    if reason := _unfit(number, record):
        return Dropped(line, number or None, reason)
    action, subject, data = _said(row, number, record)
    event = make_event(
        context,
        Kind.CALL,
        action,
        subject=subject,
        time=start_of_day(day),
        data=within_limit(data),
    )
    return Imported(line, event)


def _unfit(number: str, record: dict[str, Any]) -> str | None:
    if not number:
        return "L'avis du BOAMP n'a pas de numéro (idweb) : demandez ce champ à l'API."
    if "title" not in record:
        return "L'avis du BOAMP n'a pas d'objet (objet) : demandez ce champ à l'API."
    if "url" not in record:
        return (
            "L'avis du BOAMP n'a ni adresse (url_avis), ni numéro qui en donne une : "
            "demandez ce champ à l'API."
        )
    return None


def _said(row: Row, number: str, record: dict[str, Any]) -> tuple[Action, str, dict[str, Any]]:
    """What happened, to which record: `nature` says it, and `etat` of a cancelled notice."""
    nature = text(row.get("nature")).upper().replace("É", "E")
    linked = linked_to(row)
    if "ANNUL" in nature or "ANNUL" in text(row.get("etat")).upper():
        subject = linked if linked and "ANNUL" in nature else number
        return Action.CLOSED, subject, _closing("dropped", record)
    if "ATTRIBUTION" in nature or "INTENTION" in nature:
        return Action.CLOSED, linked or number, _closing(_outcome(record), record)
    if "MODIF" in nature and linked:
        return Action.UPDATED, linked, record | {"reason": "amendment"}
    if "RECTIF" in nature and linked:
        return Action.UPDATED, linked, record | {"reason": "correction"}
    return Action.PUBLISHED, number, record


def _outcome(record: dict[str, Any]) -> str:
    if record.get("holders"):
        return "awarded"
    said = f"{record['title']} {record.get('description', '')}"
    if _UNSUCCESSFUL.search(said):
        return "unsuccessful"
    return "dropped" if _DROPPED.search(said) else "awarded"


def _closing(outcome: str, record: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in record.items() if k not in ("deadlines", "actions")}
    holders = record.get("holders") if outcome == "awarded" else None
    return without_empty({"outcome": outcome, "record": kept, "holders": holders})


def _parsed(value: Any) -> Row:
    """`donnees`, which is JSON inside of JSON; {} when it cannot be read."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _eforms(row: Row) -> tuple[str, Row] | None:
    box = row["donnees"].get("EFORMS")
    if not isinstance(box, dict):
        return None
    for name, value in box.items():
        if name.rpartition(":")[2] in ROOTS:
            inner = value[0] if isinstance(value, list) and value else value
            if isinstance(inner, dict):
                return name, inner
    return None
