"""Items carry what the contract promises, with the French words."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.documents import deadline, document
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.answers.items import detail_of, item_of, summary_of
from traverse_search_api.answers.links import may_answer
from traverse_search_api.deadlines import deadlines_of
from traverse_search_api.query.queries import ITEM_FIELDS

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
_FIELDS = """
    id kind title summary highlights status institutions territory location themes cpv amount
    deadline published_at updated_at sources links
"""
CONTRACT = set(_FIELDS.split())


def test_an_item_has_every_field_of_the_contract() -> None:
    """Even those that the document does not have: a client need not test for them."""
    item = item_of({"_source": document("1", "École")}, NOW, ANYBODY)
    assert item.keys() >= CONTRACT
    assert item["amount"] is None


def test_an_item_needs_no_more_than_the_fields_that_are_asked_for() -> None:
    """What Elasticsearch does not send cannot be read."""
    whole = document("1", "École", outcome="awarded", notified="2026-01-01", end_max="2027-01-01")
    partial = {name: value for name, value in whole.items() if name in ITEM_FIELDS}
    assert item_of({"_source": partial}, NOW, ANYBODY) == item_of({"_source": whole}, NOW, ANYBODY)


def test_status_and_kind_are_said_in_french() -> None:
    """A contract that runs is a « Contrat en cours »."""
    soon = document("1", "École", deadline=deadline("2026-03-14T11:00:00.000000Z"), themes=["eau"])
    item = item_of({"_source": soon}, NOW, ANYBODY)
    assert (item["status"], item["status_label"]) == ("closing_soon", "Clôture imminente")
    assert (item["kind_label"], item["theme_labels"]) == (
        "Marché public",
        ["Eau et assainissement"],
    )
    running = document("2", "Repas", outcome="awarded", notified="2026-01-01", end_max="2027-01-01")
    assert detail_of(running, NOW, ANYBODY)["kind_label"] == "Contrat en cours"


def test_every_deadline_is_told_the_earliest_first() -> None:
    """That of the offers, which is the last to answer by, hides no other; one that only a lot tells
    is among them."""
    told = [
        {"at": "2026-04-10T12:00"},
        {"kind": "question", "at": "2026-03-20"},
        {"kind": "application", "at": "2026-03-16T09:00", "zone": "Indian/Reunion"},
    ]
    last = {**deadline("2026-04-10T10:00:00.000000Z")}
    held = document("1", "École", deadline=last, deadlines=told)
    for found in (item_of({"_source": held}, NOW, ANYBODY), detail_of(held, NOW, ANYBODY)):
        assert [
            (one["kind"], one["until"][:16], one["precision"]) for one in found["deadlines"]
        ] == [
            ("application", "2026-03-16T05:00", "minute"),
            ("question", "2026-03-20T23:00", "day"),
            ("tender", "2026-04-10T10:00", "minute"),
        ]
    of_a_lot = document("2", "École", deadline=last, deadlines=told[1:])
    assert deadlines_of(of_a_lot)[-1] == last
    assert deadlines_of(document("3", "École", deadline=last)) == [last]
    assert deadlines_of(document("4", "École")) == []


def test_what_is_there_for_the_search_alone_is_not_shown() -> None:
    """Nor to whom else it was addressed."""
    held = document("1", "Wartung", language="de", audience=["211300553"])
    shown = detail_of({**held, "texts": {"de": "Wartung"}}, NOW, ANYBODY)
    assert shown["language"] == "de"
    assert not {"texts", "audience"} & set(shown)


def test_a_reader_sees_the_best_that_may_still_be_used_before_what_is_over() -> None:
    """A document holds the best for any day and any reader: of each type and side ten are shown, in
    their order, of those that this one may read."""

    def link(number: int, **more: str) -> dict[str, Any]:
        return {
            "type": "answers", "role": "need", "id": f"{number:03}", "score": 1 - number / 100,
            "reason": "Même objet", "state": "proposed", "audience": "public", **more,
        }  # fmt: skip

    past, day = {"until": "2026-03-12T09:00"}, {"until": "2026-03-12T11:00"}
    links = [
        *(link(number, **past) for number in range(9)),
        link(10, audience="buyers"),
        *(link(number, **day) for number in range(11, 18)),
        link(18, type="joint"),
        link(19, role="offer"),
    ]
    whole = document("1", "École", links=links)

    def seen(reader: Reader) -> list[int]:
        return [int(one["id"]) for one in item_of({"_source": whole}, NOW, reader)["links"]]

    assert seen(ANYBODY) == [0, 1, 2, *range(11, 20)]
    assert seen(Reader("211300553", buyer=True)) == [0, 1, *range(10, 20)]
    may = may_answer(item_of({"_source": whole}, NOW, ANYBODY)["links"])
    assert [int(one["id"]) for one in may] == [*range(11, 18)]


def test_all_that_are_the_same_thing_and_all_lots_are_shown() -> None:
    """However many: each of them is a part of it, not a proposal."""
    links = [{"type": one, "id": str(at)} for one in ("same", "lot") for at in range(30)]
    item = item_of({"_source": document("1", "École", links=links)}, NOW, ANYBODY)
    assert item["links"] == links


@given(st.text(), st.integers(min_value=2, max_value=300))
def test_a_summary_is_short_and_a_beginning(text: str, longest: int) -> None:
    """One line, never longer than asked, and what was cut says so."""
    summary = summary_of(text, longest)
    assert len(summary) <= longest
    assert "\n" not in summary
    assert " ".join(text.split()).startswith(summary.removesuffix("…"))


def test_a_summary_is_cut_at_a_word() -> None:
    """Half a word at the end reads as a mistake."""
    assert summary_of("Rénovation de la toiture, puis du reste", 26) == "Rénovation de la toiture…"
