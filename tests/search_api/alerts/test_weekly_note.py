"""The committee's note as an e-mail says what its page says, figure by figure."""

from datetime import UTC, date, datetime
from email.message import EmailMessage

import pytest
from fastapi import Request
from lxml import html

from tests.search_api.alerts.household import subscription
from tests.search_api.pages.notes import SCOPE, TERRITORIES, found, need
from traverse_search_api.alerts.weekly_note import Letter, note_email
from traverse_search_api.pages.note.lists import Line
from traverse_search_api.pages.note.view import Cell, Figure, NoteView, Row, note_view
from traverse_search_api.pages.note.week import Week
from traverse_search_api.pages.render import Renderer

WEEK = Week(date(2026, 3, 2))
NOW = datetime(2026, 3, 9, 7, 30, tzinfo=UTC)


def figure(name: str) -> Figure:
    return Figure(f"libellé {name}", f"valeur {name}", f"/{name}")


def row(name: str, cells: int) -> Row:
    numbers = [Cell(f"nombre {name}{each}", f"/{name}{each}") for each in range(cells)]
    return Row(f"ligne {name}", numbers, f"mot {name}")


def line(name: str) -> Line:
    return Line(f"titre {name} <b>", f"/{name}", f"faits {name}", f"raisons {name}")


VIEW = NoteView(
    figures=[figure("chiffre")],
    themes=[row("thème", 2)],
    places=[row("lieu", 1)],
    pains=[line("douleur")],
    more_pains="12",
    pains_address="/douleurs",
    endings=[figure("fin")],
    answered=[line("réponse")],
    grouped=[line("groupement")],
    missing="rien ne manque",
    grew=[row("grandi", 2)],
    weeks=[row("semaine", 1)._replace(word="")],
    coming=[line("clôture")],
    cut="pas tout",
)


def email_of(view: NoteView) -> EmailMessage:
    return note_email(
        subscription(note=True), Letter(view, WEEK, "com:13055", "Marseille (13)"),
        to="lea@marseille.example", sender="alertes@traverse.example", delivery="a.2026-W10",
        address="https://traverse.example", now=NOW,
    )  # fmt: skip


def words_of(element: html.HtmlElement) -> str:
    return "".join(element.itertext())


def parts_of(message: EmailMessage) -> tuple[str, str]:
    """Its text; and what is read of its HTML."""
    text, shown = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None and shown is not None
    return text.get_content(), words_of(html.document_fromstring(shown.get_content()))


def test_whatever_the_page_says_the_e_mail_says() -> None:
    scope = {"type": "http", "path": "/note", "query_string": b"", "headers": []}
    page = Renderer().page(
        Request(scope), "note.html", typed="Marseille", choices=[], place="Marseille (13)",
        week=WEEK, weeks=[], under_way=False, before="/avant", after="/apres", as_of="",
        code="com:13055", day="9 mars 2026", view=VIEW,
    )  # fmt: skip
    shown = html.document_fromstring(bytes(page.body).decode())
    words = [
        *(words_of(each) for each in shown.cssselect("dl.figures dt, dl.figures dd")),
        *(words_of(each) for each in shown.cssselect("tbody th, tbody td")),
        *(words_of(each) for each in shown.cssselect(".cards h3, .notice")),
        "faits groupement", "raisons groupement", "valeur fin", "Et 12 de plus",
    ]  # fmt: skip
    assert len(words) == 25
    for said in parts_of(email_of(VIEW)):
        plain = said.lower()
        for word in words:
            assert word.strip().lower() in plain, word
    # And leads where the page leads.
    body = email_of(VIEW).get_body(("html",))
    assert body is not None
    led = {each.get("href") for each in html.document_fromstring(body.get_content()).iter("a")}
    for address in ("chiffre", "lieu0", "douleurs", "groupement", "semaine0", "clôture"):
        assert f"https://traverse.example/{address}" in led


@pytest.mark.parametrize("known", [True, False])
def test_groupings_that_could_not_be_read_are_said_to_be_missing(known: bool) -> None:
    view = note_view(found(need("a"), groupings=[] if known else None), SCOPE, TERRITORIES)
    for said in parts_of(email_of(view)):
        assert ("Les groupements n’ont pas pu être lus" in said) is not known
        assert ("Groupements qui ont avancé : 0" in said) is known
