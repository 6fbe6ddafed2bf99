"""An erasure removes a record everywhere, whatever is killed, and it stays removed."""

from functools import partial

import orjson
import pytest

from tests.journey.harness import RARELY, Ends, Journey, sent, until
from tests.journey.traces import Traces
from tests.signing import signature
from tests.stream_processors.factory import CCI, call_data, event, octets
from traverse_infra.check.compare import compare
from traverse_infra.check.erased import Proof, prove
from traverse_infra.check.ledger import What
from traverse_infra.privacy.find import find
from traverse_infra.privacy.local_files import erase, files_under
from traverse_infra.privacy.local_files import left as left_in_files
from traverse_infra.privacy.purge import UnknownRecordError, purge
from traverse_producers.outbox.durable_queue import DurableQueue, Message
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.clock import SystemClock
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.log.identity import opportunity_id, record_key
from traverse_schemas.log.receipts import End
from traverse_schemas.log.topics import ACCEPTED, EVENTS, INBOUND, OPPORTUNITIES, RECORDS, REJECTED
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

pytestmark = [pytest.mark.engines, pytest.mark.long]

CANARY = "Canari mauve de Rousset"
ERASED = 40
KEPT_TOPICS = (ACCEPTED, RECORDS, OPPORTUNITIES, *EVENTS.values())


def left(journey: Journey, topic: str) -> list[bytes]:
    """What compaction will leave of a topic."""
    last = {one.key: one.value for one in journey.read(topic)}
    return [value for value in last.values() if value is not None]


def test_killed_in_the_middle_of_erasures_going_on_finishes_them(journey: Journey) -> None:
    """The validate step is killed twice while forty records are erased, then its state is lost."""
    first = [
        event(id=f"er-{number}", subject=f"ER-{number}", data=call_data(title=f"{CANARY} {number}"))
        for number in range(ERASED)
    ]
    second = [
        event("updated", id=f"er-{number}-2", subject=f"ER-{number}", time="2026-11-21T10:00:00Z",
              data=call_data(title=f"{CANARY} bis {number}"))
        for number in range(ERASED)
    ]  # fmt: skip
    other = event(id="er-other", subject="ER-OTHER", data=call_data(title="Reste là"))
    erasures = [
        event("withdrawn", id=f"er-{number}-3", subject=f"ER-{number}",
              time="2026-11-22T10:00:00Z", data={"reason": "erasure"})
        for number in range(ERASED)
    ]  # fmt: skip
    journey.start(batch_size="3", **RARELY)
    journey.publish(*first, *second, other)
    assert len(left(journey, ACCEPTED)) == 2 * ERASED + 1
    ends = Ends(journey.kafka, RECORDS)
    before = ends.count()
    for done in range(0, ERASED, ERASED // 2):
        journey.send([sent(whole) for whole in erasures[done : done + ERASED // 2]])
        until(partial(_more, ends, before + done + 5), "erasures under way")
        validate = next(worker for worker in journey.workers if worker.step == "validate")
        validate.kill()
        journey.workers.remove(validate)
        journey.start("validate", batch_size="3", **RARELY)
    ends.close()
    journey.settle()
    for topic in KEPT_TOPICS:
        assert not any(CANARY.encode() in value for value in left(journey, topic)), topic
    assert len(left(journey, ACCEPTED)) == ERASED + 1
    with journey.client() as client:
        everything = client.search(index=PUBLIC_ALIAS, size=1000)["hits"]["hits"]
    assert CANARY not in repr(everything)
    assert len(everything) == ERASED + 1
    traces = Traces(journey)
    for whole in (*first, *second, *erasures):
        assert traces.end(CCI, whole["id"]) == End.PURGED
    assert traces.end(CCI, "er-other") == End.SEARCHABLE
    proof = prove(journey.kafka, journey.elasticsearch)
    assert (proof.records, proof.found) == (ERASED, [])
    assert proof.gone_by is not None

    # The caches are lost, and everything is sent again: nothing comes back.
    journey.stop_step("validate")
    for path in (journey.home / "state").glob("validate-*"):
        path.unlink()
    journey.start("validate")
    journey.publish(*first, *second, *erasures)
    assert prove(journey.kafka, journey.elasticsearch).found == []
    assert len(left(journey, ACCEPTED)) == ERASED + 1
    assert compare(journey.kafka, journey.elasticsearch).sound


def test_a_person_is_found_everywhere_and_an_operator_erases_the_record(journey: Journey) -> None:
    """What is left is what waits on Kafka's disks."""
    journey.start()
    person = "Bérénice Témoin"
    data = call_data(contact={"name": person, "email": "b.temoin@exemple.fr"})
    whole = event(id="pv-1", subject="PV-1", data=data)
    refused = event(id="pv-2", subject="PV-1", data=call_data(title=None, description=person))
    named = [{"source": CCI, "subject": one} for one in ("PV-3", "PV-1")]
    word = event("not_same", kind="link", id="pv-4", subject="PV-4",
                 data={"records": named, "reason": f"Vu avec {person}."})  # fmt: skip
    journey.publish(whole, refused, event(id="pv-3", subject="PV-3"), word)

    def places(*, current: bool) -> set[str]:
        found = find("berenice temoin", journey.kafka, journey.elasticsearch, ())
        return {one.place for one in found if one.current is current}

    log = {ACCEPTED, RECORDS, OPPORTUNITIES, EVENTS["call"]}
    passing = {INBOUND, REJECTED}
    assert places(current=True) == log | passing | {f"index {PUBLIC_ALIAS}"}
    transport = KafkaTransport(journey.kafka)
    try:
        until_when = purge(
            journey.kafka, journey.elasticsearch, CCI, "PV-1",
            send=lambda key, octets, headers: (
                transport.send(key, octets, (*headers, (SIGNATURE_HEADER, signature(octets))))
                .result(60)
                and None
            ),
            clock=SystemClock(),
        )  # fmt: skip
    finally:
        transport.close(5)
    assert until_when > "2026-11-20"
    (kept,) = [one for one in map(orjson.loads, left(journey, ACCEPTED)) if one["id"] == "pv-4"]
    assert kept == {**word, "data": {"records": named}}
    assert places(current=True) == passing
    assert places(current=False) == log
    queue = journey.home / "gateway" / "spool.sqlite3"
    queue.parent.mkdir(parents=True)
    with DurableQueue(queue) as waiting:
        waiting.put([Message(record_key(CCI, "PV-1"), octets(whole))])
    files = list(files_under(journey.home))

    def proved() -> Proof:
        return prove(journey.kafka, journey.elasticsearch, partial(left_in_files, files))

    assert proved().found == [f"file d'envoi {queue}, messages 1"]
    assert erase(files, CCI, "PV-1", until_when) == 1
    proof = proved()
    assert (proof.records, proof.found) == (1, [])
    assert proof.waiting.keys() == log | passing
    with pytest.raises(UnknownRecordError, match="PV-9"):
        purge(
            journey.kafka, journey.elasticsearch, CCI, "PV-9",
            send=lambda *_: None, clock=SystemClock(),
        )  # fmt: skip


def test_check_names_what_differs_and_repairs_only_that(journey: Journey) -> None:
    journey.start()
    published = [event(id=f"ck-{number}", subject=f"CK-{number}") for number in range(30)]
    journey.publish(*published)
    ids = [opportunity_id(CCI, whole["subject"]) for whole in published]
    sound = compare(journey.kafka, journey.elasticsearch)
    assert (sound.sound, sound.differing) == (True, 0)
    assert sum(one.log_count for one in sound.sums) == 30
    with journey.client() as client:
        versions = {
            hit["_id"]: hit["_version"]
            for hit in client.search(index=PUBLIC_ALIAS, size=100, version=True)["hits"]["hits"]
        }
        client.delete(
            index=PUBLIC_ALIAS, id=ids[0], version=versions[ids[0]], version_type="external_gte"
        )
        altered = journey.document(published[1])
        assert altered is not None
        version = altered.pop("_version")
        client.index(
            index=PUBLIC_ALIAS, id=ids[1], document={**altered, "title": "Falsifié"},
            version=version, version_type="external_gte", refresh=True,
        )  # fmt: skip
        client.index(index=PUBLIC_ALIAS, id="inconnu", document={"id": "inconnu", "stub": False})
    found = compare(journey.kafka, journey.elasticsearch, patience=1)
    assert {one.id: one.what for one in found.differences} == {
        ids[0]: What.MISSING,
        ids[1]: What.ALTERED,
        "inconnu": What.EXTRA,
    }
    assert not found.sound
    repaired = compare(journey.kafka, journey.elasticsearch, repair=True, patience=1)
    assert (repaired.differing, repaired.refused) == (3, [])
    with journey.client() as client:
        client.indices.refresh(index=PUBLIC_ALIAS)
        after = {
            hit["_id"]: hit["_version"]
            for hit in client.search(index=PUBLIC_ALIAS, size=100, version=True)["hits"]["hits"]
        }
    assert {one: after[one] for one in ids[2:]} == {one: versions[one] for one in ids[2:]}
    shown = journey.document(published[1])
    assert shown is not None
    assert shown["title"] == "Réfection de la voirie communale"
    assert compare(journey.kafka, journey.elasticsearch, patience=1).differing == 0


def _more(ends: Ends, least: int) -> bool:
    return ends.count() >= least
