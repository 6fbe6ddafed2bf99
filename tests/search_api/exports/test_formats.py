"""A search as a file: what each form holds, and what no spreadsheet may compute."""

import asyncio
import csv
import io
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from lxml import etree
from openpyxl import load_workbook

from tests.documents import deadline, document
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import item_of
from traverse_search_api.exports.formats import FEED_LENGTH, Form, export
from traverse_search_api.exports.tables import COLUMNS, harmless

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


def items(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    return [item_of({"_source": one}, NOW, ANYBODY) for one in documents]


ITEMS = items(
    document("a", "Réfection; de la voirie", amount=1234.5,
             deadline=deadline("2026-03-20T11:00:00.000Z")),
    document("b", '=HYPERLINK("http://x";"y")', deadline=deadline("2026-03-14T23:00:00Z", "day")),
    document("c", "Sans échéance & sans <point>", location=None),
)  # fmt: skip


def exported(form: Form, found: list[dict[str, Any]], page: int = 2) -> bytes:
    async def pages() -> AsyncIterator[Sequence[dict[str, Any]]]:
        for start in range(0, len(found), page):
            yield found[start : start + page]

    async def whole() -> bytes:
        address = "http://127.0.0.1:8000/v1/opportunities?q=x"
        return b"".join([piece async for piece in export(form, pages(), address=address, now=NOW)])

    return asyncio.run(whole())


def test_a_csv_opens_in_a_french_spreadsheet() -> None:
    """Byte order mark, semicolons, decimal commas, French headers; no formula."""
    text = exported(Form.CSV, ITEMS).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["Identifiant"] for row in rows] == [one["id"] for one in ITEMS]
    assert rows[0]["Titre"] == "Réfection; de la voirie"
    assert rows[0]["Montant (€)"] == "1234,50"
    assert rows[1]["Titre"].startswith("'=")
    assert rows[0]["Statut"] == "Ouvert"


MARTINIQUE = deadline("2026-03-15T04:00:00Z", "day") | {"zone": "America/Martinique"}
REUNION = deadline("2026-07-01T08:00:00Z") | {"zone": "Indian/Reunion"}
"""Until the end of 14 March where the buyer is; at noon there."""


def test_a_deadline_is_told_as_the_buyer_tells_it() -> None:
    """The day and the hour of the buyer's own clock, wherever that is; a bare day is that day."""
    summer = deadline("2026-07-01T10:00:00Z")
    found = items(
        document("west", "O", deadline=MARTINIQUE),
        document("east", "E", deadline=REUNION),
        document("summer", "S", deadline=summer),
        document("never", "N"),
    )
    told = [
        ("2026-03-14", "à vérifier"), ("2026-07-01", "12:00"), ("2026-07-01", "12:00"), ("", ""),
    ]  # fmt: skip
    text = exported(Form.CSV, found).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [(row["Échéance"], row["Heure de l’échéance"]) for row in rows] == told
    sheet = load_workbook(io.BytesIO(exported(Form.XLSX, found)))["Traverse"]
    cells = [
        (f"{row[11]:%Y-%m-%d}" if row[11] else "", row[12] or "")
        for row in sheet.iter_rows(min_row=2, values_only=True)
    ]
    assert cells == told
    events = Calendar.from_ical(exported(Form.ICS, found)).walk("VEVENT")
    assert [one.decoded("dtstart") for one in events] == [
        date(2026, 3, 14),
        datetime(2026, 7, 1, 8, tzinfo=UTC),
        datetime(2026, 7, 1, 10, tzinfo=UTC),
    ]


@pytest.mark.parametrize("form", [Form.XLSX, Form.RSS, Form.ATOM, Form.ICS, Form.CSV])
def test_no_character_breaks_a_file(form: Form) -> None:
    """One record would break the file of every search that it is in (XML 1.0, 2.2)."""
    odd = "Voirie\x00\x0b\ufffe\uffff\ud800 du bourg"
    url = "https://exemple.fr/\uffff"
    source = {"source": "urn:siren:211300553", "subject": "odd", "url": url}
    found = items(document("odd", odd, description=odd, sources=[source]))
    assert exported(form, found)


def test_a_workbook_is_sent_while_it_is_read_and_kept_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A proxy cuts off who waits for an octet; who leaves again and again would fill the disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    asked = []

    async def pages() -> AsyncIterator[Sequence[dict[str, Any]]]:
        for page in range(20):
            asked.append(page)
            yield [one | {"id": f"{page}-{at}"} for at, one in enumerate(ITEMS * 100)]

    async def taken() -> None:
        pieces = export(Form.XLSX, pages(), address="", now=NOW)
        assert (await anext(pieces)).startswith(b"PK")
        assert not asked
        sizes = [len(await anext(pieces)) for _ in range(10)]
        assert len(asked) == 10
        assert sum(sizes[:2]) > 1000
        assert max(sizes) < 100_000
        await pieces.aclose()

    asyncio.run(taken())
    assert not [*tmp_path.iterdir()]
    exported(Form.XLSX, ITEMS)
    assert not [*tmp_path.iterdir()]


def test_a_workbook_is_whole_for_who_checks_it() -> None:
    """Its parts, each once, with the checksums of the archive; nothing is empty about no result."""
    for found in ([], ITEMS):
        with ZipFile(io.BytesIO(exported(Form.XLSX, found))) as archive:
            assert archive.testzip() is None
            names = archive.namelist()
            assert len(names) == len(set(names))
            assert {"[Content_Types].xml", "xl/workbook.xml", "xl/styles.xml"} <= set(names)
        sheet = load_workbook(io.BytesIO(exported(Form.XLSX, found)))["Traverse"]
        assert [cell.value for cell in sheet[1]] == [column.header for column in COLUMNS]
        assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:T{len(found) + 1}")


def test_an_xlsx_holds_the_same_without_formulas() -> None:
    book = load_workbook(io.BytesIO(exported(Form.XLSX, ITEMS)))
    rows = list(book["Traverse"].iter_rows())
    assert [cell.value for cell in rows[0]] == [column.header for column in COLUMNS]
    assert len(rows) == 4
    assert not [cell for row in rows for cell in row if cell.data_type == "f"]
    assert rows[1][10].value == 1234.5
    assert rows[1][10].number_format == "#,##0.00"
    assert rows[1][11].value.date() == date(2026, 3, 20)
    assert {rows[1][at].number_format for at in (11, 13, 14)} == {"dd/mm/yyyy"}
    assert rows[1][19].value == f"http://127.0.0.1:8000/fiche/{ITEMS[0]['id']}"


def test_a_publication_late_in_the_evening_is_of_the_day_in_france() -> None:
    found = items(document("d", "Nuit", published_at="2026-03-01T23:30:00.000000Z"))
    rows = list(csv.DictReader(io.StringIO(exported(Form.CSV, found).decode("utf-8-sig")),
                               delimiter=";"))  # fmt: skip
    assert rows[0]["Publié le"] == "2026-03-02"


@given(st.text(max_size=80))
def test_no_cell_begins_a_formula(text: str) -> None:
    """Whatever a publisher wrote (OWASP, CSV Injection), and no character that XLSX refuses."""
    shown = harmless(text)
    assert not shown.lstrip().startswith(
        ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    )
    exported(Form.XLSX, items(document("x", text or "x")))


def test_geojson_has_a_feature_for_each() -> None:
    """RFC 7946: longitude first, and null where nothing says where."""
    found = json.loads(exported(Form.GEOJSON, ITEMS))
    assert [one["id"] for one in found["features"]] == [one["id"] for one in ITEMS]
    lon, lat = found["features"][0]["geometry"]["coordinates"]
    assert (round(lon), round(lat)) == (5, 43)
    assert found["features"][2]["geometry"] is None
    assert json.loads(exported(Form.GEOJSON, [])) == {"type": "FeatureCollection", "features": []}


def test_a_calendar_has_the_deadlines() -> None:
    """An instant where the hour is known, a whole day where it is not."""
    events = list(Calendar.from_ical(exported(Form.ICS, ITEMS)).walk("VEVENT"))
    assert [str(one["summary"])[:9] for one in events] == ["Échéance ", "Échéance "]
    assert events[0].decoded("dtstart") == datetime(2026, 3, 20, 11, tzinfo=UTC)
    assert str(events[1].decoded("dtstart")) == "2026-03-14"


def said(source: str, subject: str, url: str | None = None) -> dict[str, Any]:
    at = "2026-03-01T08:00:00.000000Z"
    told = {"source": f"urn:siren:{source}", "subject": subject, "updated_at": at}
    return told | ({"url": url} if url else {})


OWNER, RELAY = "211300553", "775665011"


@pytest.mark.parametrize(
    ("sources", "address"),
    [
        ([said(RELAY, "r", "https://relais.fr/r"), said(OWNER, "o", "https://ville.fr/o")],
         "https://ville.fr/o"),
        ([said(RELAY, "r", "https://relais.fr/r"), said(f"{OWNER}:profil", "o", "https://ville.fr/p")],
         "https://ville.fr/p"),
        ([said(RELAY, "r"), said(OWNER, "o"), said(RELAY, "s", "https://relais.fr/s")],
         "https://relais.fr/s"),
    ],
)  # fmt: skip
def test_an_item_leads_to_its_owner_s_page_then_to_a_relay_s(
    sources: list[dict[str, Any]], address: str
) -> None:
    """Whoever said it first: in tables, feeds and calendars alike, with who says it there."""
    found = items(document("x", "Voirie", sources=sources, deadline=deadline("2026-03-20T11:00Z")))
    (row,) = csv.DictReader(
        io.StringIO(exported(Form.CSV, found).decode("utf-8-sig")), delimiter=";"
    )
    assert row["Adresse"] == address
    (own,) = [one for one in sources if one.get("url") == address]
    assert (row["Source"], row["Référence"]) == (own["source"], own["subject"])
    for form in (Form.RSS, Form.ATOM, Form.ICS):
        told = exported(form, found).decode()
        assert address in told
        assert not [one for one in sources if one is not own and one.get("url", "\0") in told]


def test_a_calendar_without_a_deadline_is_one_that_programs_take() -> None:
    """RFC 5545, 3.6: at least one component; who subscribes may find a deadline tomorrow."""
    for found in ([], ITEMS[2:]):
        made = Calendar.from_ical(exported(Form.ICS, found))
        assert made.subcomponents
        assert made.walk("VEVENT") == []
        (zone,) = made.timezones
        paris = zone.to_tz(lookup_tzid=False)
        offsets = [datetime(2026, month, 1, 12, tzinfo=paris).utcoffset() for month in (1, 7)]
        assert offsets == [timedelta(hours=1), timedelta(hours=2)]


def test_a_calendar_has_each_of_several_deadlines() -> None:
    """The last to answer by keeps its name and its id; another says what it is for."""
    told = [{"kind": "question", "at": "2026-03-14"}, {"at": "2026-03-20T12:00"}]
    last = deadline("2026-03-20T11:00:00.000000Z")
    one = document("d", "École", deadline=last, deadlines=told)
    found = list(Calendar.from_ical(exported(Form.ICS, items(one))).walk("VEVENT"))
    assert [(str(event["summary"]), str(event["uid"])) for event in found] == [
        ("Questions : École", f"{one['id']}-question-1@traverse"),
        ("Échéance : École", f"{one['id']}@traverse"),
    ]


@pytest.mark.parametrize(("form", "entries"), [(Form.RSS, ".//item"), (Form.ATOM, ".//{*}entry")])
def test_a_feed_shows_the_first_ones(form: Form, entries: str) -> None:
    """Well formed whatever the titles hold, and never longer than a feed should be."""
    found = etree.fromstring(exported(form, ITEMS)).findall(entries)
    assert len(found) == 3
    assert "<point>" in (found[2].findtext("title") or found[2].findtext("{*}title") or "")
    many = items(*(document(str(n), f"Marché {n}") for n in range(FEED_LENGTH + 30)))
    assert len(etree.fromstring(exported(form, many, 40)).findall(entries)) == FEED_LENGTH


def test_an_atom_feed_is_one_by_its_standard() -> None:
    """RFC 4287, 4.1: a feed and each entry have an id, a title and a date; an entry an author."""
    feed = etree.fromstring(exported(Form.ATOM, ITEMS))
    for part in (feed, *feed.findall("{*}entry")):
        for name in ("id", "title", "updated"):
            assert len(part.findall(f"{{*}}{name}")) == 1
    authors = [one.findtext("{*}author/{*}name") for one in feed.findall("{*}entry")]
    assert authors == ["Ville de Marseille"] * 3
    ids = [one.findtext("{*}id") for one in feed.findall("{*}entry")]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("form", [Form.RSS, Form.ATOM])
def test_a_feed_says_what_it_follows_and_leads_to_the_page_of_the_search(form: Form) -> None:
    """A reader of several feeds tells them apart, and sees what it would look for first."""
    feed = etree.fromstring(exported(form, ITEMS))
    whole = feed.find("channel") if form is Form.RSS else feed
    assert whole is not None
    assert (whole.findtext("title") or whole.findtext("{*}title")) == "Traverse : x"
    links = [
        str(one.text or one.get("href"))
        for one in whole.findall("{*}link")
        if one.get("rel") != "self"
    ]
    assert links == ["http://127.0.0.1:8000/?q=x"]
    first = exported(form, ITEMS[:1]).decode()
    assert "Ville de Marseille · échéance : 20/03/2026 12:00" in first


def test_a_calendar_says_whose_deadline_it_is_and_leads_to_its_page() -> None:
    (event, bare) = Calendar.from_ical(exported(Form.ICS, ITEMS)).walk("VEVENT")
    assert str(event["description"]).startswith("Ville de Marseille · échéance : 20/03/2026 12:00")
    assert str(bare["description"]).startswith("Heure à vérifier auprès de l’acheteur. Ville de")
    assert str(event["url"]) == f"http://127.0.0.1:8000/fiche/{ITEMS[0]['id']}"


def test_ndjson_is_an_item_a_line() -> None:
    lines = exported(Form.NDJSON, ITEMS).splitlines()
    assert [json.loads(line) for line in lines] == ITEMS
