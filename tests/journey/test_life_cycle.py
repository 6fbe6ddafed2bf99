"""What becomes of a record, from its first event to its withdrawal, on the real engines."""

from typing import Any

import orjson
import pytest

from tests.journey.harness import Journey, sent, until
from tests.stream_processors.factory import call_data, event
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.log.identity import event_key, opportunity_id
from traverse_schemas.log.topics import ACCEPTED, CHANGES, EVENTS, OPPORTUNITIES

pytestmark = pytest.mark.engines

CANARY = "Canari bleu de Fuveau"


def shown(found: dict[str, Any] | None) -> dict[str, Any]:
    assert found is not None
    return found


def test_a_published_call_is_found_in_french_and_passed_on_unchanged(flowing: Journey) -> None:
    whole = event(id="lc-1", subject="LC-PUBLISHED")
    flowing.publish(whole)
    with flowing.client() as client:
        hits = client.search(
            index=PUBLIC_ALIAS, query={"match": {"title": "réfections de voirie"}}
        )["hits"]["hits"]
    assert shown(flowing.document(whole))["id"] in [hit["_id"] for hit in hits]
    octets = orjson.dumps(whole)
    key = event_key(whole["source"], whole["subject"], whole["id"]).encode()
    for topic in (ACCEPTED, EVENTS["call"]):
        assert [one.value for one in flowing.read(topic) if one.key == key] == [octets]


def test_what_is_told_is_shown_before_the_index_refreshes_by_itself(flowing: Journey) -> None:
    whole = event(id="lc-3", subject="LC-SHOWN")
    identity = opportunity_id(whole["source"], whole["subject"])
    with flowing.client() as client:
        index = next(iter(client.indices.get_alias(name=PUBLIC_ALIAS)))
        before = client.indices.get_settings(index=index)[index]["settings"]["index"]
        client.indices.put_settings(index=index, settings={"refresh_interval": "-1"})
        try:
            flowing.send([sent(whole)])
            until(
                lambda: any(one.key == identity.encode() for one in flowing.read(CHANGES)),
                "the change to be told",
            )
            found = client.search(index=PUBLIC_ALIAS, query={"term": {"id": identity}})
            assert [hit["_id"] for hit in found["hits"]["hits"]] == [identity]
        finally:
            rest = {"refresh_interval": before["refresh_interval"]}
            client.indices.put_settings(index=index, settings=rest)


def test_an_update_replaces_and_an_older_correction_changes_nothing(flowing: Journey) -> None:
    base = {"subject": "LC-UPDATED"}
    first = event(id="lc-10", **base)
    newer = event(
        "updated", id="lc-11", time="2026-11-21T10:00:00Z", data=call_data(title="Nouveau"), **base
    )
    older = event(
        "updated", id="lc-12", time="2026-11-20T12:00:00Z", data=call_data(title="Ancien"), **base
    )
    flowing.publish(first, newer)
    before = shown(flowing.document(first))
    assert before["title"] == "Nouveau"
    flowing.publish(older)
    assert flowing.document(first) == before


def test_a_sequence_is_stronger_than_time(flowing: Journey) -> None:
    base = {"subject": "LC-SEQUENCE"}
    flowing.publish(
        event(id="lc-20", sequence=2, time="2026-11-20T08:00:00Z", **base),
        event(
            "updated", id="lc-21", sequence=1, time="2026-11-21T08:00:00Z",
            data=call_data(title="Dépassé"), **base,
        ),
    )  # fmt: skip
    assert shown(flowing.document(event(**base)))["title"] != "Dépassé"


def test_a_repeated_event_changes_nothing(flowing: Journey) -> None:
    whole = event(id="lc-30", subject="LC-REPEATED")
    flowing.publish(whole)
    before = flowing.document(whole)
    reordered = dict(reversed(whole.items()))
    flowing.publish(whole, reordered, whole)
    assert flowing.document(whole) == before
    key = event_key(whole["source"], whole["subject"], whole["id"]).encode()
    assert len([one for one in flowing.read(ACCEPTED) if one.key == key]) == 1


def test_an_id_with_other_content_is_rejected(flowing: Journey) -> None:
    whole = event(id="lc-40", subject="LC-REUSED")
    other = event(id="lc-40", subject="LC-REUSED", data=call_data(title="Autre chose"))
    flowing.publish(whole, other, whole)
    found = [one for one in flowing.rejections() if one.value == orjson.dumps(other)]
    assert [one.headers["reason"] for one in found] == [b"id_reused"]
    assert found[0].headers["pointer"] == b"/id"
    assert shown(flowing.document(whole))["title"] == "Réfection de la voirie communale"


def test_a_closing_tells_outcome_lots_and_sum(flowing: Journey) -> None:
    base = {"subject": "LC-CLOSED"}
    lots = [{"number": "1", "title": "Enrobés"}, {"number": "2", "title": "Trottoirs"}]
    flowing.publish(
        event(id="lc-50", data=call_data(lots=lots), **base),
        event(
            "closed",
            id="lc-51",
            time="2026-11-22T10:00:00Z",
            data={
                "outcome": "awarded",
                "on": "2026-11-22",
                "amount": {"value": 98000, "kind": "awarded", "tax": "excluded"},
                "lots": [{"number": "2", "outcome": "dropped"}],
            },
            **base,
        ),
    )
    found = shown(flowing.document(event(**base)))
    assert (found["state"], found["outcome"], found["closed_on"]) == (
        "closed", "awarded", "2026-11-22",
    )  # fmt: skip
    assert found["amount"] == 98000
    assert found["lots"][0]["title"] == "Enrobés"
    assert found["lots"][1] == {"number": "2", "title": "Trottoirs", "outcome": "dropped"}


def test_a_withdrawn_record_leaves_a_stub_that_nothing_late_brings_back(flowing: Journey) -> None:
    base = {"subject": "LC-WITHDRAWN"}
    flowing.publish(
        event(id="lc-60", data=call_data(title=CANARY), **base),
        event("withdrawn", id="lc-61", time="2026-11-22T10:00:00Z", **base),
    )
    stub = shown(flowing.document(event(**base)))
    assert stub.keys() == {"id", "stub", "_version"}
    assert stub["stub"] is True
    late = event(
        "updated", id="lc-62", time="2026-11-21T10:00:00Z", data=call_data(title=CANARY), **base
    )
    flowing.publish(late)
    again = shown(flowing.document(event(**base)))
    assert again.keys() == {"id", "stub", "_version"}
    with flowing.client() as client:
        found = client.search(index=PUBLIC_ALIAS, query={"match": {"title": CANARY}})
    assert found["hits"]["hits"] == []


def test_a_new_publication_after_a_withdrawal_is_shown(flowing: Journey) -> None:
    base = {"subject": "LC-BACK"}
    flowing.publish(
        event(id="lc-70", **base),
        event("withdrawn", id="lc-71", time="2026-11-21T10:00:00Z", **base),
        event(id="lc-72", time="2026-11-22T10:00:00Z", data=call_data(title="De retour"), **base),
    )
    assert shown(flowing.document(event(**base)))["title"] == "De retour"


def test_a_record_that_leaves_the_public_leaves_a_stub_and_a_notice_without_content(
    flowing: Journey,
) -> None:
    base = {"subject": "LC-NARROWED"}
    hidden = "Canari vert de Trets"
    first = event(id="lc-80", **base)
    narrowed = event(
        "updated", id="lc-81", time="2026-11-21T10:00:00Z",
        data=call_data(title=hidden, visibility="buyers"), **base,
    )  # fmt: skip
    flowing.publish(first, narrowed)
    assert shown(flowing.document(first)).keys() == {"id", "stub", "_version"}
    assert shown(flowing.document(first, ALIASES["buyers"]))["title"] == hidden
    told = [one for one in flowing.read(EVENTS["call"]) if b"LC-NARROWED" in one.key]
    assert told[0].value == orjson.dumps(first)
    notice = orjson.loads(told[1].value or b"")
    assert len(told) == 2
    assert notice["type"] == "fr.traverse.call.hidden.v1"
    assert notice["data"] == {"source": first["source"], "subject": "LC-NARROWED"}
    assert not any(hidden.encode() in (one.value or b"") for one in told)


def test_what_is_not_public_never_reaches_a_public_topic_or_index(flowing: Journey) -> None:
    canary = "Canari rouge de Peynier"
    need = {
        "title": canary, "subtype": "purchase", "place": ["com:13040"],
        "window": {"from": "2027-01-01", "to": "2027-06-30"},
    }  # fmt: skip
    hidden = [
        event(kind="need", id="lc-90", subject="LC-NEED", data=need),
        event(id="lc-91", subject="LC-MEMBERS", data=call_data(title=canary, visibility="members")),
        event(
            id="lc-92", subject="LC-RESTRICTED",
            data=call_data(title=canary, visibility="restricted", audience=["211300405"]),
        ),
        event("closed", kind="need", id="lc-93", subject="LC-NEED", time="2026-11-22T10:00:00Z",
              data={"outcome": "met", "record": need}),
        event("withdrawn", id="lc-94", subject="LC-MEMBERS", time="2026-11-22T10:00:00Z"),
    ]  # fmt: skip
    flowing.publish(*hidden)
    for topic in EVENTS.values():
        for one in flowing.read(topic):
            octets = one.key + (one.value or b"") + repr(one.headers).encode()
            assert canary.encode() not in octets
            assert b"LC-NEED" not in octets
            assert b"LC-MEMBERS" not in octets
    assert not any(canary.encode() in (one.value or b"") for one in flowing.read(CHANGES))
    for whole in hidden:
        assert flowing.document(whole, PUBLIC_ALIAS) is None
    assert shown(flowing.document(hidden[0], ALIASES["buyers"]))["title"] == canary
    with flowing.client() as client:
        everything = client.search(index=PUBLIC_ALIAS, size=1000)["hits"]["hits"]
    assert canary not in repr(everything)


def test_the_version_of_a_document_is_the_offset_of_its_opportunity(flowing: Journey) -> None:
    whole = event(id="lc-100", subject="LC-VERSION")
    flowing.publish(whole)
    found = shown(flowing.document(whole))
    offsets = [one.offset for one in flowing.read(OPPORTUNITIES) if one.key == found["id"].encode()]
    assert offsets[-1:] == [found["_version"]]


def test_a_record_from_the_wrong_partition_is_sent_on_and_processed(flowing: Journey) -> None:
    whole = event(id="lc-110", subject="LC-REKEYED")
    right = sent(whole)
    flowing.send([sent(whole, partition=(right.partition + 1) % 4, key=b"un autre")])
    flowing.settle()
    assert shown(flowing.document(whole))["title"] == "Réfection de la voirie communale"
