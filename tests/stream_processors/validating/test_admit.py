"""Admit decides a batch: what is written where, in which order, against what is known."""

from typing import Any, cast

import orjson
import pytest

from tests.older_version import new_event, old_event, older_version
from tests.stream_processors.factory import call_data, event, inbound, octets
from traverse_schemas.documents.document import Content
from traverse_schemas.errors import Reason
from traverse_schemas.log.identity import event_key, partition_of, record_key
from traverse_schemas.log.topics import (
    ACCEPTED,
    EVENTS,
    INBOUND,
    PARTITIONS,
    RECEIPTS,
    RECORDS,
    REJECTED,
)
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.errors import BadDeployError
from traverse_stream_processors.log import Message
from traverse_stream_processors.validating.admit import Admitted, admit
from traverse_stream_processors.validating.check import Inbound, check
from traverse_stream_processors.validating.keep import known_from_log
from traverse_stream_processors.validating.validate import Accepted


def content(accepted: Accepted) -> Content | None:
    """Enough of a content for the fold."""
    if accepted.record is None:
        return None
    visibility = str(accepted.record.visibility or "public")
    return cast(Content, {"title": accepted.record.title, "visibility": visibility})


def broken(accepted: Accepted) -> Content | None:
    raise ZeroDivisionError("a defect of ours")


def decide(*messages: Inbound, enrich: Any = content, after: Admitted | None = None) -> Admitted:
    """A batch, alone or `after` another."""
    known = {one.id: one.hash for one in after.known} if after else {}
    states = {key: state for key, _, state in after.states} if after else {}
    events: dict[int, list[tuple[str, bool]]] = {}
    for one in after.known if after else ():
        events.setdefault(one.record, []).append((one.event, one.public))
    checked = check(messages, Territories.load(), None)
    return admit(checked, known, states, enrich, PARTITIONS, events)


def on(topic: str, messages: list[Message]) -> list[Message]:
    return [message for message in messages if message.topic == topic]


def reasons(admitted: Admitted) -> list[bytes]:
    return [dict(message.headers)["reason"] for message in on(REJECTED, admitted.effects)]


def test_an_accepted_event_is_kept_whole_and_passed_on_unchanged() -> None:
    whole = event()
    admitted = decide(inbound(whole))
    (kept,) = admitted.accepted
    (public,) = on(EVENTS["call"], admitted.effects)
    assert kept.topic == ACCEPTED
    assert kept.value == public.value == octets(whole)
    assert kept.key == event_key(whole["source"], whole["subject"], whole["id"]).encode()
    assert len(on(RECORDS, admitted.effects)) == 1


def test_an_older_version_makes_the_same_record_and_passes_unchanged() -> None:
    with older_version():
        old, new = decide(inbound(old_event())), decide(inbound(new_event()))
    (public,) = on(EVENTS["call"], old.effects)
    assert public.value == old.accepted[0].value == octets(old_event())
    assert old.states == new.states


def test_what_follows_from_an_event_is_written_before_it_counts_as_accepted() -> None:
    """Killed between the two, the event is read again and nothing of it is missing."""
    admitted = decide(inbound(event()), inbound(b"non"))
    assert not on(ACCEPTED, admitted.effects)
    assert {message.topic for message in admitted.accepted} == {ACCEPTED}


def test_the_states_of_a_record_in_one_batch_are_written_once() -> None:
    first = inbound(event(id="1"))
    second = inbound(event("updated", id="2", time="2026-11-21T10:00:00Z"), offset=1)
    admitted = decide(first, second)
    (state,) = on(RECORDS, admitted.effects)
    assert orjson.loads(state.value or b"")["content"]["version"][2] == "2"
    assert len(admitted.accepted) == 2


def test_a_repeated_event_comes_to_nothing_in_one_batch_and_in_the_next() -> None:
    once = decide(inbound(event()))
    reordered = dict(reversed(event().items()))
    again = decide(inbound(event(), offset=5), inbound(reordered, offset=6), after=once)
    assert {message.topic for message in again.effects} == {RECEIPTS}
    assert again._replace(effects=[]) == Admitted([], [], [], [], [])
    both = decide(inbound(event()), inbound(event(), offset=1))
    assert len(both.accepted) == 1
    assert len(on(EVENTS["call"], both.effects)) == 1


def test_an_event_that_was_accepted_but_not_folded_is_folded_when_it_comes_again() -> None:
    """The state is lost and the event known: its record is made again, and not told twice."""
    once = decide(inbound(event()))
    again = decide(inbound(event()), after=once._replace(states=[]))
    assert again.accepted == []
    assert again.states == once.states
    assert on(EVENTS["call"], again.effects) == []


def test_an_id_with_other_content_is_rejected_whichever_batch() -> None:
    other = inbound(event(data=call_data(title="Autre")), offset=1)
    once = decide(inbound(event()))
    assert reasons(decide(other, after=once)) == [Reason.ID_REUSED.encode()]
    both = decide(inbound(event()), other)
    assert reasons(both) == [Reason.ID_REUSED.encode()]
    assert len(both.accepted) == 1


def test_a_rejection_has_the_octets_and_says_where_it_was_read() -> None:
    admitted = decide(inbound(b"{pas du json", offset=12, partition=3))
    (rejected,) = on(REJECTED, admitted.effects)
    headers = dict(rejected.headers)
    assert rejected.value == b"{pas du json"
    assert headers["origin"] == b"traverse.inbound/3@12"
    assert headers["reason"] == b"not_json"


def test_a_message_on_the_wrong_partition_goes_to_its_own_unchanged() -> None:
    whole = event()
    key = record_key(whole["source"], whole["subject"])
    right = partition_of(key, PARTITIONS)
    wrong = inbound(whole, offset=4, partition=(right + 1) % PARTITIONS)
    admitted = decide(wrong._replace(headers=(("x", b"1"),)))
    (moved,) = admitted.effects
    assert (moved.topic, moved.partition, moved.key) == (INBOUND, right, key.encode())
    assert moved.value == wrong.value
    assert moved.headers[0] == ("x", b"1")
    assert (admitted.accepted, admitted.states, admitted.known) == ([], [], [])


def test_a_defect_of_ours_rejects_the_event_and_keeps_it_for_replay() -> None:
    admitted = decide(inbound(event()), enrich=broken)
    assert reasons(admitted) == [Reason.INTERNAL.encode()]
    assert (admitted.accepted, admitted.known) == ([], [])


def test_a_bad_deploy_stops_instead_of_rejecting_everything() -> None:
    many = [inbound(event(id=str(n), subject=f"S-{n}"), offset=n) for n in range(6)]
    assert len(reasons(decide(*many[:5], enrich=broken))) == 5
    with pytest.raises(BadDeployError, match="défaut interne"):
        decide(*many, enrich=broken)


def test_the_log_tells_what_is_known() -> None:
    """What the cache would hold is what is read back from `traverse.accepted`."""
    admitted = decide(inbound(event()))
    (kept,) = admitted.accepted
    assert [known_from_log(kept.partition, kept.key, kept.headers)] == admitted.known
    assert known_from_log(0, kept.key, ()) is None
