"""What the pages of people who sign in make of what they read and of what is typed, without a
server."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.search_api.accounts.people import INSTITUTIONS, MARSEILLE
from traverse_schemas.decisions import GroupingStep, GroupingWord
from traverse_schemas.documents.grouping import grouping_id
from traverse_schemas.events import EVENT_TYPES, event_adapter
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.records.models import Need
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import THEMES
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.institutions.rhythm import is_silent, rhythm_from, spoken, usual_gap
from traverse_search_api.pages.chart import Bar, Chart
from traverse_search_api.pages.dashboard_view import (
    ahead,
    by_theme,
    csv_rows,
    figures,
    months,
    unanswered,
)
from traverse_search_api.pages.groupings.view import grouping_view
from traverse_search_api.pages.groupings.word import day_of, own_record, step_of, word_event
from traverse_search_api.pages.institution.view import (
    mend_view,
    mended,
    own_body,
    published_view,
)
from traverse_search_api.pages.need.form import checked, empty_form, filled_form, need_event
from traverse_search_api.pages.typed_place import place_choices, retyped

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
REFERENCE = "besoin-0123456789abcdef"
TYPED = {
    "reference": REFERENCE,
    "titre": "  Bornes   de recharge ",
    "lieu": "Aubagne",
    "type": "purchase",
    "quand": "bientot",
    "visibilite": "buyers",
    "montant": "12 000,50 €",
}
TERRITORIES = Territories.load()


def typed(**changes: str) -> Any:
    return checked(filled_form({**TYPED, **changes}, "besoin-f", NOW), TERRITORIES)


def test_what_was_typed_becomes_a_need_of_the_schema() -> None:
    form = filled_form(TYPED, "besoin-f", NOW)
    seen = checked(form, TERRITORIES)
    assert seen.data is not None
    assert seen.place_label == "Aubagne (13)"
    event = need_event(form, seen.data, MARSEILLE)
    assert (event["source"], event["subject"]) == (f"urn:siren:{MARSEILLE}:pages", REFERENCE)
    octets = json.dumps(event).encode()
    read = event_adapter(EVENT_TYPES[event["type"]]).validate_json(octets).data
    assert isinstance(read, Need)
    assert read.title == "Bornes de recharge"
    assert read.place == ("com:13005",)
    assert float(read.amounts[0].value) == 12000.5
    assert str(read.window.end) == "2026-06-12"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"titre": " "}, "titre"),
        ({"titre": "x" * 201}, "titre"),
        ({"description": "x" * 5001}, "description"),
        ({"lieu": ""}, "lieu"),
        ({"lieu": "zzzz"}, "lieu"),
        ({"lieu": "Saint-Denis"}, "lieu"),
        ({"lieu": "Saint-Denis", "place": "com:13055"}, "lieu"),
        ({"type": "autre"}, "type"),
        ({"type": "business"}, "accord"),
        ({"quand": ""}, "quand"),
        ({"visibilite": "restricted"}, "visibilite"),
        ({"montant": "beaucoup"}, "montant"),
        ({"montant": "-1"}, "montant"),
    ],
)
def test_what_is_missing_is_said_beside_its_field(changes: dict[str, str], field: str) -> None:
    seen = typed(**changes)
    assert list(seen.faults) == [field]
    assert seen.data is None


def test_what_is_to_be_mended_is_told_from_the_top_of_the_page_down() -> None:
    seen = typed(titre="", lieu="zzzz", type="", quand="", visibilite="", montant="beaucoup")
    assert list(seen.faults) == ["titre", "lieu", "type", "quand", "visibilite", "montant"]


def test_a_place_is_chosen_among_those_of_its_name() -> None:
    seen = typed(lieu="Saint-Denis", place="com:93066")
    assert seen.data["place"] == ["com:93066"]
    assert typed(type="business", accord="oui").data["subtype"] == "business"


def test_a_reference_of_somebody_elses_making_is_replaced() -> None:
    assert filled_form({"reference": "MARCHE-2026"}, "besoin-f", NOW).reference == "besoin-f"


def test_the_form_begins_with_what_suits_the_institution() -> None:
    form = empty_form(REFERENCE, INSTITUTIONS[0], NOW, TERRITORIES)
    assert (form.where, form.subtype, form.visibility) == ("Marseille (13)", "purchase", "buyers")
    firms = INSTITUTIONS[1].model_copy(update={"roles": frozenset()})
    form = empty_form(REFERENCE, firms, NOW, TERRITORIES)
    assert (form.where, form.subtype, form.visibility) == ("", "business", "members")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("aubagne", ["com:13005"]),
        ("Aubagne (13)", ["com:13005"]),
        ("mairie d'Aubagne", ["com:13005"]),
        ("agglomération d'Aubagne", ["epci:200054807"]),
        ("département du Var", ["dep:83"]),
        ("13001", ["com:13001", "cp:13001"]),
        ("Saint-Denis", ["com:97411", "com:93066"]),
        ("dep:13", ["dep:13"]),
        ("Bouches-du-Rhône", ["dep:13"]),
        ("<script>", []),
        ("x" * 5000, []),
        ("", []),
    ],
)
def test_places_are_found_as_people_type_them(text: str, codes: list[str]) -> None:
    assert [choice.code for choice in place_choices(text, TERRITORIES)] == codes


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("com:13055", "Marseille (13)"),
        ("dep:13", "Bouches-du-Rhône"),
        ("epci:200054807", "Métropole d'Aix-Marseille-Provence"),
        ("aubagne", "aubagne"),
        ("com:zzzz", "com:zzzz"),
        ("", ""),
    ],
)
def test_a_form_shows_the_name_of_a_place_that_was_asked_for_by_its_code(
    text: str, shown: str
) -> None:
    choices = place_choices(text, TERRITORIES)
    assert retyped(text, choices, TERRITORIES) == shown
    again = place_choices(shown, TERRITORIES)
    assert [one.code for one in again] == [one.code for one in choices]


def test_a_source_is_silent_after_three_times_its_usual_gap() -> None:
    days = [NOW - timedelta(days=each) for each in (60, 50, 40, 30)]
    gap = usual_gap(days)
    assert gap == timedelta(days=10)
    assert not is_silent(NOW - timedelta(days=30), gap, NOW)
    assert is_silent(NOW - timedelta(days=31), gap, NOW)
    # One that speaks every day may rest for a week; one without rhythm is never silent.
    assert not is_silent(NOW - timedelta(days=6), timedelta(days=1), NOW)
    assert usual_gap(days[:3]) is None
    assert not is_silent(NOW - timedelta(days=900), None, NOW)


def test_a_source_is_named_as_staff_know_it() -> None:
    """What is typed on the pages is not told by the name of a program."""
    keys = [f"urn:siren:{MARSEILLE}{system}" for system in ("", ":marches", ":pages")]
    documents = [{"sources": [{"source": key, "updated_at": NOW.isoformat()}]} for key in keys]
    buckets = [{"key": key, "doc_count": 1} for key in keys]
    found = {"aggregations": {"sources": {"buckets": buckets}}}
    _, sources, _ = published_view(found, [], documents, NOW)
    assert [one.name for one in sources] == [
        "Publications directes", "marches", "Saisies ici (« Signaler un besoin »)",
    ]  # fmt: skip


def test_what_was_accepted_lately_is_counted_from_a_day_in_france_as_refusals_are() -> None:
    """At night the day there is not that of UTC, and a day begins there at another instant."""
    night = datetime(2026, 3, 15, 23, 30, tzinfo=UTC)
    accepted = own_body("211300553", night)["aggs"]["accepted"]["filter"]["range"]
    assert accepted == {"sources.updated_at": {"gte": "2026-02-14", "time_zone": "Europe/Paris"}}


def test_a_rhythm_is_its_own_and_not_that_of_others_who_say_the_same() -> None:
    days = (8, 18, 28, 38)
    at = [(NOW - timedelta(days=each)).isoformat() for each in days]
    documents = [
        {"sources": [{"source": "a", "updated_at": one}, {"source": "b", "updated_at": at[0]}]}
        for one in at
    ]
    last, gap = rhythm_from(spoken(documents, "a"), NOW)
    assert (last, gap) == (NOW - timedelta(days=8), timedelta(days=10))
    assert rhythm_from(spoken(documents, "b"), NOW) == (last, None)


def rejection(pointer: str, event: Any) -> dict[str, Any]:
    text = event if isinstance(event, str) else json.dumps(event)
    return {
        "id": "inbound-0@1",
        "event_id": "e",
        "at": "2026-03-10T08:00:00Z",
        "sentence": "Faux.",
        "pointer": pointer,
        "event": text,
    }


def test_the_wrong_value_is_mended_where_it_stands() -> None:
    event = {"data": {"place": ["com:99999"], "amounts": [{"value": 12}], "a/b": "x"}}
    view = mend_view(rejection("/data/place/0", event))
    assert (view.pointer, view.value, view.where) == ("/data/place/0", "com:99999", "Lieu")
    text = json.dumps(event)
    assert json.loads(mended(text, "/data/place/0", "com:13055") or b"")["data"]["place"] == [
        "com:13055"
    ]
    assert json.loads(mended(text, "/data/amounts/0/value", "1 200,5") or b"")["data"]["amounts"][
        0
    ] == {"value": 1200.5}
    assert json.loads(mended(text, "/data/a~1b", "y") or b"")["data"]["a/b"] == "y"


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", "x"),
        ("/data", "x"),
        ("/nope/0", "x"),
        ("/data/amounts/0/value", "douze"),
        ("/data/amounts/0/value", "NaN"),
        ("/data/amounts/0/value", "1e999"),
        ("/data/amounts/0/value", "9" * 5000),
        ("/l/9", "x"),
        ("/l/" + "9" * 5000, "x"),
    ],
)
def test_what_has_no_place_or_no_form_is_not_mended(pointer: str, value: str) -> None:
    event = json.dumps({"data": {"amounts": [{"value": 12}]}, "l": [1]})
    assert mended(event, pointer, value) is None
    assert mended("pas du JSON", pointer, value) is None


def test_half_a_character_of_an_event_breaks_no_page() -> None:
    """JSON may hold one, UTF-8 does not: it is shown as it was written, and mended."""
    event = '{"data": {"title": "\\ud800", "place": "é"}}'
    view = mend_view(rejection("/data/title", event))
    assert (view.pointer, view.value) == ("", "")
    assert "\\ud800" in view.text
    octets = mended(event, "/data/place", "à\0")
    assert json.loads(octets or b"")["data"] == {"title": "\ud800", "place": "à\0"}


def test_an_event_that_is_no_json_or_too_long_is_shown_within_bounds() -> None:
    assert mend_view(rejection("", "pas du JSON")).text == "pas du JSON"
    assert mend_view(rejection("/data/x", {"data": {"x": "y" * 40_000}})).text == ""


def need(themes: list[str], *links: str, sources: int = 1) -> dict[str, Any]:
    return {
        "id": "a",
        "title": "=1+1",
        "themes": themes,
        "theme_labels": themes,
        "links": [{"type": kind} for kind in links],
        "sources": [{}] * sources,
        "territory": {"code": "com:13055", "name": "Marseille"},
        "institutions": [{"name": "Ville", "role": "owner"}],
        "status_label": "Signalé",
        "published_at": "2026-03-01T08:00:00Z",
    }


def test_what_nobody_answers_is_counted_by_theme() -> None:
    needs = [need(["voirie"]), need(["voirie", "eau"]), need([]), need(["eau"], "answers")]
    chart = by_theme(needs[:3], "com:13055")
    assert [(bar.label, bar.value) for bar in chart.bars] == [
        ("Voirie et mobilités", 2),
        ("Sans thème", 1),
        ("Eau et assainissement", 1),
    ]
    assert "territory=com%3A13055" in chart.bars[0].address
    assert dict(figures(needs, 4, 3))["dont une réponse est possible"] == "1"
    # Neither what is over, nor another firm's need that this one could answer.
    for no_answer in ({"state": "expired"}, {"state": "proposed", "role": "offer"}):
        left = need(["eau"]) | {"links": [{"type": "answers", **no_answer}]}
        assert unanswered([left, needs[3]]) == [left]
    assert csv_rows(needs)[1][0] == "=1+1"


def test_a_need_of_the_night_was_published_on_the_day_that_it_was_in_france() -> None:
    late = need(["eau"]) | {"published_at": "2026-03-01T23:30:00Z"}
    head, row = csv_rows([late])
    assert row[head.index("Publié le")] == "2026-03-02"


def test_weeks_and_months_without_anything_are_there_too() -> None:
    days = [{"key_as_string": "2026-03-19T00:00:00.000+01:00", "doc_count": 3}]
    weeks = ahead({"aggregations": {"days": {"buckets": days}}}, NOW)
    assert [bar.value for bar in weeks.bars] == [0, 3, 0, 0, 0, 0, 0, 0]
    assert weeks.bars[0].label == "du 12 au 18 mars"
    assert weeks.bars[2].label == "du 26 mars au 1er avril"
    found = months({}, NOW)
    assert [found.bars[0].label, found.bars[-1].label] == ["avril 2025", "mars 2026"]
    assert found.total == 0


def test_the_longest_bar_fills_the_width() -> None:
    chart = Chart("x", "x", "x", "x", [Bar("a", 4), Bar("mot " * 40, 1), Bar("c", 0)])
    first, second, third = chart.rectangles()
    assert first.width == 4 * second.width
    assert third.width == 0
    # No label is wider than its room, nor higher; one that is too long is cut.
    line = "mot mot mot mot mot mot"
    assert [one for one, _ in second.lines] == [line, line, "mot mot mot mot mot…"]
    assert 23 * 8 <= chart.left <= chart.width - 100
    tops = [middle for one in (first, second, third) for _, middle in one.lines]
    assert tops == sorted(tops) and tops[-1] < chart.height


def test_a_week_is_written_on_one_line() -> None:
    weeks = ahead({}, NOW + timedelta(days=14))
    assert all(len(bar.lines) == 1 for bar in weeks.rectangles())


def test_a_theme_is_written_whole_in_its_chart() -> None:
    for label in THEMES.values():
        (bar,) = Chart("x", "x", "x", "x", [Bar(label, 1)]).rectangles()
        assert " ".join(line for line, _ in bar.lines) == label


def test_a_grouping_says_what_is_guessed_who_could_join_and_what_was_done() -> None:
    member = {"owner": "Aix", "title": "Défibrillateurs", "renewal": False, "counted": True}
    view = grouping_view(
        {
            "id": "g", "subject": "Défibrillateur", "status_label": "Groupement constitué",
            "reason": "Aix a un besoin", "law": "", "days_left": None, "unknown_amounts": 0,
            "total": 90_000.0, "total_tax": "excluded", "guessed": 40_000.0, "lots": [],
            "threshold": {"label": "mise en concurrence", "source": "CCP, art. R.2122-8",
                          "guessed": True, "taxed": True},
            "coordinator": {"owner": "Aix", "reason": "son besoin est le plus important"},
            "acts": [{"step": "deliberated", "owner": "Aix", "on": "2026-03-12"}],
            "declined": [],
            "members": [
                {"record": "a", **member, "amount": 50_000.0, "tax": "excluded"},
                {"record": "b", **member, "renewal": True, "guess": True, "owner": "Arles",
                 "source": "211300413"},
                {"record": "c", **member, "renewal": True, "guess": True, "counted": False},
            ],
            "others": [{"record": "d", **member, "siren": MARSEILLE}],
        },
        MARSEILLE,
    )  # fmt: skip
    assert [one.hint for one in view.members] == [
        "", "fin de contrat, besoin non confirmé, d’après SIREN 211300413",
        "fin de contrat, déjà compté dans le besoin",
    ]  # fmt: skip
    assert view.members[0].amount.endswith("€ HT")
    assert [one.record for one in view.others] == ["d"]
    assert view.ours
    facts = dict(view.facts)
    assert "dont 40" in facts["Montant"]
    assert "TTC" in facts["Seuil atteint ensemble"]
    assert facts["Étapes"].startswith("Aix a délibéré, le 12")


def test_a_word_on_a_grouping_is_an_event_of_the_schema() -> None:
    record = {"source": f"urn:siren:{MARSEILLE}", "subject": "N1"}
    grouping = grouping_id("buyers", opportunity_id(**record))
    event = word_event(
        GroupingStep.CONVENTION,
        grouping=grouping,
        record=record,
        siren=MARSEILLE,
        event_id="e",
        now=NOW,
        on=day_of("2026-04-01"),
    )
    read = event_adapter(EVENT_TYPES[event["type"]]).validate_json(json.dumps(event)).data
    assert isinstance(read, GroupingWord)
    assert str(read.on) == "2026-04-01"
    assert own_record([record], opportunity_id(**record)) == record
    assert own_record([record], "autre") is None
    assert str(day_of("1/4/2026")) == "2026-04-01"
    assert day_of(" ") is None
    for wrong in (
        lambda: step_of("oui"),
        lambda: day_of("demain"),
        lambda: day_of("2026-04-01T10:00:00Z"),
    ):
        with pytest.raises(InvalidParameterError):
            wrong()
