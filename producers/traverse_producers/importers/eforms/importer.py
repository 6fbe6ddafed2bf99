"""Imports eForms notices: the notices of one procedure are versions of one record.

The subject is the procedure (BT-04), so that a correction, an award or a modification comes after
the call that it changes; their order is that of their dispatch (BT-05). Packages of the Official
Journal mix eForms with TED XML, and so the latter are read here too, by their own reader.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml.etree import _Element as Element

from traverse_producers.importers.archive import is_archive, members
from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.eforms import awards as ended
from traverse_producers.importers.eforms.notice import Notice, read_notice
from traverse_producers.importers.eforms.record import record_of
from traverse_producers.importers.emit import Once, make_event, within_limit, without_empty
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.octets import read_fully
from traverse_producers.importers.places import Places
from traverse_producers.importers.ted.importer import import_document
from traverse_producers.importers.text import clean, cut
from traverse_producers.importers.xml import parse
from traverse_schemas.events import Action
from traverse_schemas.records.codes import Kind
from traverse_schemas.reference.territories import Territories

_LIMIT = 32 << 20
_OPENS = frozenset({"planning", "competition", "consultation"})
_CANCELLED = "cancel"  # BT-140


def import_eforms(
    stream: BinaryIO, name: str, context: ImportContext
) -> Iterator[Imported | Dropped]:
    """Read an eForms notice, or a package of them (.tar.gz, .zip). See `contract.Importer`.

    `line` is the file's name, or its name in the package.
    """
    once, places = Once(), Places(Territories.load())
    try:
        packed = is_archive(name)
        for path, content in members(stream, name, _LIMIT + 1) if packed else ((name, stream),):
            result = _of_file(content, path, context, places)
            yield once.check(result) if isinstance(result, Imported) else result
    except UnreadableFileError as error:
        yield Dropped(name, None, str(error), unread=True)


def _of_file(
    stream: BinaryIO, name: str, context: ImportContext, places: Places
) -> Imported | Dropped:
    octets = read_fully(stream, _LIMIT + 1)
    if len(octets) > _LIMIT:
        return Dropped(
            name, None, "Le fichier dépasse 32 Mio : ce n'est pas un avis eForms, vérifiez-le."
        )
    try:
        root = parse(octets)
        if root.tag == "TED_EXPORT":
            return import_document(root, name, context)
        return import_notice(root, name, context, places)
    except UnreadableFileError as error:
        return Dropped(name, None, str(error))


def import_notice(
    root: Element,
    line: int | str,
    context: ImportContext,
    places: Places,
    *,
    url: str | None = None,
    reference: str | None = None,
) -> Imported | Dropped:
    """The event of a notice whose namespaces were removed. Raises UnreadableFileError.

    `url` and `reference` are those of the feed that relays the notice, where it has its own.
    """
    notice = read_notice(root)
    awards = [] if ended.goes_on(notice) else ended.awards_of(notice)
    record = record_of(notice, awards, places)
    if url is not None:
        record["url"] = url
    if reference is not None:
        record["references"] = list(dict.fromkeys([reference, *record["references"]]))
    if reason := _unfit(notice, record):
        return Dropped(line, notice.number, reason)
    action, data = _said(notice, awards, record)
    if action is Action.PUBLISHED and "url" not in record:
        return Dropped(
            line,
            notice.number,
            "L'avis n'a ni numéro de publication, ni adresse de l'acheteur ou de son dossier : "
            "importez-le une fois publié.",
        )
    event = make_event(
        context,
        Kind.CALL,
        action,
        subject=notice.procedure,
        time=notice.dispatched,
        data=within_limit(data),
    )
    return Imported(line, event)


def _unfit(notice: Notice, record: dict[str, Any]) -> str | None:
    """Why a notice gives no event, or None."""
    if "place" not in record:
        return (
            f"L'acheteur ({notice.buyer.country or 'pays inconnu'}) et le lieu d'exécution sont "
            "hors de France : l'avis n'entre pas dans les territoires couverts."
        )
    if "title" not in record:
        return "L'avis eForms n'a pas de titre (BT-21) : demandez le fichier complet."
    return None


def _said(
    notice: Notice, awards: list[ended.Award], record: dict[str, Any]
) -> tuple[Action, dict[str, Any]]:
    """What happened: a notice opens, corrects, closes or modifies."""
    if notice.changes is not None:
        codes = {clean(part.text) for part in notice.changes.iterfind("ChangeReason/ReasonCode")}
        if notice.form in _OPENS:
            if _CANCELLED in codes:
                return Action.CLOSED, _dropped(notice, record)
            return Action.UPDATED, record | {"reason": "correction"}
        # A cancelled award tells that the earlier notice is void, not how the procedure ended.
        if _CANCELLED in codes or not awards:
            return Action.UPDATED, record | {"reason": "correction"}
    if notice.form in _OPENS:
        return Action.PUBLISHED, record
    if notice.form == "cont-modif":
        return Action.UPDATED, record | {"reason": "amendment"}
    if notice.form == "completion" or not awards:
        return Action.UPDATED, record
    return Action.CLOSED, _closing(record, awards)


def _dropped(notice: Notice, record: dict[str, Any]) -> dict[str, Any]:
    why = notice.text(notice.changes, "ChangeReason/ReasonDescription")
    data = {
        "outcome": ended.DROPPED,
        "on": notice.dispatched.date().isoformat(),
        "reason": cut(why, 500),
        "record": {k: v for k, v in record.items() if k not in ("deadlines", "actions")},
    }
    return without_empty(data)


def _closing(record: dict[str, Any], awards: list[ended.Award]) -> dict[str, Any]:
    lots = [
        without_empty(
            {
                "number": lot["number"],
                "outcome": lot["outcome"],
                "holders": lot.get("holders"),
                "amount": lot["amount"] if lot.get("amount", {}).get("kind") == "awarded" else None,
            }
        )
        for lot in record.get("lots", [])
        if "outcome" in lot
    ]
    return without_empty(
        {
            "outcome": ended.overall(awards),
            "on": record.get("notified"),
            "reason": ended.reasons(awards),
            "record": record,
            "lots": lots,
        }
    )
