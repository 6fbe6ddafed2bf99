"""Everything wrong that can be put on `traverse.inbound`: one clear rejection each, and no harm."""

import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from tests.engines import RunningEngines
from tests.journey.harness import PATIENCE, Journey, Sent, sent
from tests.signing import signature
from tests.stream_processors.factory import call_data, event
from traverse_infra.engines.install import install
from traverse_infra.engines.java import find_java
from traverse_schemas.log.topics import INBOUND, MAX_EVENT_BYTES

pytestmark = pytest.mark.engines


def nested(levels: int) -> bytes:
    return orjson.dumps(event()).replace(b'"e-1"', b'"e-1","x":' + b"[" * levels + b"]" * levels)


def bad(subject: str, **changes: Any) -> dict[str, Any]:
    return event(id=f"id-{subject}", subject=subject, **changes)


BAD: dict[str, tuple[Sent, str, str]] = {
    "not JSON": (sent(b"{pas du json"), "not_json", ""),
    "no UTF-8": (sent(b'{"titre":"\xe9cole"}'), "not_json", ""),
    "no octets": (sent(b""), "not_json", ""),
    "a tombstone": (Sent(None, b"une cle", 2), "not_json", ""),
    "a tombstone without key": (Sent(None, None, 1), "not_json", ""),
    "a list": (sent(b"[1, 2]"), "invalid_envelope", ""),
    "a wrong type": (sent(bad("B1", data=call_data(title=12))), "invalid_data", "/data/title"),
    "a missing field": (sent(bad("B2", data=call_data(place=None))), "invalid_data", "/data/place"),
    "an envelope without id": (
        sent({k: v for k, v in bad("B3").items() if k != "id"}), "invalid_envelope", "/id",
    ),
    "a source that fails Luhn": (
        sent(bad("B4", source="urn:siren:181300016")), "invalid_source", "/source",
    ),
    "an unknown commune": (
        sent(bad("B5", data=call_data(place=["com:13999"]))), "unknown_place", "/data/place/0",
    ),
    "a deadline before publication": (
        sent(bad("B6", data=call_data(deadlines=[{"at": "2026-11-01"}]))),
        "deadline_before_publication",
        "/data/deadlines/0/at",
    ),
    "deep nesting": (sent(nested(60)), "too_deep", ""),
    "very deep nesting": (sent(nested(150_000)), "too_deep", ""),
    "an unknown type": (sent(bad("B7", type="fr.traverse.x.y.v1")), "unknown_type", "/type"),
    "an unknown version": (
        sent(bad("B8", type="fr.traverse.call.published.v2")), "unknown_version", "/type",
    ),
    "an event of the future": (
        sent(bad("B9", time="2999-01-01T00:00:00Z")), "in_the_future", "/time",
    ),
    "a little too large": (
        sent(bad("B10", data=call_data(description="x" * (MAX_EVENT_BYTES + 1000)))),
        "too_large",
        "",
    ),
    "as large as the broker takes": (sent(b"x" * (2 * MAX_EVENT_BYTES)), "too_large", ""),
    "headers without value, and odd ones": (
        sent(b"bof", headers=(("vide", None), ("", b"\xff"), ("reason", b"accepted"))),
        "not_json",
        "",
    ),
    "a lone surrogate": (
        sent(b'{"specversion":"1.0","type":"fr.traverse.call.published.v1","id":"\\ud800"}'),
        "not_json",
        "",
    ),
    "a number that is not finite": (sent(b'{"a": NaN}'), "not_json", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def after(flowing: Journey) -> Journey:
    """All of it put raw on the log, a good event before each and one at the end; then at rest."""
    messages = []
    for number, (message, _, _) in enumerate(BAD.values()):
        messages += [sent(event(id=f"ok-{number}", subject=f"OK-{number}")), message]
    flowing.send([*messages, sent(event(id="ok-end", subject="OK-END"))])
    flowing.settle()
    return flowing


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_in_one_rejection_with_the_original_octets(
    after: Journey, name: str
) -> None:
    """Reason, pointer and a sentence for people; the octets as they came."""
    message, reason, pointer = BAD[name]
    found = [
        one
        for one in after.rejections()
        if (one.value or b"") == (message.value or b"")
        and (message.value or one.partition == message.partition)
    ]
    same = [one for one, _, _ in BAD.values() if (one.value or b"") == (message.value or b"")]
    expected = [one for one in same if message.value or one.partition == message.partition]
    assert len(found) == len(expected)
    for one in found:
        assert one.headers["reason"].decode() == reason
        assert one.headers["pointer"].decode() == pointer
        assert len(one.headers["sentence"].decode()) > 20


def test_good_events_around_bad_ones_are_searchable(after: Journey) -> None:
    for number in [*range(len(BAD)), "END"]:
        found = after.document(event(subject=f"OK-{number}"))
        assert found is not None
        assert found["stub"] is False


def test_nothing_is_rejected_but_what_is_bad(after: Journey) -> None:
    assert len(after.rejections()) == len(BAD)


def test_an_owner_that_fails_luhn_is_flagged_and_shown(flowing: Journey) -> None:
    """Who relays the number cannot mend it."""
    whole = bad("FLAGGED", data=call_data(owner={"id": "211300406", "name": "Commune de Fuveau"}))
    flowing.publish(whole)
    found = flowing.document(whole)
    assert found is not None
    assert "owner_number_invalid" in found["flags"]


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe", "é".encode() * 5000])
def test_the_key_of_a_message_does_not_matter(flowing: Journey, key: bytes | None) -> None:
    """The record is what the event says; the partition is right here, the key is not."""
    subject = f"KEY-{hash_of(key)}"
    whole = bad(subject)
    flowing.send([sent(whole, key=key)])
    flowing.settle()
    assert flowing.document(whole) is not None


def hash_of(key: bytes | None) -> int:
    return -1 if key is None else len(key)


def test_odd_headers_go_with_a_record_sent_to_its_partition(flowing: Journey) -> None:
    whole = bad("ODD-HEADERS")
    headers = (("vide", None), ("", b"\xff"), ("traverse-hash", b"faux"))
    wrong = (sent(whole).partition + 2) % 4
    flowing.send([sent(whole, key=None, partition=wrong, headers=headers)])
    flowing.settle()
    assert flowing.document(whole) is not None


def test_the_broker_refuses_ten_megabytes_with_a_clear_error(flowing: Journey) -> None:
    """A client that allows itself more gets an error, not silence; those after it go through."""
    producer = KafkaProducer(bootstrap_servers=flowing.kafka, max_request_size=50_000_000)
    try:
        with pytest.raises(MessageSizeTooLargeError):
            producer.send(INBOUND, b"x" * 10_000_000, partition=0).get(PATIENCE)
    finally:
        producer.close()
    whole = bad("AFTER-10MB")
    flowing.publish(whole)
    assert flowing.document(whole) is not None


def test_the_largest_event_goes_all_the_way(flowing: Journey) -> None:
    """Of the limit's very size: accepted, enriched, indexed."""
    lots = [{"number": str(number), "description": "x" * 50_000} for number in range(10)]
    whole = bad("LARGEST", data=call_data(lots=lots, description=""))
    whole["data"]["description"] = "x" * (MAX_EVENT_BYTES - len(orjson.dumps(whole)))
    assert len(orjson.dumps(whole)) == MAX_EVENT_BYTES
    flowing.publish(whole)
    found = flowing.document(whole)
    assert found is not None
    assert len(found["lots"]) == 10


def test_a_publisher_may_compress_as_it_likes(
    engines: RunningEngines, flowing: Journey, tmp_path: Path
) -> None:
    """Kafka's own client with each of its codecs: the workers need not have them."""
    java = find_java(engines.settings)
    classpath = install(engines.settings.engines_folder, java, print).kafka_classpath
    events, words = [], []
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        events.append(bad(f"CODEC-{codec}"))
        file = tmp_path / codec
        octets = orjson.dumps(events[-1])
        file.write_bytes(octets)
        words += [codec, str(file), signature(octets).decode()]
    source = Path(__file__).with_name("Compressing.java")
    subprocess.run(
        [str(java.java), "-cp", classpath, str(source), flowing.kafka, INBOUND, *words],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    flowing.settle()
    assert all(flowing.document(whole) for whole in events)
