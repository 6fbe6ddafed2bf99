"""What the note of a week makes of what was read, without a server."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import Request

from tests.documents import SOURCE, deadline, document
from tests.search_api.pages.notes import SCOPE, TERRITORIES, WEEK, found, need
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import item_of
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.pages.note.lists import answered_needs, listed, painful, reasons
from traverse_search_api.pages.note.view import Cell, Figure, note_view
from traverse_search_api.pages.note.week import Week
from traverse_search_api.pages.search_parameters import search_parameters

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "code", "label"),
    [
        ("", "2026-W10", "du 2 au 8 mars 2026"),
        ("2026-w09", "2026-W09", "du 23 février au 1er mars 2026"),
        ("2026W1", "2026-W01", "du 29 décembre 2025 au 4 janvier 2026"),
        ("2026-W11", "2026-W11", "du 9 au 15 mars 2026"),
    ],
)
def test_a_week_is_read_as_people_write_it(text: str, code: str, label: str) -> None:
    week = Week.read(text, NOW)
    assert (week.code, week.label.replace("\u00a0", " ")) == (code, label)


@pytest.mark.parametrize("text", ["2026-W12", "2026-W54", "1999-W01", "mars", "9999-W01", "<b>"])
def test_a_week_that_is_none_or_to_come_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError):
        Week.read(text, NOW)


def test_a_week_begins_and_ends_by_french_days() -> None:
    # Half an hour into Monday in Paris, Sunday still in UTC.
    assert Week.last_whole(datetime(2026, 3, 8, 23, 30, tzinfo=UTC)) == WEEK
    assert Week.last_whole(datetime(2026, 3, 8, 22, 30, tzinfo=UTC)) == WEEK.before(1)
    assert WEEK.end == datetime(2026, 3, 8, 23, tzinfo=UTC)


def test_what_hurts_is_late_shared_or_waits_for_long() -> None:
    other = {"source": "urn:siren:181300013", "subject": "x", "updated_at": "2026-03-01"}
    same = {"source": f"{SOURCE}:old", "subject": "x", "updated_at": "2026-03-01"}
    mine = {"source": SOURCE, "subject": "x", "updated_at": "2026-03-01"}
    joint = {"type": "joint", "id": "y", "score": 0.9, "reason": "Même objet."}
    quiet = need("calm", sources=[mine, same], window={"to": "2026-12-31"})
    late = need("late", window={"to": "2026-03-01"}, sources=[mine, other], links=[joint])
    old = need("old", published_at="2025-09-01T08:00:00Z")
    near = need("near", window={"to": "2026-03-20"})
    assert reasons(quiet, SCOPE.as_of) == []
    assert [text.replace("\u00a0", " ") for text in reasons(late, SCOPE.as_of)] == [
        "attendu pour le 1er mars 2026, c’est passé",
        "dit par 2 institutions",
        "1 besoin semblable à côté",
    ]
    assert reasons(old, SCOPE.as_of) == ["sans réponse depuis 6 mois"]
    (soon,) = reasons(near, SCOPE.as_of)
    assert soon.replace("\u00a0", " ") == "attendu pour le vendredi 20 mars 2026"
    ranked = painful([quiet, near, old, late], SCOPE.as_of)
    assert [one["title"] for one, _ in ranked] == ["Besoin late", "Besoin old", "Besoin near"]


def test_every_figure_leads_to_what_it_counts() -> None:
    """Searches that the search understands, of this scope; and lists of our own that are as long
    as the figure says."""
    answer = {"type": "answers", "id": "v1", "role": "need", "score": 0.8, "reason": "Même objet."}
    needs = [
        need("a", themes=["eau"], place=["com:13005"], window={"to": "2026-03-01"}),
        need("b", themes=["eau", "energie"], place=["com:13055"]),
        need("c"),
        need("d", themes=["energie"], links=[answer]),
    ]
    call = document("V1", "Bornes de recharge", deadline=deadline("2026-03-17T11:00:00Z"))
    shown = item_of({"_source": call}, SCOPE.as_of, ANYBODY)
    ended = {**shown, "outcome": "awarded"}
    kinds = [
        {"key": "need", "doc_count": 4, "themes": {"buckets": [{"key": "eau", "doc_count": 2}]}}
    ]
    outcomes = {"buckets": [{"key": "awarded", "doc_count": 1}]}
    said = found(
        *needs,
        counts={"week": {"kinds": {"buckets": kinds}}, "before": {"kinds": {"buckets": []}}},
        closed=[ended],
        closed_counts={"kinds": {"buckets": [{"key": "call", "outcomes": outcomes}]}},
        coming=[shown],
        coming_counts={"1": {"doc_count": 1}},
        answers={"v1": shown},
    )
    view = note_view(said, SCOPE, TERRITORIES)
    assert {figure.label: figure.value for figure in view.figures} == {
        "Besoins en attente": "4",
        "sans aucune réponse": "3",
        "qui font mal": "1",
        "signalés cette semaine": "4",
        "Réponses possibles parues": "1",
        "Clôtures des 4 semaines à venir": "1",
    }
    assert [(row.label, [cell.value for cell in row.cells], row.word) for row in view.themes] == [
        ("Eau et assainissement", ["2", "2"], "Aubagne (1)"),
        ("Énergie et climat", ["2", "1"], "Marseille (1)"),
        ("Sans thème", ["–", "1"], "Marseille (1)"),
    ]
    assert [(row.label, row.cells[0].value) for row in view.places] == [
        ("Marseille", "2"),
        ("Aubagne", "1"),
    ]
    assert [figure[:2] for figure in view.endings] == [("Marchés attribués", "1")]
    assert view.answered[0].reasons == "réponse possible : Bornes de recharge"
    assert [row.word for row in view.grew] == ["+4", "stable", "stable", "+2"]
    rows = [*view.themes, *view.places, *view.grew, *view.weeks]
    numbers: list[Figure | Cell] = [
        *view.figures,
        *view.endings,
        *(cell for row in rows for cell in row.cells),
    ]
    led = 0
    for number in numbers:
        if not number.address:
            assert number.value in ("0", "–")
            continue
        address = urlsplit(number.address)
        asked = {name: texts[-1] for name, texts in parse_qs(address.query).items()}
        if address.path == "/":
            scope = {"type": "http", "query_string": address.query.encode()}
            read = search_parameters(Request(scope))
            assert read.territory == ("epci:200054807",)
            assert read.as_of == "2026-03-08T23:00:00.000Z"
            assert read.reach == "within"
        else:
            assert address.path == "/note/liste"
            lines = listed(
                said, SCOPE, TERRITORIES, asked["quoi"],
                theme=asked.get("theme", ""), place=asked.get("place", ""),
            )  # fmt: skip
            assert str(len(lines)) == number.value, number
        led += 1
    assert led >= 15


def test_a_note_of_nothing_is_whole() -> None:
    view = note_view(found(), SCOPE, TERRITORIES)
    assert (view.themes, view.pains, view.coming) == ([], [], [])
    assert [figure.value for figure in view.figures] == ["0"] * 6
    assert answered_needs(found()) == []


def test_a_grouping_that_advanced_in_the_week_is_told() -> None:
    grouping = {
        "subject": "Nettoyage de plages",
        "status_label": "Proposition de groupement",
        "members": [
            {"owner": "La Ciotat", "stance_label": "Intéressé", "stance_on": "2026-03-05"},
            {"owner": "Cassis", "stance_label": "Intéressé", "stance_on": "2026-02-05"},
            {"owner": "Marseille"},
        ],
    }
    view = note_view(found(groupings=[grouping]), SCOPE, TERRITORIES)
    (line,) = view.grouped
    assert line.reasons == "La Ciotat : intéressé"
