"""Imports TED XML notices: calls that open (published) or that ended (closed).

Each notice is a record of its own (subject: its number in the Official Journal); what it says of
an earlier one stands in `references`. A correction (F14) and a modification (F20) tell of another
notice without its whole content, so that as updates they would take away what they do not repeat.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml.etree import _Element as Element

from traverse_producers.importers.archive import is_archive, members
from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.days import start_of_day
from traverse_producers.importers.emit import Once, make_event, within_limit, without_empty
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.octets import read_fully
from traverse_producers.importers.places import Places
from traverse_producers.importers.ted.awards import awards_of, overall
from traverse_producers.importers.ted.notice import Notice, read_notice
from traverse_producers.importers.ted.record import record_of
from traverse_producers.importers.ted.where import places_of
from traverse_producers.importers.xml import parse
from traverse_schemas.events import Action
from traverse_schemas.records.codes import Kind
from traverse_schemas.reference.territories import Territories

_LIMIT = 32 << 20


def import_ted(stream: BinaryIO, name: str, context: ImportContext) -> Iterator[Imported | Dropped]:
    """Read a TED XML notice, or a package of them (.tar.gz, .zip). See `contract.Importer`.

    `line` is the file's name, or its name in the package.
    """
    once = Once()
    try:
        packed = is_archive(name)
        for path, content in members(stream, name, _LIMIT + 1) if packed else ((name, stream),):
            result = _of_file(content, path, context)
            yield once.check(result) if isinstance(result, Imported) else result
    except UnreadableFileError as error:
        yield Dropped(name, None, str(error), unread=True)


def _of_file(stream: BinaryIO, name: str, context: ImportContext) -> Imported | Dropped:
    octets = read_fully(stream, _LIMIT + 1)
    if len(octets) > _LIMIT:
        return Dropped(
            name, None, "Le fichier dépasse 32 Mio : ce n'est pas un avis TED, vérifiez-le."
        )
    try:
        return import_document(parse(octets), name, context)
    except UnreadableFileError as error:
        return Dropped(name, None, str(error))


def import_document(root: Element, name: str, context: ImportContext) -> Imported | Dropped:
    """The event of a document whose namespaces were removed. Raises UnreadableFileError."""
    return _result(read_notice(root, name), name, context)


def _result(notice: Notice, name: str, context: ImportContext) -> Imported | Dropped:
    places = Places(Territories.load())
    place = places_of(notice, places)
    if not place:
        return Dropped(
            name,
            notice.number,
            f"L'acheteur ({notice.buyer.country or 'pays inconnu'}) et le lieu d'exécution sont "
            "hors de France : l'avis n'entre pas dans les territoires couverts.",
        )
    awards = awards_of(notice.form)
    record = record_of(notice, place, awards, places)
    if "title" not in record:
        return Dropped(
            name, notice.number, "L'avis TED n'a pas de titre : téléchargez-le à nouveau."
        )
    action, data = (
        (Action.CLOSED, _closing(record, awards))
        if awards
        else (
            Action.PUBLISHED,
            record,
        )
    )
    # The Official Journal appears in Luxembourg, whose hour is that of Paris.
    time = start_of_day(notice.published)
    event = make_event(
        context,
        Kind.CALL,
        action,
        subject=notice.number,
        time=time,
        data=within_limit(data),
    )
    return Imported(name, event)


def _closing(record: dict[str, Any], awards: list[Any]) -> dict[str, Any]:
    lots = [
        without_empty({key: lot.get(key) for key in ("number", "outcome", "holders", "amount")})
        for lot in record.get("lots", [])
        if "outcome" in lot
    ]
    for lot in lots:
        if lot.get("amount", {}).get("kind") != "awarded":
            lot.pop("amount", None)
    return without_empty(
        {
            "outcome": overall(awards),
            "on": record.get("notified"),
            "record": record,
            "lots": lots,
        }
    )
