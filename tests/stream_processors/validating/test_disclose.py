"""What subscribers of the public topics may read: never the content of what is not public."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.stream_processors.enriching.test_fold import accept, content_of
from tests.stream_processors.factory import call_data, event
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.enriching.fold import fold
from traverse_stream_processors.validating.disclose import disclose
from traverse_stream_processors.validating.validate import Accepted


@st.composite
def histories(draw: st.DrawFn) -> list[Accepted]:
    """Any history of one record in any order of arrival; each event has a canary of its own."""
    events = []
    for number in range(draw(st.integers(1, 7))):
        action = draw(st.sampled_from(["published", "updated", "closed", "withdrawn"]))
        visibility = draw(st.sampled_from(["public", "buyers", "members", None]))
        record = call_data(title=f"Canari-{number}", visibility=visibility)
        data: dict[str, Any] = {
            "published": record,
            "updated": record,
            "closed": {"outcome": "awarded", "reason": f"Canari-{number}"}
            | draw(st.sampled_from([{}, {"record": record}])),
            "withdrawn": {"reason": "error"},
        }[action]
        hour = draw(st.integers(8, 10))
        events.append(
            accept(event(action, id=f"e-{number}", time=f"2026-11-20T{hour:02}:00:00Z", data=data))
        )
    return events


def steps(
    events: list[Accepted],
) -> list[tuple[Accepted, RecordState | None, RecordState, bytes | None]]:
    state: RecordState | None = None
    found = []
    for accepted in events:
        after = fold(state, accepted, content_of(accepted))
        found.append((accepted, state, after, disclose(accepted, state, after)))
        state = after
    return found


def is_public(state: RecordState | None) -> bool:
    said = state["content"] if state else None
    return said is not None and said["content"]["visibility"] == "public"


@given(histories())
def test_a_record_that_is_not_public_now_tells_nothing(events: list[Accepted]) -> None:
    for _, _, after, said in steps(events):
        if not is_public(after):
            assert said is None or b"Canari" not in said


@given(histories())
def test_what_is_told_is_the_same_octets_or_a_notice_of_our_own(events: list[Accepted]) -> None:
    for accepted, _, _, said in steps(events):
        if said is not None and said != accepted.octets:
            notice = orjson.loads(said)
            assert notice["type"] == "fr.traverse.call.hidden.v1"
            assert notice["data"].keys() == {"source", "subject"}


@given(histories())
def test_nothing_is_told_of_a_record_that_never_was_public(events: list[Accepted]) -> None:
    ever = False
    for _, _, after, said in steps(events):
        ever = ever or "public" in after["indices"]
        assert ever or said is None


@given(histories())
def test_leaving_the_public_is_told(events: list[Accepted]) -> None:
    """By a notice or by the withdrawal itself: a subscriber learns that its copy is stale."""
    for _, before, after, said in steps(events):
        if is_public(before) and not is_public(after):
            assert said is not None


def test_an_event_with_a_record_for_others_is_not_shown_though_the_record_is_public() -> None:
    """An older version, for buyers only, arrives after the newer public one."""
    public = accept(event(id="1", data=call_data(title="Public", visibility="public")))
    older = accept(
        event(
            "updated", id="2", time="2026-11-19T10:00:00Z",
            data=call_data(title="Canari", visibility="buyers"),
        )
    )  # fmt: skip
    assert steps([public, older])[1][3] is None
