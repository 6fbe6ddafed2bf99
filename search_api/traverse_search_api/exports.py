"""A whole search as a file: CSV, XLSX, GeoJSON, iCalendar, RSS, Atom, NDJSON.

Documents come from one point in time of the index, page after page, so that an export of any
length neither repeats nor misses anything and holds one page in memory. What people open in a
spreadsheet has French headers, and no cell that a spreadsheet would compute.
"""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from tempfile import TemporaryFile
from typing import Any, Final, NamedTuple

import orjson
from feedgen.feed import FeedGenerator
from icalendar import Calendar, Event
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Item = dict[str, Any]
Items = AsyncIterator[Sequence[Item]]
"""Items of the answer (`items.item_of`, with `url`), a page at a time."""


class Form(StrEnum):
    """What a search can be had as: the end of its address."""

    CSV = "csv"
    XLSX = "xlsx"
    GEOJSON = "geojson"
    ICS = "ics"
    RSS = "rss"
    ATOM = "atom"
    NDJSON = "ndjson"


MEDIA_TYPES: Final = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.GEOJSON: "application/geo+json",
    Form.ICS: "text/calendar; charset=utf-8",
    Form.RSS: "application/rss+xml; charset=utf-8",
    Form.ATOM: "application/atom+xml; charset=utf-8",
    Form.NDJSON: "application/x-ndjson",
}
FEED_LENGTH: Final = 100
"""A feed shows the last ones; it is no archive."""
_SHEET_ROWS: Final = 1_048_575  # of an XLSX sheet, without its header
_CHUNK: Final = 64 * 1024
# OWASP, CSV Injection: what a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = re.compile(r"^[\s]*[=+\-@\t\r]")
_LONGEST_CELL: Final = 32_767  # characters that a spreadsheet takes in a cell


class Column(NamedTuple):
    """A column of a table: its French header, and what it shows of an item."""

    header: str
    value: Callable[[Item], Any]


def _owner(item: Item, field: str) -> str:
    owners = [one for one in item["institutions"] if one.get("role") == "owner"]
    return str((owners or item["institutions"] or [{}])[0].get(field, ""))


COLUMNS: Final = (
    Column("Identifiant", lambda item: item["id"]),
    Column("Type", lambda item: item["kind_label"]),
    Column("Titre", lambda item: item["title"]),
    Column("Statut", lambda item: item["status_label"]),
    Column("Institution", lambda item: _owner(item, "name")),
    Column("SIREN", lambda item: _owner(item, "siren")),
    Column("Territoire", lambda item: (item.get("territory") or {}).get("name", "")),
    Column("Code du territoire", lambda item: (item.get("territory") or {}).get("code", "")),
    Column("Thèmes", lambda item: ", ".join(item.get("theme_labels", ()))),
    Column("CPV", lambda item: ", ".join(item.get("cpv", ()))),
    Column("Montant (€)", lambda item: item.get("amount")),
    Column("Échéance", lambda item: (item.get("deadline") or {}).get("until", "")),
    Column("Publié le", lambda item: item["published_at"][:10]),
    Column("Mis à jour le", lambda item: item["updated_at"][:10]),
    Column("Résumé", lambda item: item.get("summary", "")),
    Column("Adresse", lambda item: item["sources"][0].get("url", "")),
    Column("Source", lambda item: item["sources"][0]["source"]),
    Column("Référence", lambda item: item["sources"][0]["subject"]),
)


def harmless(value: Any) -> Any:
    """A cell's value; a text that a spreadsheet would compute gets an apostrophe in front."""
    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub(" ", value)[: _LONGEST_CELL - 1]
    return f"'{text}" if _FORMULA.match(text) else text


def export(form: Form, items: Items, *, address: str, now: datetime) -> AsyncIterator[bytes]:
    """The file in pieces. `address` is that of the search, `now` an aware instant."""
    match form:
        case Form.CSV:
            return _csv(items)
        case Form.XLSX:
            return _xlsx(items)
        case Form.GEOJSON:
            return _geojson(items)
        case Form.ICS:
            return _ics(items, now)
        case Form.NDJSON:
            return _ndjson(items)
        case _:
            return _feed(form, items, address, now)


async def _csv(items: Items) -> AsyncIterator[bytes]:
    """With `;`, decimal commas and a byte order mark: what a French spreadsheet opens at once."""
    yield "\ufeff".encode() + _csv_lines([[column.header for column in COLUMNS]])
    async for page in items:
        yield _csv_lines([[_csv_cell(column.value(item)) for column in COLUMNS] for item in page])


def _csv_cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.2f}".replace(".", ",")
    return harmless(value)


def _csv_lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


async def _xlsx(items: Items) -> AsyncIterator[bytes]:
    """Rows go to a file on disk as they come; the archive is sent when it is whole.

    In a thread: writing one takes long enough to hold up everybody else's searches.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Traverse")
    sheet.append([column.header for column in COLUMNS])
    rows = 0
    async for page in items:
        await asyncio.to_thread(_append, sheet, page[: _SHEET_ROWS - rows])
        rows += len(page)
        if rows >= _SHEET_ROWS:
            break
    with TemporaryFile() as file:
        await asyncio.to_thread(book.save, file)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _append(sheet: Any, page: Sequence[Item]) -> None:
    for item in page:
        sheet.append([harmless(column.value(item)) for column in COLUMNS])


async def _geojson(items: Items) -> AsyncIterator[bytes]:
    """RFC 7946; what has no point has a null geometry."""
    yield b'{"type":"FeatureCollection","features":['
    first = True
    async for page in items:
        for item in page:
            yield (b"" if first else b",") + orjson.dumps(_feature(item))
            first = False
    yield b"]}"


def _feature(item: Item) -> Item:
    point = item.get("location")
    return {
        "type": "Feature",
        "id": item["id"],
        "geometry": {"type": "Point", "coordinates": [point["lon"], point["lat"]]}
        if point
        else None,
        "properties": {
            name: value
            for name, value in item.items()
            if name not in ("id", "location", "highlights", "links")
        },
    }


async def _ndjson(items: Items) -> AsyncIterator[bytes]:
    async for page in items:
        yield b"".join(orjson.dumps(item) + b"\n" for item in page)


async def _ics(items: Items, now: datetime) -> AsyncIterator[bytes]:
    """RFC 5545: an event for each deadline to answer by."""
    calendar = Calendar()
    calendar.add("prodid", "-//Traverse//recherche//FR")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Traverse : échéances")
    head, _, tail = calendar.to_ical().rpartition(b"END:VCALENDAR")
    yield head
    async for page in items:
        yield b"".join(_event(item, now) for item in page if item.get("deadline"))
    yield b"END:VCALENDAR" + tail


def _event(item: Item, now: datetime) -> bytes:
    deadline = item["deadline"]
    until = datetime.fromisoformat(deadline["until"]).astimezone(UTC)
    event = Event()
    event.add("uid", f"{item['id']}@traverse")
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    event.add("summary", _one_line(f"Échéance : {item['title']}"))
    if deadline.get("precision") == "day":
        # `until` is the first instant of the next day, wherever the buyer is.
        last = until - timedelta(seconds=1)
        event.add("dtstart", last.date())
        event.add("description", "Heure à vérifier auprès de l’acheteur.")
    else:
        event.add("dtstart", until.replace(microsecond=0))
        event.add("description", _one_line(item.get("summary", "")))
    url = item["sources"][0].get("url")
    if url:
        event.add("url", url)
    return bytes(event.to_ical())


def _one_line(text: str) -> str:
    return " ".join(ILLEGAL_CHARACTERS_RE.sub(" ", text).split())


async def _feed(form: Form, items: Items, address: str, now: datetime) -> AsyncIterator[bytes]:
    """RSS 2.0 or Atom (RFC 4287) of the last ones."""
    feed = FeedGenerator()
    feed.id(address)
    feed.title("Traverse : recherche")
    feed.description("Les publications qui répondent à cette recherche.")
    feed.link(href=address, rel="self")
    feed.language("fr")
    feed.updated(now)
    shown = 0
    async for page in items:
        for item in page[: FEED_LENGTH - shown]:
            _add_entry(feed, item, address)
        shown += len(page)
        if shown >= FEED_LENGTH:
            break
    yield feed.rss_str() if form is Form.RSS else feed.atom_str()


def _add_entry(feed: Any, item: Item, address: str) -> None:
    entry = feed.add_entry(order="append")
    link = item["sources"][0].get("url") or f"{address.partition('/v1/')[0]}/fiche/{item['id']}"
    entry.id(f"urn:traverse:{item['id']}")
    entry.title(_one_line(item["title"]))
    entry.link(href=ILLEGAL_CHARACTERS_RE.sub("", link))
    entry.description(_one_line(item.get("summary", "")) or _one_line(item["title"]))
    entry.published(item["published_at"])
    entry.updated(item["updated_at"])
