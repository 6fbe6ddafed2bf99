"""The state of a record is a function of the set of its events (design, decision 7)."""

from functools import reduce
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from tests.stream_processors.factory import RECEIVED, call_data, event, octets
from traverse_schemas.documents.document import Content
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.fold import fold
from traverse_stream_processors.linking.link import form
from traverse_stream_processors.validating.validate import Accepted, validate


def content_of(accepted: Accepted) -> Content | None:
    """A content that is enough for the fold: the title, and who may read it."""
    if accepted.record is None:
        return None
    visibility = str(accepted.record.visibility or "public")
    return cast(Content, {"title": accepted.record.title, "visibility": visibility})


def accept(whole: dict[str, Any]) -> Accepted:
    return validate(octets(whole), RECEIVED, Territories.load())


def state_after(events: list[Accepted]) -> RecordState | None:
    return reduce(lambda state, one: fold(state, one, content_of(one)), events, None)


@st.composite
def histories(draw: st.DrawFn) -> list[Accepted]:
    """Any history of one record, with clashing versions and changes of audience."""
    count = draw(st.integers(1, 7))
    events = []
    for number in range(count):
        action = draw(st.sampled_from(["published", "updated", "closed", "withdrawn"]))
        visibility = draw(st.sampled_from(["public", "buyers", None]))
        record = call_data(title=f"Version {number}", visibility=visibility)
        data = {
            "published": record,
            "updated": record,
            "closed": {"outcome": "awarded", **draw(st.sampled_from([{}, {"record": record}]))},
            "withdrawn": {"reason": "error"},
        }[action]
        hour = draw(st.integers(8, 10))
        events.append(
            accept(
                event(
                    action,
                    id=f"e-{number}",
                    sequence=draw(st.integers(0, 2)),
                    time=f"2026-11-20T{hour:02}:00:00Z",
                    data=data,
                )
            )
        )
    return events


@given(histories(), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(events: list[Accepted], random: Any) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert state_after(shuffled) == state_after(events)


@given(histories())
def test_applying_twice_is_applying_once(events: list[Accepted]) -> None:
    assert state_after([*events, *events]) == state_after(events)


@given(histories())
def test_a_withdrawn_record_shows_nothing(events: list[Accepted]) -> None:
    state = state_after(events)
    assert state is not None
    message = form(state)
    if state["life"] is not None and state["life"]["state"] == "withdrawn":
        assert message is None or message["document"]["stub"] is True


def test_an_update_after_an_award_corrects_and_does_not_reopen() -> None:
    state = state_after(
        [
            accept(event(id="1")),
            accept(event("closed", id="2", time="2026-11-21T10:00:00Z")),
            accept(
                event(
                    "updated",
                    id="3",
                    time="2026-11-22T10:00:00Z",
                    data=call_data(title="Avenant", reason="amendment"),
                )
            ),
        ]
    )
    assert state is not None
    assert state["life"] is not None
    assert state["life"]["state"] == "closed"
    assert state["content"] is not None
    assert state["content"]["content"]["title"] == "Avenant"


def test_what_ended_without_a_day_ended_on_the_french_day_of_the_event() -> None:
    """Half past midnight in Paris is the day before in UTC; a day that is said stays."""
    closed: dict[str, Any] = {"time": "2026-11-20T23:30:00Z", "data": {"outcome": "dropped"}}
    said = {**closed, "data": {"outcome": "dropped", "on": "2026-11-19"}}
    for whole, day in ((closed, "2026-11-21"), (said, "2026-11-19")):
        state = state_after([accept(event("closed", **whole))])
        assert state is not None
        assert state["life"] is not None
        assert state["life"]["closed_on"] == day


def test_a_record_that_leaves_the_public_leaves_a_stub_there() -> None:
    state = state_after(
        [
            accept(event(id="1")),
            accept(event("updated", id="2", sequence=1, data=call_data(visibility="buyers"))),
        ]
    )
    assert state is not None
    message = form(state)
    assert message is not None
    assert message["index"] == "buyers"
    assert message["stubs"] == ["public"]


def erasure(hour: int, number: int = 99) -> Accepted:
    return accept(
        event(
            "withdrawn",
            id=f"e-{number}",
            time=f"2026-11-20T{hour:02}:00:00Z",
            data={"reason": "erasure"},
        )
    )


@given(histories(), st.sampled_from([8, 9, 10]), st.data())
def test_an_erasure_takes_the_same_in_any_order(
    events: list[Accepted], hour: int, data: st.DataObject
) -> None:
    """Versions that time alone orders: what was said up to the erasure is gone, whenever it comes;
    what remains of the state is that of the later events, but for the indices to tell."""
    plain = [one for one in events if one.version.sequence == 0]
    gone = erasure(hour)
    later = [one for one in plain if one.version.time > gone.version.time]
    shuffled = data.draw(st.permutations([*plain, gone]))
    state = state_after(shuffled)
    wanted = state_after([gone, *later])
    assert state is not None
    assert wanted is not None
    assert {**state, "indices": []} == {**wanted, "indices": []}


def test_an_erasure_takes_what_has_a_greater_sequence() -> None:
    state = state_after([accept(event(sequence=9)), erasure(12)])
    assert state is not None
    assert state["content"] is None
    assert state["life"] is not None
    assert state["life"]["state"] == "withdrawn"
    assert "Réfection" not in str(state)
