"""The page of one opportunity, without a server."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import Request
from lxml import html

from tests.documents import deadline, document
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import detail_of
from traverse_search_api.pages.record_view import RecordView, record_view
from traverse_search_api.pages.render import Renderer

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)  # eleven o'clock in Paris
ANSWERS = [
    {"kind": kind, "url": f"https://example.org/{kind}"}
    for kind in ("respond", "apply", "contact", "procedure")
]


def seen(**fields: Any) -> RecordView:
    made = document("V1", "Toiture de la halle", **fields)
    return record_view(detail_of(made, NOW, ANYBODY), NOW, Territories.load())


@pytest.mark.parametrize(
    "fields",
    [
        {"deadline": deadline("2026-03-12T10:00:00Z")},
        {"deadline": deadline("2026-04-12T10:00:00Z"), "outcome": "dropped"},
        {"deadline": deadline("2026-04-12T10:00:00Z"), "outcome": "awarded"},
        {"deadline": deadline("2026-04-12T10:00:00Z"), "outcome": "terminated"},
        {"kind": "need", "subtype": "purchase", "outcome": "met"},
        {"kind": "need", "subtype": "purchase", "deadline": deadline("2026-03-01T10:00:00Z")},
        {"kind": "project", "subtype": "project", "outcome": "abandoned"},
    ],
)
def test_nobody_is_asked_to_answer_what_is_over(fields: dict[str, Any]) -> None:
    """By its status or by its deadline; one may still write to who published it."""
    actions = seen(actions=ANSWERS, **fields).actions
    assert [one.label for one in actions] == ["Contacter", "Faire la démarche"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"deadline": deadline("2026-03-12T10:00:01Z")},
        {"kind": "need", "subtype": "purchase"},
        {"kind": "project", "subtype": "project"},
    ],
)
def test_what_is_open_or_announced_is_answered(fields: dict[str, Any]) -> None:
    labels = [one.label for one in seen(actions=ANSWERS, **fields).actions]
    assert labels == ["Répondre", "Candidater", "Contacter", "Faire la démarche"]


def test_what_changes_on_the_day_of_its_publication_is_not_told_as_updated() -> None:
    """The day in France: it was the 2nd there when it was the 1st in UTC."""
    night, morning = "2026-03-01T23:30:00Z", "2026-03-02T08:00:00Z"
    facts = dict(seen(published_at=night, updated_at=morning).facts)
    assert facts["Publié le"] == "2\u00a0mars 2026"
    assert "Mis à jour le" not in facts
    later = dict(seen(published_at=night, updated_at="2026-03-02T23:30:00Z").facts)
    assert later["Mis à jour le"] == "3\u00a0mars 2026"


def test_each_lot_says_until_when_it_is_answered() -> None:
    lots = [
        {"number": "1", "deadline": {"at": "2026-03-17T12:00"}},
        {"number": "2", "deadline": {"at": "2026-03-10", "kind": "application"}},
        {"number": "3", "deadline": {"at": "2026-03-18T12:00", "zone": "America/Cayenne"}},
        {"number": "4", "deadline": {"at": "2026-03-19", "kind": "question"}},
        {"number": "5"},
    ]
    table = seen(lots=lots).lots
    assert table.columns == ["N°", "Échéance"]
    assert [[cell.replace("\u00a0", " ") for cell in row] for row in table.rows] == [
        ["1", "mardi 17 mars 2026 à 12 h"],
        ["2", "mardi 10 mars 2026 (heure à vérifier), c’est passé"],
        ["3", "mercredi 18 mars 2026 à 12 h (heure de Cayenne)"],
        ["4", "Questions : jeudi 19 mars 2026 (heure à vérifier)"],
        ["5", ""],
    ]


def test_a_table_of_lots_has_no_column_without_anything() -> None:
    lots = [
        {"number": "1", "title": "Chaussée", "amount": {"value": 80000}},
        {
            "number": "2",
            "title": "Trottoirs",
            "holders": [{"name": "Rue SA"}],
            "outcome": "awarded",
        },
    ]
    table = seen(lots=lots).lots
    assert table.columns == ["N°", "Objet", "Montant", "Issue", "Titulaires"]
    assert table.rows[1] == ["2", "Trottoirs", "", "Attribué", "Rue SA"]
    assert seen(lots=lots[:1]).lots.columns == ["N°", "Objet", "Montant"]
    assert seen().lots.rows == []


def said_of_contact(**fields: Any) -> tuple[str, list[str]]:
    """What the page says of whom to turn to, and where its links lead."""
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    made = Renderer().page(
        Request(scope), "record.html", view=seen(**fields), correct=None, seen_by="", token=""
    )
    page = html.fromstring(bytes(made.body))
    found = [
        one
        for one in page.cssselect(".record > p")
        if (one.text or "").startswith(("Contact", "Cette publication"))
    ]
    text = " ".join("".join(map(str, one.itertext())) for one in found).replace("\u00a0", " ")
    return text, [str(link.get("href")) for one in found for link in one.cssselect("a")]


@pytest.mark.parametrize(
    ("contact", "text", "links"),
    [
        (
            {"name": "Service des marchés", "email": "m@exemple.fr", "phone": "+33 4 91 00 00 00"},
            "Contact : Service des marchés, m@exemple.fr, +33 4 91 00 00 00",
            ["mailto:m@exemple.fr", "tel:+33491000000"],
        ),
        ({"email": "m@exemple.fr"}, "Contact : m@exemple.fr", ["mailto:m@exemple.fr"]),
        ({"name": "Accueil"}, "Contact : Accueil", []),
        # What is an address alone: nothing else is asked of a mail program.
        ({"email": "m@x?cc=y"}, "Contact : m@x?cc=y", ["mailto:m@x%3Fcc%3Dy"]),
    ],
)
def test_the_contact_that_was_published_is_there_to_write_to_and_to_call(
    contact: dict[str, str], text: str, links: list[str]
) -> None:
    assert said_of_contact(contact=contact) == (text, links)


NEED: dict[str, Any] = {"kind": "need", "subtype": "purchase"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (NEED, True),
        ({"kind": "project", "subtype": "project"}, False),
        ({**NEED, "outcome": "met"}, False),
        ({**NEED, "url": "https://example.org/besoin"}, False),
        ({**NEED, "actions": ANSWERS[:1]}, False),
    ],
)
def test_who_could_answer_is_told_to_whom_to_turn_where_nothing_else_says_it(
    fields: dict[str, Any], told: bool
) -> None:
    text, _ = said_of_contact(**fields)
    sentence = "Cette publication ne dit pas à qui répondre : adressez-vous à Ville de Marseille."
    assert text == (sentence if told else "")
