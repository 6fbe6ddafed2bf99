"""People's word on two records: checked, kept, and handed to linking."""

from typing import Any

import orjson
import pytest

from tests.stream_processors.factory import CCI, event, inbound
from tests.stream_processors.validating.test_admit import decide, on
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.receipts import TRACE_HEADER, End
from traverse_schemas.log.topics import ACCEPTED, DECISIONS, EVENTS, RECEIPTS, RECORDS, REJECTED
from traverse_stream_processors.indexing.work import Changed
from traverse_stream_processors.receipts import receipts_of_words

RECORDS_SAID = [
    {"source": CCI, "subject": "VOIRIE-2026"},
    {"source": "urn:siren:211300405", "subject": "VOI-14"},
]


def said(word: str = "not_same", **changes: Any) -> dict[str, Any]:
    data = {"records": changes.pop("records", RECORDS_SAID), "reason": "Deux tranches."}
    return event(word, kind="link", subject="D-1", data=data, **changes)


def test_a_decision_is_accepted_and_kept_for_linking() -> None:
    admitted = decide(inbound(said()))
    assert len(on(ACCEPTED, admitted.accepted)) == 1
    (message,) = on(DECISIONS, admitted.effects)
    assert orjson.loads(message.value or b"") == {
        "source": CCI,
        "subject": "D-1",
        "version": [0, "2026-11-20T09:00:00.000000Z", "e-1"],
        "word": "not_same",
        "records": [
            opportunity_id(CCI, "VOIRIE-2026"),
            opportunity_id("urn:siren:211300405", "VOI-14"),
        ],
    }
    for topic in (RECORDS, REJECTED, *EVENTS.values()):
        assert on(topic, admitted.effects) == []
    # Its receipt is written by who links, once it is taken into account.
    assert on(RECEIPTS, admitted.effects) == []
    trace = dict(message.headers)[TRACE_HEADER]
    brought = Changed(2, 7, message.key, message.value, trace, time=4, topic=DECISIONS)
    (receipt,) = receipts_of_words([brought], linked=5)
    told = orjson.loads(receipt.value or b"")
    assert (told["source"], told["id"], told["end"]) == (CCI, "e-1", End.COUNTED)
    assert (told["validated"], told["linked"]) == (4, 5)
    assert {"received", "origin"} <= told.keys()


def test_a_repeated_decision_is_a_duplicate() -> None:
    admitted = decide(inbound(said(), offset=1), inbound(said(), offset=2))
    assert len(on(DECISIONS, admitted.effects)) == 1
    ends = [orjson.loads(one.value or b"")["end"] for one in on(RECEIPTS, admitted.effects)]
    assert ends == ["duplicate"]


@pytest.mark.parametrize(
    ("records", "pointer"),
    [
        (RECORDS_SAID[:1], b"/data/records"),
        ([RECORDS_SAID[0], RECORDS_SAID[0]], b"/data"),
        ([RECORDS_SAID[0], {"source": "nobody", "subject": "X"}], b"/data/records/1/source"),
    ],
)
def test_a_decision_on_no_two_records_is_refused(records: Any, pointer: bytes) -> None:
    admitted = decide(inbound(said(records=records)))
    (message,) = on(REJECTED, admitted.effects)
    assert dict(message.headers)["pointer"] == pointer


def test_a_word_on_a_grouping_is_kept_with_the_record_that_it_is_of() -> None:
    data = {
        "grouping": "0123abcd" + "a" * 16,
        "record": {"source": CCI, "subject": "DAE"},
        "on": "2026-11-19",
    }
    admitted = decide(inbound(event("deliberated", kind="grouping", subject="G-1", data=data)))
    (message,) = on(DECISIONS, admitted.effects)
    assert orjson.loads(message.value or b"") == {
        "source": CCI,
        "subject": "G-1",
        "version": [0, "2026-11-20T09:00:00.000000Z", "e-1"],
        "word": "deliberated",
        "records": [opportunity_id(CCI, "DAE")],
        "grouping": "0123abcd" + "a" * 16,
        "on": "2026-11-19",
    }
    assert on(RECORDS, admitted.effects) == []
    refused = decide(inbound(event("deliberated", kind="grouping", data={**data, "grouping": "x"})))
    assert dict(on(REJECTED, refused.effects)[0].headers)["pointer"] == b"/data/grouping"
