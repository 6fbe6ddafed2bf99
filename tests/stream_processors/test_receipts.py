"""Receipts: each event of a batch gets one, from the step that ends it."""

from typing import Any, cast

import orjson

from tests.stream_processors.factory import CCI, event, inbound
from tests.stream_processors.validating.test_admit import decide, on
from traverse_schemas.log.receipts import EVENT_HEADER, TRACE_HEADER, End, Traced, read_trace
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import RECEIPTS, RECORDS, REJECTED
from traverse_stream_processors.indexing.work import Changed
from traverse_stream_processors.linking.link import form
from traverse_stream_processors.log import Message
from traverse_stream_processors.receipts import Fate, receipts_of
from traverse_stream_processors.validating.admit import Admitted

LATER = "2026-11-21T10:00:00Z"
LAST = "2026-11-22T10:00:00Z"


def changed(admitted: Admitted) -> list[Changed]:
    """What the index step reads of it."""
    return [
        Changed(
            partition=message.partition,
            offset=offset,
            key=message.key,
            value=message.value or b"",
            trace=dict(message.headers).get(TRACE_HEADER, b""),
            time=1000 + offset,
        )
        for offset, message in enumerate(on(RECORDS, admitted.effects))
    ]


def indexed(*batches: Admitted, refused: str | None = None) -> dict[str, dict[str, Any]]:
    """The receipts by event id, when the index step reads these batches at once."""
    batch = [one for admitted in batches for one in changed(admitted)]
    fates = {}
    for one in batch:
        message = form(cast(RecordState, orjson.loads(one.value or b"")))
        if message is not None:
            fates[one.key] = Fate(message["id"], message["document"]["stub"], refused)
    return read(receipts_of(batch, fates, 2000))


def read(messages: list[Message]) -> dict[str, dict[str, Any]]:
    found = [orjson.loads(message.value or b"") for message in messages]
    assert len({one["id"] for one in found}) == len(found)
    return {one["id"]: one for one in found}


def said(admitted: Admitted) -> dict[str, str]:
    """The ends that the validate step tells, by event id."""
    return {name: one["end"] for name, one in read(on(RECEIPTS, admitted.effects)).items()}


def test_an_ordinary_event_gets_one_receipt_with_its_whole_way() -> None:
    admitted = decide(inbound(event(), offset=41))
    assert said(admitted) == {}
    (receipt,) = indexed(admitted).values()
    assert receipt.pop("opportunity")
    assert receipt == {
        "source": CCI,
        "id": "e-1",
        "end": "searchable",
        "origin": f"{changed(admitted)[0].partition}@41",
        "received": 1795510800000,
        "validated": 1000,
        "linked": 2000,
    }


def test_the_events_of_one_record_in_one_batch_each_get_theirs() -> None:
    """They fold to one message: it brings those that it shows, the others end at once."""
    admitted = decide(
        inbound(event(id="1"), offset=1),
        inbound(event("updated", id="2", time=LATER), offset=2),
        inbound(event("updated", id="3", time=LAST), offset=3),
    )
    assert said(admitted) == {"2": End.SUPERSEDED}
    assert {name: one["end"] for name, one in indexed(admitted).items()} == {
        "1": End.SEARCHABLE,
        "3": End.SEARCHABLE,
    }


def test_states_that_the_index_step_reads_at_once_each_get_theirs() -> None:
    first = decide(inbound(event(id="1")))
    second = decide(inbound(event("updated", id="2", time=LATER), offset=1), after=first)
    third = decide(
        inbound(event("updated", id="3", time=LAST), offset=2),
        after=second._replace(known=[*first.known, *second.known]),
    )
    assert {name: one["end"] for name, one in indexed(first, second, third).items()} == {
        "1": End.SEARCHABLE,
        "2": End.SUPERSEDED,
        "3": End.SEARCHABLE,
    }


def test_an_older_version_is_superseded() -> None:
    first = decide(inbound(event("updated", id="2", time=LATER)))
    late = decide(inbound(event("updated", id="1"), offset=1), after=first)
    assert said(late) == {"1": End.SUPERSEDED}


def test_a_duplicate_is_told_of_under_its_own_origin() -> None:
    first = decide(inbound(event(), offset=1))
    again = decide(inbound(event(), offset=9), after=first)
    (receipt,) = read(on(RECEIPTS, again.effects)).values()
    assert receipt["end"] == End.DUPLICATE
    assert receipt["origin"].endswith("@9")


def test_a_withdrawal_ends_withdrawn_and_what_it_took_is_superseded() -> None:
    admitted = decide(
        inbound(event(id="1")), inbound(event("withdrawn", id="2", time=LATER), offset=1)
    )
    assert said(admitted) == {"1": End.SUPERSEDED}
    assert {name: one["end"] for name, one in indexed(admitted).items()} == {"2": End.WITHDRAWN}


def test_a_closing_without_content_waits_and_ends_when_the_content_comes() -> None:
    closing = decide(inbound(event("closed", id="2", time=LATER)))
    assert {name: one["end"] for name, one in indexed(closing).items()} == {"2": End.WAITING}
    admitted = decide(inbound(event(id="1"), offset=1), after=closing)
    found = indexed(admitted)
    assert {name: one["end"] for name, one in found.items()} == {
        "1": End.SEARCHABLE,
        "2": End.SEARCHABLE,
    }
    assert "origin" not in found["2"]


def test_a_document_that_elasticsearch_refuses_is_rejected_with_its_sentence() -> None:
    (receipt,) = indexed(decide(inbound(event())), refused="Elasticsearch refuse.").values()
    assert (receipt["end"], receipt["reason"]) == ("rejected", "document_refused")
    assert receipt["sentence"] == "Elasticsearch refuse."


def test_killed_before_it_was_known_an_event_is_traced_by_the_state_that_is_written() -> None:
    """The state is on the log, the event not yet on accepted: read again, nothing is written
    twice, and the message that is there has the trace."""
    once = decide(inbound(event()))
    again = decide(inbound(event()), after=once._replace(known=[]))
    assert on(RECORDS, again.effects) == []
    assert said(again) == {}
    assert list(indexed(once)) == ["e-1"]


def test_a_rejection_names_the_event_where_it_can_be_read() -> None:
    messages = (
        inbound(event(time=None)), inbound(b"{", offset=1), inbound(b'{"id": 3}', offset=2)
    )  # fmt: skip
    headers = [dict(one.headers) for one in on(REJECTED, decide(*messages).effects)]
    assert [one.get(EVENT_HEADER) for one in headers] == [
        b'["urn:siren:181300013","e-1"]', None, None,
    ]  # fmt: skip


def test_a_trace_is_read_as_it_was_written() -> None:
    assert read_trace(b"") == []
    assert read_trace(b'[["\xc3\xa9",1,"0@2"],["x",null,null]]') == [
        Traced("é", 1, "0@2"),
        Traced("x", None, None),
    ]
