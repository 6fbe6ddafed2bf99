"""Imports DECP: each row is a contract awarded, each of its modifications an update of it."""

from collections.abc import Iterator
from typing import BinaryIO

from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.days import start_of_day
from traverse_producers.importers.decp.record import (
    amended,
    modifications,
    modified_on,
    record_of,
    subject_of,
    time_of,
)
from traverse_producers.importers.decp.rows import rows
from traverse_producers.importers.emit import Once, make_event, without_empty
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.json_items import Row
from traverse_producers.importers.places import Places
from traverse_producers.importers.text import clean
from traverse_schemas.events import Action
from traverse_schemas.records.codes import Kind
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.instant import zone_of_department


def import_decp(
    stream: BinaryIO, name: str, context: ImportContext
) -> Iterator[Imported | Dropped]:
    """Read a DECP file (2019 format or schema 2.0, JSON or XML). See `contract.Importer`.

    A row gives `call.closed` (awarded) with the whole record, and `call.updated` (amendment,
    `sequence` 1, 2, …) for each modification that changes it.
    """
    places, once, number = Places(Territories.load()), Once(), 0
    try:
        for number, row in enumerate(rows(stream), start=1):
            for result in _events(number, row, places, context):
                yield once.check(result) if isinstance(result, Imported) else result
    except UnreadableFileError as error:
        yield Dropped(number + 1, name, str(error), unread=True)


def _events(
    line: int, row: Row, places: Places, context: ImportContext
) -> Iterator[Imported | Dropped]:
    reference = clean(row.get("id")) or None
    record = record_of(row, places)
    if "title" not in record:
        yield Dropped(
            line,
            reference,
            "Le contrat n'a pas d'objet (champ « objet ») : complétez-le chez l'acheteur.",
        )
        return
    place = record["place"][0]
    time = time_of(row, place, places, context.as_of)
    if time is None:
        yield Dropped(
            line,
            reference,
            "Le contrat n'a ni date de publication, ni date de notification : donnez celle "
            "du fichier avec --as-of.",
        )
        return
    subject = subject_of(row)
    closed = {"outcome": "awarded", "on": record.get("notified"), "record": record}
    yield Imported(
        line,
        make_event(
            context,
            Kind.CALL,
            Action.CLOSED,
            subject=subject,
            time=time,
            data=without_empty(closed),
        ),
    )
    zone = zone_of_department(places.department_of(place))
    known = record
    for sequence, change in enumerate(modifications(row), start=1):
        record = amended(known, row, change)
        if record == known:
            continue
        known = record
        # Never before what it changes: a row published again comes with all its modifications.
        day = modified_on(change)
        time = max(time, start_of_day(day, zone)) if day else time
        yield Imported(
            line,
            make_event(
                context,
                Kind.CALL,
                Action.UPDATED,
                subject=subject,
                time=time,
                data=record | {"reason": "amendment"},
                sequence=sequence,
            ),
        )
