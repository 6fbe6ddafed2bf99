"""What facets count of a document."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from tests.documents import deadline, document, stub
from traverse_schemas.counted import CONTRACT, DATED, LIVE_NEEDS, phase_of
from traverse_schemas.indexed import indexed
from traverse_schemas.records.codes import OUTCOMES, Kind, NeedStage, ProjectStage
from traverse_schemas.status import Status, status_of

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
STAGES: dict[Kind, list[str | None]] = {
    Kind.CALL: [None],
    Kind.PROJECT: [None, *ProjectStage],
    Kind.NEED: [None, *NeedStage],
}


def test_a_phase_is_the_status_of_every_day_or_says_that_a_date_decides() -> None:
    """For each kind, outcome and stage, with and without its dates, years before and after."""
    settled = set()
    for kind in Kind:
        dates: list[dict[str, Any]] = [{}, {"end_max": "2026-06-01", "notified": "2026-03-01"}]
        dates.append({"deadline": deadline("2026-03-20T11:00:00.000000Z")})
        for outcome, stage, dated in product([None, *OUTCOMES[kind]], STAGES[kind], dates):
            said = {"outcome": outcome, "stage": stage, **dated}
            given = {name: value for name, value in said.items() if value is not None}
            one = document("1", "Voirie", kind=kind.value, **given)
            seen = {status_of(one, NOW + timedelta(days=days)) for days in (-999, 0, 9, 999)}
            phase = phase_of(one)
            if phase in {DATED, CONTRACT, *LIVE_NEEDS.values()}:
                assert len(seen) > 1
            else:
                assert phase
                assert seen == {Status(phase)}
                settled.add(phase)
    assert len(settled) > 10


def test_departments_and_divisions_are_counted_once_each() -> None:
    """A facet reads a value a document and département, however many codes lie below."""
    one = indexed(document("1", "Voirie", place=["com:13055", "com:13001"], cpv=["45233140", "45"]))
    assert one["counted"]["departments"] == ["dep:13"]
    assert one["counted"]["cpv_divisions"] == ["45000000"]


def test_a_document_that_is_not_as_it_should_be_stops_nothing() -> None:
    """Whether the index takes it is Elasticsearch's to say, and the publisher's to hear."""
    assert indexed({"id": "1", "stub": False})["counted"]["phase"] is None
    assert phase_of({"kind": "rumour"}) is None
    assert phase_of({"kind": "need", "stage": "lost"}) is None


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
