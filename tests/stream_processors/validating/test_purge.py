"""An erasure takes every event of its record from the log, and nothing older comes back."""

from typing import Any

import orjson

from tests.stream_processors.factory import event, inbound
from tests.stream_processors.test_receipts import indexed, said
from tests.stream_processors.validating.test_admit import decide, on
from traverse_schemas.log.identity import event_key
from traverse_schemas.log.receipts import End
from traverse_schemas.log.topics import ACCEPTED, EVENTS, RECORDS
from traverse_stream_processors.validating.admit import Admitted

LATER = "2026-11-21T10:00:00Z"
LAST = "2026-11-22T10:00:00Z"
FIRST = event(id="1")
SECOND = event("updated", id="2", time=LATER)
ERASURE = event("withdrawn", id="3", time=LAST, data={"reason": "erasure"})


def key(whole: dict[str, Any]) -> bytes:
    return event_key(whole["source"], whole["subject"], whole["id"]).encode()


def left(topic: str, *batches: Admitted) -> dict[bytes, bytes]:
    """What compaction would leave of a topic."""
    found: dict[bytes, bytes] = {}
    for batch in batches:
        for message in on(topic, [*batch.effects, *batch.accepted]):
            if message.value is None:
                found.pop(message.key, None)
            else:
                found[message.key] = message.value
    return found


def both(*batches: Admitted) -> Admitted:
    """Batches in a row, as what is known after them."""
    return Admitted(
        effects=[],
        accepted=[],
        states=[each for batch in batches for each in batch.states],
        known=[
            each
            for batch in batches
            for each in batch.known
            if not any(each.id in later.forgotten for later in batches)
        ],
        forgotten=[],
    )


def test_every_event_of_the_record_gets_a_tombstone_and_the_erasure_stays() -> None:
    first = decide(inbound(FIRST), inbound(SECOND, offset=1))
    erased = decide(inbound(ERASURE, offset=2), after=first)
    assert left(ACCEPTED, first, erased) == {key(ERASURE): orjson.dumps(ERASURE)}
    assert left(EVENTS["call"], first, erased) == {key(ERASURE): orjson.dumps(ERASURE)}
    (state,) = left(RECORDS, first, erased).values()
    assert b"voirie" not in state.lower().replace(b"voirie-2026", b"")
    assert said(erased) == {"1": End.PURGED, "2": End.PURGED}
    assert {name: one["end"] for name, one in indexed(erased).items()} == {"3": End.PURGED}
    assert {each.event for each in first.known if each.id in erased.forgotten} == {"1", "2"}


def test_events_of_the_same_batch_are_taken_too() -> None:
    erased = decide(inbound(FIRST), inbound(SECOND, offset=1), inbound(ERASURE, offset=2))
    assert left(ACCEPTED, erased) == {key(ERASURE): orjson.dumps(ERASURE)}
    assert said(erased) == {"1": End.PURGED, "2": End.PURGED}


def test_what_was_never_public_is_not_named_on_the_public_topics() -> None:
    need = {
        "title": "Besoin", "subtype": "purchase", "place": ["com:13040"], "visibility": "buyers",
        "window": {"from": "2027-01-01", "to": "2027-06-30"},
    }  # fmt: skip
    hidden = decide(inbound(event(kind="need", id="1", data=need)))
    gone = {**ERASURE, "type": "fr.traverse.need.withdrawn.v1"}
    erased = decide(inbound(gone, offset=1), after=hidden)
    assert on(EVENTS["need"], erased.effects) == []
    assert left(ACCEPTED, hidden, erased) == {key(gone): orjson.dumps(gone)}


def test_what_was_published_as_another_kind_is_taken_too() -> None:
    project = {"title": "Voirie", "subtype": "project", "place": ["com:13040"]}
    first = decide(inbound(event(kind="project", id="1", data=project)))
    second = decide(inbound(SECOND, offset=1), after=first)
    erased = decide(inbound(ERASURE, offset=2), after=both(first, second))
    assert left(EVENTS["project"], first, second, erased) == {}
    assert left(EVENTS["call"], first, second, erased).keys() == {key(ERASURE)}


def test_an_older_event_never_comes_back_and_a_newer_one_may() -> None:
    first = decide(inbound(FIRST))
    erased = decide(inbound(ERASURE, offset=1), after=first)
    after = both(first, erased)
    late = event("updated", id="late", time=LATER, sequence=7)
    again = decide(inbound(FIRST, offset=2), inbound(late, offset=3), after=after)
    assert said(again) == {"1": End.PURGED, "late": End.PURGED}
    assert again.accepted == []
    assert on(RECORDS, again.effects) == []
    newer = event(id="new", time="2026-11-23T10:00:00Z")
    back = decide(inbound(newer, offset=4), after=after)
    assert {name: one["end"] for name, one in indexed(back).items()} == {"new": End.SEARCHABLE}


def test_killed_before_the_erasure_was_known_it_is_done_again() -> None:
    first = decide(inbound(FIRST))
    erased = decide(inbound(ERASURE, offset=1), after=first)
    killed = first._replace(states=erased.states)  # the records were written, no more
    again = decide(inbound(ERASURE, offset=1), after=killed)
    assert again.accepted == erased.accepted
    assert left(EVENTS["call"], first, erased, again) == left(EVENTS["call"], first, erased)
    # And once more, when only the tombstones were there: the event is not in the cache any more.
    restored = killed._replace(known=[])
    once_more = decide(inbound(ERASURE, offset=1), after=restored)
    assert left(ACCEPTED, first, again, once_more) == {key(ERASURE): orjson.dumps(ERASURE)}


def test_an_erasure_that_comes_twice_is_a_duplicate() -> None:
    first = decide(inbound(FIRST))
    erased = decide(inbound(ERASURE, offset=1), after=first)
    again = decide(inbound(ERASURE, offset=2), after=both(first, erased))
    assert again.accepted == []
    assert said(again) == {"3": End.DUPLICATE}


def test_a_rebuild_from_what_is_left_keeps_it_erased() -> None:
    first = decide(inbound(FIRST), inbound(SECOND, offset=1))
    erased = decide(inbound(ERASURE, offset=2), after=first)
    kept = left(ACCEPTED, first, erased).values()
    rebuilt = decide(*(inbound(orjson.loads(value)) for value in kept))
    (before,) = (orjson.loads(state) for _, _, state in erased.states)
    (after,) = (orjson.loads(state) for _, _, state in rebuilt.states)
    assert after == {**before, "indices": []}
    again = decide(inbound(FIRST, offset=3), inbound(SECOND, offset=4), after=rebuilt)
    assert said(again) == {"1": End.PURGED, "2": End.PURGED}
    assert again.states == []
