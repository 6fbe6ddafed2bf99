"""What facets count of a document."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from tests.documents import deadline, document, stub
from traverse_schemas.documents.counted import counted, turn_number
from traverse_schemas.documents.indexed import indexed
from traverse_schemas.documents.status import Status, status_of, turns_of
from traverse_schemas.records.codes import OUTCOMES, Kind, NeedStage, ProjectStage

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
STAGES: dict[Kind, list[str | None]] = {
    Kind.CALL: [None],
    Kind.PROJECT: [None, *ProjectStage],
    Kind.NEED: [None, *NeedStage],
}


def test_turns_until_a_day_tell_the_status_of_that_day() -> None:
    """For each kind, outcome and stage, with and without its dates, years before and after: so many
    turns to a status by then, less those from it, as the facet counts them."""
    seen = set()
    for kind in Kind:
        dates: list[dict[str, Any]] = [
            {},
            {"end_max": "2026-06-01", "notified": "2026-03-01"},
            {"end_max": "2026-03-11", "notified": "2026-06-01"},
            {"end_max": "9999-12-31", "notified": "0001-01-01"},
            {"deadline": deadline("2026-03-20T11:00:00.000000Z")},
            {"deadline": deadline("0001-01-01T00:00:00Z")},
        ]
        for outcome, stage, dated in product([None, *OUTCOMES[kind]], STAGES[kind], dates):
            said = {"outcome": outcome, "stage": stage, **dated}
            given = {name: value for name, value in said.items() if value is not None}
            one = document("1", "Voirie", kind=kind.value, **given)
            for days in (-9999, -999, 0, 5, 9, 999):
                as_of = NOW + timedelta(days=days)
                turns = [turn for turn in turns_of(one) if turn.at is None or turn.at <= as_of]
                counts = Counter(turn.status for turn in turns)
                counts.subtract(turn.before for turn in turns if turn.before)
                assert +counts == Counter([status_of(one, as_of)])
                seen.add(status_of(one, as_of))
    assert seen == set(Status)


def test_numbers_of_turns_follow_one_another_in_time() -> None:
    """Those from one status to another, to the millisecond; and no two turns share a number, nor
    come near what a double cannot hold."""
    kinds = [(None, status) for status in Status] + list(product(Status, Status))
    moments = [None, NOW, NOW + timedelta(milliseconds=1), datetime(9999, 1, 1, tzinfo=UTC)]
    numbers = [[turn_number(*kind, at) for at in moments] for kind in kinds]
    assert all(one == sorted(one) for one in numbers)
    assert len({number for one in numbers for number in one}) == len(kinds) * len(moments)
    assert max(map(max, numbers)) < 2**53
    before = turn_number(None, Status.OPEN, datetime(1900, 1, 1, tzinfo=UTC))
    assert before == turn_number(None, Status.OPEN, None)


def test_what_is_open_says_until_when() -> None:
    """A call until its deadline, a need until it has to be confirmed, an idea for ever; what was
    never open says nothing."""
    until = "2026-03-20T11:00:00.000000Z"
    call = document("1", "Voirie", deadline=deadline(until))
    need = document("2", "Voirie", kind="need", updated_at="2026-01-01T00:00:00.000000Z")
    idea = document("3", "Voirie", kind="project")
    works = document("4", "Voirie", kind="project", stage="works")
    assert [counted(one)["open_until"] for one in (call, need, idea, works)] == [
        until, "2026-04-01T00:00:00.000000Z", "9999-12-31T00:00:00Z", None
    ]  # fmt: skip


def test_departments_and_divisions_are_counted_once_each() -> None:
    """A facet reads a value a document and département, however many codes lie below."""
    one = indexed(document("1", "Voirie", place=["com:13055", "com:13001"], cpv=["45233140", "45"]))
    assert one["counted"]["departments"] == ["dep:13"]
    assert one["counted"]["cpv_divisions"] == ["45000000"]


def test_a_document_that_is_not_as_it_should_be_stops_nothing() -> None:
    """Whether the index takes it is Elasticsearch's to say, and the publisher's to hear."""
    for one in (
        {"id": "1"},
        {"kind": "rumour"},
        {"kind": "need", "stage": "lost"},
        {"kind": "call", "deadline": "soon"},
        {"kind": "call", "deadline": deadline("soon")},
        {"kind": "call", "outcome": "awarded", "end_max": "2026-02-30"},
    ):
        found = indexed({"stub": False, **one})["counted"]
        assert (found["turns"], found["open_until"]) == ([], None)


def test_the_names_of_owners_are_not_those_of_relays() -> None:
    """As people search for what an institution buys."""
    relay = {"siren": "130025265", "name": "DINUM", "kind": "state", "role": "source"}
    town = {"siren": "211300553", "name": "Marseille", "kind": "commune", "role": "owner"}
    assert indexed(document("1", "Voirie", institutions=[town, relay]))["owner_name"] == [
        "Marseille"
    ]


def test_a_stub_has_nothing_to_count() -> None:
    """It tells that a record existed, and no more."""
    assert indexed(stub("1")) == stub("1")
