"""The page of one opportunity, without a server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.documents import deadline, document
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import detail_of
from traverse_search_api.pages.record_view import RecordView, record_view

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
