"""« Ce qui a changé » says each version in words."""

from typing import Any

import pytest

from tests.documents import document
from tests.search_api.accounts.people import house, words_of
from traverse_schemas.reference.territories import Territories
from traverse_search_api.history.accepted_log import Kept
from traverse_search_api.history.versions import versions
from traverse_search_api.pages import changes_routes
from traverse_search_api.pages.changes_view import VersionView, changes_view
from traverse_search_api.search import Searcher

CALL = {
    "title": "Voirie",
    "subtype": "contract",
    "place": ["com:13055"],
    "deadlines": [{"at": "2026-03-12T12:00"}, {"kind": "question", "at": "2026-03-02"}],
    "amounts": [{"kind": "estimate", "value": 100000}],
    "description": "Enrobés.",
}


def told(
    *said: dict[str, Any], action: str = "updated", complete: bool = True
) -> list[VersionView]:
    kept = [
        (
            Kept(
                {
                    "type": f"fr.traverse.call.{action if at else 'published'}.v1",
                    "time": f"2026-02-0{at + 1}T08:00:00Z",
                    "source": "urn:siren:211300553",
                    "subject": "V1",
                    "data": data,
                },
                {},
            ),
            "public",
        )
        for at, data in enumerate(said)
    ]
    items = [one | {"by": "Ville de Marseille"} for one in reversed(versions(kept))]
    found = changes_view({"items": items, "complete": complete}, Territories.load())
    return [
        VersionView(one.heading.replace("\u00a0", " "), [_plain(line) for line in one.lines])
        for one in found
    ]


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_deadline_and_an_amount_that_moved_are_told_with_what_they_were() -> None:
    moved = CALL | {
        "deadlines": [{"at": "2026-03-20T12:00"}],
        "amounts": [{"kind": "estimate", "value": 120000}],
        "description": "Enrobés et trottoirs.",
        "contact": {"email": "voirie@marseille.example"},
    }
    last, first = told(CALL, moved)
    assert last.heading == "Mis à jour le 2 février 2026 par Ville de Marseille"
    assert last.lines == [
        "Montant estimé : 120 000 €, au lieu de : 100 000 €",
        "Remise des offres : vendredi 20 mars 2026 à 12 h, au lieu de : jeudi 12 mars 2026 à 12 h",
        "Questions : non précisé, au lieu de : lundi 2 mars 2026 (heure à vérifier)",
        "Modifié aussi : le contact, la description",
    ]
    assert first == VersionView("Publié le 1er février 2026 par Ville de Marseille", [])


def test_how_it_ended_is_told() -> None:
    ended = {"outcome": "awarded", "on": "2026-02-02", "amount": {"value": 90000}}
    last, _ = told(CALL, ended, action="closed")
    assert last.heading == "Clos le 2 février 2026 par Ville de Marseille"
    assert "Issue : Attribué" in last.lines
    assert "Clos le : 2 février 2026" in last.lines


def test_every_other_field_has_words() -> None:
    changed = CALL | {
        "title": "Voirie du centre",
        "visibility": "members",
        "place": ["com:13005"],
        "window": {"from": "2026-03-01"},
        "duration_months": 12,
        "licence": "fr-lo",
    }
    last, _ = told(CALL, changed)
    assert last.lines == [
        "Durée : 12 mois",
        "Lieu : Aubagne, au lieu de : Marseille",
        "Intitulé : « Voirie du centre », au lieu de : « Voirie »",
        "Visibilité : Institutions membres",
        "Période : à partir du 1er mars 2026",
        "Modifié aussi : d’autres précisions",
    ]


@pytest.mark.parametrize(("complete", "lines"), [(True, ["Rien n’a changé depuis."]), (False, [])])
def test_of_the_only_version_it_is_said_that_nothing_changed_since(
    complete: bool, lines: list[str]
) -> None:
    """Unless others may be there that are not shown."""
    (only,) = told({"title": "Voirie"}, complete=complete)
    assert only.lines == lines


def test_versions_of_one_day_and_of_several_records_are_told_apart() -> None:
    """By the hour in France, and by the references; by its number, who has no name here."""
    version = {
        "action_label": "Mis à jour",
        "at": "2026-02-02T13:30:00Z",
        "by": "Ville de Marseille",
        "source": "urn:siren:211300553",
        "subject": "V1",
        "changes": [],
    }
    relayed = {"source": "urn:siren:181300013:boamp", "subject": "26-1", "by": None}
    told = changes_view(
        {
            "items": [version, version | relayed | {"at": "2026-02-02T08:00:00Z"}],
            "complete": True,
        },
        Territories.load(),
    )
    assert [_plain(one.heading) for one in told] == [
        "Mis à jour le 2 février 2026 à 14 h 30 par Ville de Marseille (référence V1)",
        "Mis à jour le 2 février 2026 à 9 h par l’institution 181300013 (référence 26-1)",
    ]
    assert told[0].lines == ["Rien n’y change."]


def test_the_page_tells_the_versions_escaped_and_leads_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = document("V1", "<b>Voirie</b>")

    async def found(*_: object) -> dict[str, Any]:
        return held

    async def history(*_: object) -> dict[str, Any]:
        change = {"field": "title", "before": "Voirie", "after": "<b>Voirie</b>"}
        version = {
            "action_label": "Mis à jour",
            "at": "2026-02-02T08:00:00Z",
            "by": "Ville de Marseille",
            "source": "urn:siren:211300553",
            "subject": "V1",
            "changes": [change],
        }
        return {"id": held["id"], "items": [version], "complete": False}

    monkeypatch.setattr(Searcher, "document", found)
    monkeypatch.setattr(changes_routes, "history_of", history)
    with house() as made:
        page = made.visitor().get(f"/fiche/{held['id']}/changements")
    assert page.status_code == 200
    assert "par Ville de Marseille</h2>" in page.text
    assert "Intitulé : « &lt;b&gt;Voirie&lt;/b&gt; », au lieu de : « Voirie »" in words_of(page)
    assert "<b>" not in page.text
    assert f'href="/fiche/{held["id"]}"' in page.text
    assert "plus anciennes ne sont pas montrées" in page.text
