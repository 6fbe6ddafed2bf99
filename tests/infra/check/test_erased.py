"""The proof finds what is left of an erased record, and says when the last copy goes."""

from typing import Any

import orjson
import pytest

from tests.stream_processors.factory import CCI, event
from traverse_infra.check.erased import Proof, erased_records, examine_compacted, examine_kept
from traverse_infra.check.words import silenced
from traverse_schemas.decisions import LinkWord
from traverse_schemas.log.identity import event_key, opportunity_id, record_key
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import ACCEPTED, GROUPINGS, INBOUND, LINKS, OPPORTUNITIES, RECORDS
from traverse_stream_processors.validating.validate import accepted_before

DAY = 24 * 3600 * 1000
NOON = 1795510800000  # 2026-11-24, 10:00 in Paris
UNTIL = "2026-11-22T10:00:00.000000Z"
FIRST = event(id="1")
ERASURE = event("withdrawn", id="3", time="2026-11-22T10:00:00Z", data={"reason": "erasure"})
KEY = record_key(CCI, "VOIRIE-2026").encode()


def message(topic: str, key: bytes, value: Any, time: int = NOON) -> LogMessage:
    octets = None if value is None else orjson.dumps(value)
    return LogMessage(topic, 0, 0, time, key, octets, {})


def key(whole: dict[str, Any]) -> bytes:
    return event_key(whole["source"], whole["subject"], whole["id"]).encode()


def state(content: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    life = {"version": [0, UNTIL, "3"], "state": "withdrawn"}
    whole = {"source": CCI, "subject": "VOIRIE-2026", "content": content, "life": life}
    return {**whole, "withdrawn": life["version"], **more}


ERASED = erased_records([message(RECORDS, KEY, state(purged=UNTIL))])


def proof_of(topic: str, *messages: LogMessage) -> Proof:
    proof = Proof(len(ERASED))
    examine_compacted(topic, messages, ERASED, proof)
    return proof


def test_only_what_an_erasure_marked_is_erased() -> None:
    other = message(RECORDS, b"urn:siren:181300013 AUTRE", state())
    assert erased_records([other, message(RECORDS, KEY, None)]) == {}
    assert list(ERASED) == [KEY.decode()]


def test_a_tombstone_leaves_a_copy_that_waits_for_compaction() -> None:
    proof = proof_of(
        ACCEPTED,
        message(ACCEPTED, key(FIRST), FIRST),
        message(ACCEPTED, key(FIRST), None, NOON + 1000),
        message(ACCEPTED, key(ERASURE), ERASURE),
    )
    assert proof.sound
    assert proof.waiting == {ACCEPTED: 1}
    assert proof.gone_by is not None
    assert proof.gone_by.timestamp() * 1000 == NOON + 1000 + DAY + 60_000
    assert any("25/11/2026 à 10:01" in line for line in proof.lines())


def test_an_event_without_its_tombstone_is_found() -> None:
    proof = proof_of(ACCEPTED, message(ACCEPTED, key(FIRST), FIRST))
    assert not proof.sound
    assert any("VOIRIE-2026" in line for line in proof.lines())


def test_a_record_that_quotes_the_type_of_a_word_is_no_word() -> None:
    quoting = event(id="1", data={"title": 'dit "fr.traverse.link.not_same.v1"'})
    assert not proof_of(ACCEPTED, message(ACCEPTED, key(quoting), quoting)).sound


def test_what_was_said_after_the_erasure_may_be_there() -> None:
    later = event(id="9", time="2026-11-23T10:00:00Z")
    assert proof_of(ACCEPTED, message(ACCEPTED, key(later), later)) == Proof(1)


def test_a_record_and_its_opportunity_must_have_no_content() -> None:
    content = {"version": [0, "2026-11-20T10:00:00.000000Z", "1"], "content": {}}
    assert not proof_of(RECORDS, message(RECORDS, KEY, state(content))).sound
    assert proof_of(RECORDS, message(RECORDS, KEY, state())).sound
    source = {"source": CCI, "subject": "VOIRIE-2026", "updated_at": UNTIL}
    whole = {"id": "autre", "document": {"stub": False, "sources": [source]}}
    assert not proof_of(OPPORTUNITIES, message(OPPORTUNITIES, b"autre", whole)).sound
    stub = {"id": opportunity_id(CCI, "VOIRIE-2026"), "document": {"stub": True}}
    cleared = message(OPPORTUNITIES, b"autre", {**stub, "id": "autre"})
    assert proof_of(OPPORTUNITIES, cleared).sound


def word(time: str = "2026-11-21T10:00:00Z", **data: Any) -> dict[str, Any]:
    """What somebody else said of the record that was erased since, and of another."""
    records = [{"source": "urn:siren:211300405", "subject": "A"},
               {"source": CCI, "subject": "VOIRIE-2026"}]  # fmt: skip
    said = {"records": records, "reason": "Vu avec M. Untel.", **data}
    return event("not_same", kind="link", subject="D-1", id="w", time=time, data=said)


@pytest.mark.parametrize("topic", [ACCEPTED, INBOUND])
def test_what_people_wrote_of_an_erased_record_is_found(topic: str) -> None:
    """Under the key of who said it; the word without its text may stay, and so may a later one."""
    told, later = word(), word("2026-11-23T10:00:00Z")
    examine = examine_compacted if topic == ACCEPTED else examine_kept
    for said, sound, waiting in (
        ([told], topic == INBOUND, 1), ([told, orjson.loads(silenced(told))], True, 1),
        ([later], True, 0), ([word(records=[{"source": CCI, "subject": "X"}] * 2)], True, 0),
        ([word(records=None, record={"source": CCI, "subject": "VOIRIE-2026"})],
         topic == INBOUND, 1),
        # As nobody checked it: records that are none, a moment before the first year in UTC.
        ([word(records=5)], True, 0),
        ([word("0001-01-01T00:00:00+14:00")], topic == INBOUND, 1),
    ):  # fmt: skip
        proof = Proof(len(ERASED))
        examine(topic, [message(topic, key(one), one) for one in said], ERASED, proof)
        assert (proof.sound, proof.waiting.get(topic, 0)) == (sound, waiting)
    data = accepted_before(silenced(told)).event.data
    assert isinstance(data, LinkWord)
    assert data.reason is None


def test_links_of_an_erased_record_must_end() -> None:
    linked = f"{opportunity_id(CCI, 'VOIRIE-2026')} autre".encode()
    link = {"reason": "même objet (voirie)"}
    assert not proof_of(LINKS, message(LINKS, linked, link)).sound
    ended = proof_of(LINKS, message(LINKS, linked, link), message(LINKS, linked, None))
    assert (ended.sound, ended.waiting) == (True, {LINKS: 1})
    assert proof_of(LINKS, message(LINKS, b"un autre", link)) == Proof(1)


def grouping_of(*records: str) -> dict[str, Any]:
    members = [{"record": one, "title": "Voirie"} for one in records]
    return {"id": "g", "layer": "public", "grouping": {"id": "g", "members": members}}


def test_no_grouping_may_have_an_erased_record() -> None:
    gone = opportunity_id(CCI, "VOIRIE-2026")
    held = message(GROUPINGS, b"g", grouping_of("a", gone))
    assert not proof_of(GROUPINGS, held).sound
    for after in (None, {"id": "g", "layer": "public", "moved_to": "h"}, grouping_of("a", "b")):
        proof = proof_of(GROUPINGS, held, message(GROUPINGS, b"g", after))
        assert (proof.sound, proof.waiting) == (True, {GROUPINGS: 1})
    assert proof_of(GROUPINGS, message(GROUPINGS, b"h", grouping_of("a", "b"))) == Proof(1)
    # Nor among those who could join, nor as a copy.
    for apart in ({"others": [{"record": gone}]}, {"others": [{"record": "c", "copies": [gone]}]}):
        whole = grouping_of("a", "b")
        whole["grouping"] |= apart
        assert not proof_of(GROUPINGS, message(GROUPINGS, b"g", whole)).sound


def test_no_other_opportunity_may_show_an_erased_record_beside_itself() -> None:
    link = {"type": "joint", "id": opportunity_id(CCI, "VOIRIE-2026"), "title": "Voirie"}
    document = {"stub": False, "sources": [], "links": [link]}
    shows = message(OPPORTUNITIES, b"autre", {"id": "autre", "document": document})
    assert not proof_of(OPPORTUNITIES, shows).sound
    without = {"id": "autre", "document": {**document, "links": []}}
    proof = proof_of(OPPORTUNITIES, shows, message(OPPORTUNITIES, b"autre", without))
    assert (proof.sound, proof.waiting) == (True, {OPPORTUNITIES: 1})


def test_what_was_sent_goes_with_its_segment() -> None:
    proof = Proof(1)
    messages = [
        message(INBOUND, b"", FIRST),
        message(INBOUND, b"", [1]),
        message(INBOUND, b"", {**FIRST, "time": "0001-01-01T00:00:00+14:00"}),
        message(INBOUND, b"", None),
    ]
    examine_kept(INBOUND, messages, ERASED, proof)
    assert proof.waiting == {INBOUND: 2}
    assert proof.gone_by is not None
    assert proof.gone_by.timestamp() * 1000 == NOON + 8 * DAY + 60_000


def test_nothing_left_is_said() -> None:
    assert "Aucune copie ne reste sur les disques de Kafka." in list(Proof(1).lines())
