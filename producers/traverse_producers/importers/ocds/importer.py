"""Imports OCDS: release packages, record packages, and lines of releases, records or packages.

The subject is the ocid, so that the releases of one process are versions of one record, in the
order of their dates. A record gives its compiled release, else its releases one by one.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.emit import make_event, within_limit, without_empty
from traverse_producers.importers.json_feed import import_feed
from traverse_producers.importers.json_items import Row, Shape
from traverse_producers.importers.ocds.lots import OUTCOMES, closings_of
from traverse_producers.importers.ocds.parties import items, object_of
from traverse_producers.importers.ocds.record import moment_of, record_of
from traverse_producers.importers.places import Places
from traverse_producers.importers.text import clean
from traverse_schemas.events import Action
from traverse_schemas.records.codes import Kind
from traverse_schemas.reference.territories import Territories

_SHAPE = Shape(
    prefixes=frozenset({"releases.item", "records.item", "item"}),
    depth=32,
    row="une publication OCDS",
    missing="Aucune publication dans ce fichier : un paquet OCDS a une liste « releases » ou "
    "« records ».",
)
_UNDATED = "La publication OCDS n'a pas de date : donnez celle du fichier avec --as-of."
_CHANGES = frozenset({"tenderUpdate", "tenderAmendment", "planningUpdate"})
_AMENDS = frozenset({"contractUpdate", "contractAmendment", "implementation",
                     "implementationUpdate", "contractTermination"})  # fmt: skip
_CANCELS = frozenset({"tenderCancellation", "awardCancellation"})


def import_ocds(
    stream: BinaryIO, name: str, context: ImportContext
) -> Iterator[Imported | Dropped]:
    """Read an OCDS file, JSON or JSON lines. See `contract.Importer`; `line` is the number of the
    release, of the record, or of the line."""
    places = Places(Territories.load())
    return import_feed(
        stream, name, _SHAPE, _releases, lambda line, row: _of_release(line, row, context, places)
    )


def _releases(row: Row) -> Iterator[Row]:
    """The releases of a row: itself, a record's compiled one, a package's."""
    if "releases" not in row and "records" not in row and "compiledRelease" not in row:
        yield row
    elif compiled := object_of(row, "compiledRelease"):
        yield {"ocid": row.get("ocid"), **compiled}
    else:
        for inner in (*items(row.get("records")), *items(row.get("releases"))):
            yield from _releases(inner)


def _of_release(
    line: int, release: Row, context: ImportContext, places: Places
) -> Imported | Dropped:
    ocid = clean(release.get("ocid"))
    if not ocid:
        linked = clean(release.get("url"))
        return Dropped(
            line,
            clean(release.get("id")) or None,
            "La publication n'est qu'un lien vers une autre : téléchargez celle-ci."
            if linked
            else "La publication OCDS n'a pas d'ocid : demandez-le à l'éditeur.",
        )
    time = moment_of(release) or context.as_of
    if time is None:
        return Dropped(line, ocid, _UNDATED)
    record = record_of(release, places)
    action, data = _said(release, record)
    if reason := _unfit(action, record):
        return Dropped(line, ocid, reason)
    event = make_event(context, Kind.CALL, action, subject=ocid, time=time, data=within_limit(data))
    return Imported(line, event)


def _unfit(action: Action, record: dict[str, Any]) -> str | None:
    if "place" not in record:
        return (
            "Ni l'acheteur, ni le lieu de livraison ne sont en France d'après la publication "
            "(identifiant FR-SIRET, adresse) : elle n'entre pas dans les territoires couverts."
        )
    if "title" not in record and action is not Action.CLOSED:
        return "La publication OCDS n'a pas de titre (tender.title) : complétez-la."
    if action is Action.PUBLISHED and "url" not in record:
        return (
            "La publication OCDS ne donne aucune adresse web où lire l'avis (documents[].url) : "
            "complétez-la."
        )
    return None


def _said(release: Row, record: dict[str, Any]) -> tuple[Action, dict[str, Any]]:
    """What happened: by the tags of a release, by the state of a compiled one."""
    tags = {clean(tag) for tag in release["tag"]} if isinstance(release.get("tag"), list) else set()
    status = clean(object_of(release, "tender").get("status"))
    decided = [
        outcome
        for award in items(release.get("awards"))
        if (outcome := OUTCOMES.get(clean(award.get("status")) or "active"))
    ]
    if tags & _AMENDS and "title" in record:
        return Action.UPDATED, record | {"reason": "amendment"}
    if decided:
        outcome = next(o for o in ("awarded", "unsuccessful", "dropped") if o in decided)
        return Action.CLOSED, _closing(outcome, release, record)
    if tags & _CANCELS or status in ("cancelled", "withdrawn"):
        return Action.CLOSED, _closing("dropped", release, record)
    if status == "unsuccessful":
        return Action.CLOSED, _closing("unsuccessful", release, record)
    if tags & _CHANGES:
        return Action.UPDATED, record | {"reason": "correction"}
    return Action.PUBLISHED, record


def _closing(outcome: str, release: Row, record: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in record.items() if k not in ("deadlines", "actions")}
    closings = closings_of(release)
    if lots := record.get("lots"):
        by_number = {each["number"]: each for each in closings}
        kept["lots"] = [lot | by_number.get(lot["number"], {}) for lot in lots]
    return without_empty(
        {
            "outcome": outcome,
            "on": record.get("notified"),
            "record": kept if "title" in kept else None,
            "lots": closings,
            "holders": record.get("holders") if outcome == "awarded" else None,
        }
    )
