"""A whole search as a file: CSV, XLSX, GeoJSON, iCalendar, RSS, Atom, NDJSON.

Documents come from one point in time of the index, page after page, so that an export of any
length neither repeats nor misses anything and holds one page in memory.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson
from feedgen.feed import FeedGenerator
from icalendar import Event

from traverse_search_api.deadlines import KIND_LABELS, deadline_text, is_bare, is_same, local_end
from traverse_search_api.exports.calendar_object import calendar_object
from traverse_search_api.exports.tables import (
    csv_pieces,
    owner_of,
    page_of,
    source_of,
    valid_text,
)
from traverse_search_api.exports.workbook import xlsx_pieces

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
FEED_FORMS: Final = (Form.RSS, Form.ATOM)
"""What is followed by a reader of feeds: short, and asked for again and again."""
FEED_LENGTH: Final = 100
"""A feed shows the last ones; it is no archive."""


def export(form: Form, items: Items, *, address: str, now: datetime) -> AsyncGenerator[bytes, None]:
    """The file in pieces. `address` is that of the search, as anybody reaches it; `now` an aware
    instant."""
    site = address.partition("/v1/")[0]
    match form:
        case Form.CSV:
            return csv_pieces(items, site)
        case Form.XLSX:
            return xlsx_pieces(items, site)
        case Form.GEOJSON:
            return _geojson(items)
        case Form.ICS:
            return _ics(items, site)
        case Form.NDJSON:
            return _ndjson(items)
        case _:
            return _feed(form, items, address, site, now)


async def _geojson(items: Items) -> AsyncGenerator[bytes, None]:
    """RFC 7946; what has no point has a null geometry."""
    yield b'{"type":"FeatureCollection","features":['
    between = b""
    async for page in items:
        yield between + b",".join(orjson.dumps(_feature(item)) for item in page)
        between = b","
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


async def _ndjson(items: Items) -> AsyncGenerator[bytes, None]:
    async for page in items:
        yield b"".join(orjson.dumps(item) + b"\n" for item in page)


async def _ics(items: Items, site: str) -> AsyncGenerator[bytes, None]:
    """RFC 5545: an event for each deadline; those that are not the last to answer by say what
    for."""
    calendar = calendar_object("recherche", "Traverse : échéances")
    head, _, tail = calendar.to_ical().rpartition(b"END:VCALENDAR")
    yield head
    async for page in items:
        # In a thread: a page of events takes long enough to hold up everybody else's searches.
        yield await asyncio.to_thread(_page_of_events, page, site)
    yield b"END:VCALENDAR" + tail


def _page_of_events(page: Sequence[Item], site: str) -> bytes:
    return b"".join(event for item in page for event in _events(item, site))


def _events(item: Item, site: str) -> Iterator[bytes]:
    """One for each deadline. The id of an event is that of its kind, so that one that moves is the
    same event; its `DTSTAMP` is when what it tells was last changed (3.8.7.2)."""
    last, met = item.get("deadline"), Counter[str]()
    changed = datetime.fromisoformat(item["updated_at"]).astimezone(UTC).replace(microsecond=0)
    for one in item.get("deadlines") or ([last] if last else []):
        kind = one["kind"]
        if last and is_same(one, last):
            event = _event(item, one, item["id"], "Échéance")
        else:
            met[kind] += 1
            label = KIND_LABELS.get(kind, "Échéance")
            event = _event(item, one, f"{item['id']}-{kind}-{met[kind]}", label)
        event.add("dtstamp", changed)
        event.add("url", _link(item, site))
        yield bytes(event.to_ical())


def _event(item: Item, deadline: Item, name: str, label: str) -> Event:
    until = local_end(deadline)
    event = Event()
    event.add("uid", f"{name}@traverse")
    event.add("summary", _one_line(f"{label} : {item['title']}"))
    if is_bare(deadline):
        event.add("dtstart", until.date())
        event.add("description", f"Heure à vérifier auprès de l’acheteur. {_described(item)}")
    else:
        event.add("dtstart", until.astimezone(UTC).replace(microsecond=0))
        event.add("description", _described(item))
    return event


def _link(item: Item, site: str) -> str:
    """Where it is to be read: with who says it, else here."""
    return valid_text(source_of(item).get("url") or page_of(item, site), "")


def _described(item: Item) -> str:
    """Whose it is, until when it is answered, and how it begins."""
    deadline = item.get("deadline")
    parts = (
        owner_of(item).get("name", ""),
        f"échéance : {deadline_text(deadline)}" if deadline else "",
        item.get("summary", ""),
    )
    return _one_line(" · ".join(part for part in parts if part))


def _one_line(text: str) -> str:
    return " ".join(valid_text(text).split())


async def _feed(
    form: Form, items: Items, address: str, site: str, now: datetime
) -> AsyncGenerator[bytes, None]:
    """RSS 2.0 or Atom (RFC 4287) of the last ones."""
    feed = FeedGenerator()
    feed.id(address)
    query = urlsplit(address).query
    words = _one_line(" ".join(parse_qs(query).get("q", ())))
    feed.title(f"Traverse : {words or 'recherche'}")
    feed.description("Les publications qui répondent à cette recherche.")
    feed.link(href=address, rel="self")
    # The last one is the address of an RSS channel: that of the same search, for people.
    feed.link(href=f"{site}/?{query}", rel="alternate")
    feed.language("fr")
    shown: list[Item] = []
    async for page in items:
        shown += page[: FEED_LENGTH - len(shown)]
        if len(shown) >= FEED_LENGTH:
            break
    for item in shown:
        _add_entry(feed, item, site)
    # When what it holds last changed: a feed that says nothing new is the same, octet by octet.
    feed.updated(max((item["updated_at"] for item in shown), default=f"{now:%Y-%m-%dT00:00:00Z}"))
    yield feed.rss_str() if form is Form.RSS else feed.atom_str()


def _add_entry(feed: Any, item: Item, site: str) -> None:
    entry = feed.add_entry(order="append")
    entry.id(f"urn:traverse:{item['id']}")
    entry.title(_one_line(item["title"]))
    # RFC 4287, 4.1.1: an entry without an author is none.
    entry.author(name=_one_line(owner_of(item).get("name", "")) or "Traverse")
    entry.link(href=_link(item, site))
    entry.description(_described(item) or _one_line(item["title"]))
    entry.published(item["published_at"])
    entry.updated(item["updated_at"])
