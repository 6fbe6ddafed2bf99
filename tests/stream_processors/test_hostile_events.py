"""What any stranger can send: valid or not, it stops no process and slows none for long."""

from functools import partial
from time import process_time
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from tests.stream_processors.factory import call_data, event, inbound, octets
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.events import EVENT_TYPES, event_adapter
from traverse_schemas.log.topics import (
    INBOUND,
    MAX_EVENT_BYTES,
    OPPORTUNITIES,
    PARTITIONS,
    RECORDS,
    REJECTED,
    TOPICS,
)
from traverse_schemas.reference.cpv import cpv_table
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.enriching.text import clean_text
from traverse_stream_processors.linking.link import form
from traverse_stream_processors.validating.admit import Admitted, admit
from traverse_stream_processors.validating.check import Inbound, check
from traverse_stream_processors.validating.validate import validate

_LIMITS = {topic.name: int(topic.config["max.message.bytes"]) for topic in TOPICS}
_SLOW = 0.5
"""Seconds; the defects shown here took from 1 to 10, what remains a tenth of this."""


def decide(*messages: Inbound, after: Admitted | None = None) -> Admitted:
    """What a batch comes to with the real enrichment."""
    territories = Territories.load()
    apply = partial(enrich, territories=territories, institutions=Institutions(territories, {}))
    states = {key: state for key, _, state in after.states} if after else {}
    return admit(check(messages, territories, None), {}, states, apply, PARTITIONS)


def document_of(whole: dict[str, Any]) -> dict[str, Any]:
    """The document that one event comes to."""
    message = form(orjson.loads(decide(inbound(whole)).states[0][2]))
    assert message is not None
    return dict(message["document"])


def largest_places() -> list[str]:
    """The thousand postal codes that name most communes."""
    territories = Territories.load()
    codes = [f"{number:05d}" for number in range(1000, 98000)]
    codes.sort(key=lambda code: -len(territories.communes_of_postal(code)))
    return [f"cp:{code}" for code in codes[:1000]]


def sizes(admitted: Admitted) -> dict[str, int]:
    """The largest message for each topic, with its key and headers, in octets."""
    found: dict[str, int] = {}
    for one in (*admitted.effects, *admitted.accepted):
        size = len(one.key) + len(one.value or b"")
        size += sum(len(name) + len(value) for name, value in one.headers)
        found[one.topic] = max(size, found.get(one.topic, 0))
    return found


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "0999-01-01T00:00:00Z"])
def test_a_time_that_no_zone_computes_is_the_publishers_fault(time: str) -> None:
    with pytest.raises(RejectedError) as refused:
        validate(octets(event(time=time)), inbound(event()).received, Territories.load())
    assert (refused.value.reason, refused.value.pointer) == (Reason.INVALID_ENVELOPE, "/time")


def test_the_last_hour_of_the_calendar_is_in_the_future() -> None:
    whole = event(time="9999-12-31T23:59:59-14:00")
    with pytest.raises(RejectedError) as refused:
        validate(octets(whole), inbound(event()).received, Territories.load())
    assert refused.value.reason is Reason.IN_THE_FUTURE


def test_a_contract_for_ever_ends_with_the_calendar() -> None:
    """A batch of them stopped the process, as a defect of ours."""
    data = call_data(notified="9999-12-31", duration_months=1200)
    assert document_of(event(data=data))["end_max"] == "9999-12-31"


def test_dates_have_one_form_in_the_document() -> None:
    """1700006400 is 2023-11-15 for the model, and a day of January 1970 for the index."""
    document = document_of(event(data=call_data(notified="1700006400", expires="2100-01-01")))
    assert (document["notified"], document["expires"]) == ("2023-11-15", "2100-01-01")


def test_a_period_named_otherwise_is_still_one_that_the_index_knows() -> None:
    data = {
        "title": "Papier",
        "subtype": "purchase",
        "place": ["com:13040"],
        "window": {"start": "2026-01-01", "end": "2026-06-30"},
    }
    document = document_of(event(kind="need", data=data))
    assert document["window"] == {"from": "2026-01-01", "to": "2026-06-30"}


def test_tens_of_thousands_of_cpv_codes_make_no_record_that_kafka_refuses() -> None:
    codes = [f"{number * 1733:08d}" for number in range(6000, 50000)]
    whole = event(data=call_data(lots=[{"number": "1", "cpv": codes}]))
    found = sizes(decide(inbound(whole)))
    assert found[RECORDS] < _LIMITS[RECORDS] / 2


def test_the_largest_record_with_the_largest_closing_is_none_that_kafka_refuses() -> None:
    """Each event is near its limit, and what enrichment adds is the most that it can add."""
    holders = [{"name": "x" * 500, "id": "y" * 40, "role": "leader"}] * 900
    lots = [{"number": "1", "cpv": sorted(cpv_table(), key=lambda code: code.rstrip("0"))}]
    data = call_data(place=largest_places(), lots=lots, holders=holders[:700])
    first = decide(inbound(event(data=data)))
    closing = {"outcome": "awarded", "holders": holders}
    both = decide(inbound(event("closed", id="e-2", data=closing)), after=first)
    assert sizes(first)[RECORDS] < sizes(both)[RECORDS] < _LIMITS[RECORDS]
    formed = form(orjson.loads(both.states[0][2]))
    assert len(orjson.dumps(formed)) < _LIMITS[OPPORTUNITIES]


def test_the_reason_of_a_rejection_repeats_no_key_of_half_a_mebibyte() -> None:
    data = {"~" * (MAX_EVENT_BYTES - 1000): 1}
    found = sizes(decide(inbound(event("withdrawn", data=data))))
    assert found[REJECTED] < MAX_EVENT_BYTES + 10_000


def test_an_event_on_the_wrong_partition_leaves_a_megabyte_of_headers_behind() -> None:
    """With a key and one header more, the copy was too large for the topic it came from."""
    good = inbound(event())
    headers = (("junk", b"x" * (_LIMITS[INBOUND] - len(good.value) - 100)),)
    elsewhere = good._replace(partition=(good.partition + 1) % PARTITIONS, headers=headers)
    found = sizes(decide(elsewhere))
    assert set(found) == {INBOUND}
    assert found[INBOUND] < MAX_EVENT_BYTES


@pytest.mark.parametrize(
    "data",
    [
        call_data(references=[""] * 170_000),
        call_data(techniques=["x"] * 125_000),
        call_data(**{f"k{number}": 1 for number in range(45_000)}),
    ],
    ids=["empty references", "unknown techniques", "unknown fields"],
)
def test_a_hundred_thousand_faults_are_not_told_one_by_one(data: dict[str, Any]) -> None:
    raw, received = octets(event(data=data)), inbound(event()).received
    territories = Territories.load()  # not part of what is timed
    adapter = event_adapter(EVENT_TYPES[event()["type"]])
    start = process_time()
    with pytest.raises(ValidationError):
        adapter.validate_json(raw)
    found = process_time()
    with pytest.raises(RejectedError) as refused:
        validate(raw, received, territories)
    # Telling them apart took ten times as long as finding them.
    assert process_time() - found < 3 * (found - start) + _SLOW
    assert refused.value.reason is Reason.INVALID_DATA


def test_white_space_without_a_line_break_costs_no_more_than_other_text() -> None:
    start = process_time()
    assert clean_text("x" + "\u3000" * 49_000 + "x\ny").endswith("x\ny")
    assert process_time() - start < _SLOW


def test_a_thousand_shouting_lots_in_a_thousand_places_cost_little() -> None:
    lots = [{"number": str(n), "title": "TRAVAUX DE VOIRIE COMMUNALE"} for n in range(1000)]
    message = inbound(event(data=call_data(place=largest_places(), lots=lots)))
    decide(message)  # reads the tables
    start = process_time()
    decide(message)
    assert process_time() - start < _SLOW
