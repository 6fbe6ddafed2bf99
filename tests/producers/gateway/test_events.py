"""`POST /v1/events`: who may, how much, how fast; and what is answered to each event."""

import base64
import gzip
import json
import zlib
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.producers.gateway.serving import (
    BATCH,
    KEY,
    NDJSON,
    NOW,
    READER,
    STRUCTURED,
    MemoryLog,
    MovedClock,
    TransportLog,
    nowhere,
    serving,
)
from tests.schemas.memory_log import MemoryTopic
from tests.stream_processors.factory import call_data, event, octets
from traverse_infra.engines.waiting import wait_until
from traverse_producers.errors import BrokerAwayError, BrokerRefusedError
from traverse_producers.gateway import journal
from traverse_producers.transports.contract import Delivery, Headers
from traverse_schemas.events import EVENT_TYPES
from traverse_schemas.log.identity import record_key
from traverse_schemas.registry.institutions import Quota


def authorized(value: str | None) -> int:
    with serving() as gateway:
        gateway.client.headers.pop("authorization")
        headers = {"authorization": value} if value is not None else {}
        answer = gateway.post(event(), **headers)
        if answer.status_code == 401:
            assert "Basic" in answer.headers["www-authenticate"]
            assert gateway.written == []
        status: int = answer.status_code
        return status


@pytest.mark.parametrize("user", ["", "chambre", "a:b"[:1]])
def test_the_key_may_be_a_bearer_token_or_a_password(user: str) -> None:
    basic = base64.b64encode(f"{user}:{KEY}".encode()).decode()
    assert authorized(f"Bearer {KEY}") == 202
    assert authorized(f"bearer  {KEY} ") == 202
    assert authorized(f"Basic {basic}") == 202


@pytest.mark.parametrize(
    "value",
    [None, "", "Bearer", "Bearer other", KEY, "Basic", "Basic !!", "Basic /w==", "Digest x"],
)
def test_without_a_known_key_nothing_is_read(value: str | None) -> None:
    assert authorized(value) == 401


def test_a_key_that_may_only_read_publishes_nothing() -> None:
    """It may follow what the institution published; a stranger may not."""
    with serving() as gateway:
        gateway.client.headers["authorization"] = f"Bearer {READER}"
        assert gateway.post(event()).status_code == 403
        assert gateway.client.put("/v1/records/call/R", json=call_data()).status_code == 403
        assert gateway.client.get("/v1/rejections").json()["items"] == []
        asked = gateway.client.get(
            "/v1/receipts", params={"source": "urn:siren:181300013", "id": "x"}
        )
        assert asked.status_code == 404
        gateway.client.headers["authorization"] = "Bearer other"
        assert gateway.client.get("/v1/rejections").status_code == 401


def test_a_key_speaks_for_its_own_institution_only() -> None:
    other = event(source="urn:siren:211300553")
    with serving() as gateway:
        answer = gateway.post(other)
        assert answer.status_code == 403
        assert answer.json()["reason"] == "forbidden_source"
        assert gateway.post(event(source="urn:siren:181300013:logiciel")).status_code == 202
        mixed = gateway.post([event(), other], BATCH)
        assert mixed.status_code == 207
        assert [item["code"] for item in mixed.json()["items"]] == [202, 403]


def test_each_event_is_answered_in_order_with_why_and_where() -> None:
    batch = [
        event(id="1"),
        event(id="2", data=call_data(title=None)),
        event(id="3", data=call_data(place=["com:13999"])),
        event(id="4", time=(NOW + timedelta(minutes=6)).isoformat()),
        event(id="5", data=call_data(deadlines=[{"at": "2026-11-01"}])),
        event(id="6", data=call_data(description="x" * 600_000)),
        {"id": "7"},
        "text",
        event(id="9"),
    ]
    with serving() as gateway:
        answer = gateway.post(batch, BATCH)
        assert answer.status_code == 207
        receipt = answer.json()
        assert (receipt["accepted"], receipt["refused"]) == (2, 7)
        assert [item.get("reason") for item in receipt["items"]] == [
            None,
            "invalid_data",
            "unknown_place",
            "in_the_future",
            "deadline_before_publication",
            "too_large",
            "invalid_envelope",
            "invalid_envelope",
            None,
        ]
        assert [item["code"] for item in receipt["items"]] == [
            202, 422, 422, 422, 422, 413, 422, 422, 202,
        ]  # fmt: skip
        assert receipt["items"][1]["pointer"] == "/data/title"
        assert "title" in receipt["items"][1]["detail"]
        assert gateway.written == [octets(batch[0]), octets(batch[8])]  # type: ignore[arg-type]


def test_events_are_written_keyed_by_record_with_their_content_type() -> None:
    with serving() as gateway:
        gateway.post(event())
        key, _, headers = gateway.log.sent[0]
        assert key == record_key("urn:siren:181300013", "VOIRIE-2026")
        assert dict(headers)["content-type"] == STRUCTURED.encode()


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([event(data=call_data(title=None)), event(data={})], 422),
        ([event(source="urn:siren:211300553")] * 2, 403),
        ([event(source="urn:siren:211300553"), event(data={})], 422),
        ([event(data=call_data(description="x" * 600_000))], 413),
    ],
)
def test_when_none_is_accepted_the_answer_is_a_problem(
    events: list[dict[str, Any]], said: int
) -> None:
    with serving() as gateway:
        answer = gateway.post(events, BATCH)
        assert answer.status_code == said
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.json()["items"]) == len(events)
        assert gateway.written == []


def test_a_repeated_event_is_called_a_duplicate_and_left_to_the_log() -> None:
    """The gateway cannot know whether the first one counted: the log decides."""
    with serving() as gateway:
        first = gateway.post(event())
        again = gateway.post(json.dumps(event(), indent=1, sort_keys=True).encode())
        other = gateway.post(event(data=call_data(title="Autre chose")))
        said = [each.json()["items"][0]["status"] for each in (first, again, other)]
        assert said == ["accepted", "duplicate", "accepted"]
        assert len(gateway.written) == 3


def test_more_events_than_a_batch_may_have_are_refused_as_a_whole() -> None:
    with serving(gateway_batch_events=3) as gateway:
        for content, kind in (
            ([event()] * 4, BATCH),
            (b"\n".join([octets(event())] * 4), NDJSON),
        ):
            answer = gateway.post(content, kind)
            assert answer.status_code == 413
            assert "3 événements" in answer.json()["detail"]
        assert gateway.written == []
        assert gateway.post([event()] * 3, BATCH).status_code == 202


LIMIT = 600 * 1024


def test_a_body_of_too_many_octets_is_not_read_to_its_end() -> None:
    read = 0

    def endless() -> Any:
        nonlocal read
        while read < 100 * LIMIT:
            read += 1024
            yield b" " * 1024

    with serving(gateway_body_octets=LIMIT) as gateway:
        assert gateway.post(b" " * (LIMIT + 1)).status_code == 413
        headers = {"content-type": BATCH, "content-length": str(LIMIT + 1)}
        announced = gateway.client.post("/v1/events", content=b"x", headers=headers)
        assert announced.status_code == 413
        answer = gateway.client.post(
            "/v1/events", content=endless(), headers={"content-type": STRUCTURED}
        )
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"
        assert gateway.written == []


def test_gzip_is_unpacked_and_a_bomb_is_stopped_on_the_way() -> None:
    packed = {"content-encoding": "gzip"}
    with serving(gateway_body_octets=LIMIT) as gateway:
        assert gateway.post(gzip.compress(octets(event())), **packed).status_code == 202
        parts = octets([event(), event()])  # type: ignore[arg-type]
        two = gzip.compress(parts[:100]) + gzip.compress(parts[100:])
        assert gateway.post(two, BATCH, **packed).status_code == 202
        assert len(gateway.written) == 3
        bomb = gzip.compress(b" " * 200 * LIMIT)
        assert len(bomb) < LIMIT
        assert gateway.post(bomb, **packed).status_code == 413
        # Members without content: no octet unpacked, and no end either.
        assert gateway.post(gzip.compress(b"") * 40_000, **packed).status_code == 413
        assert len(gateway.written) == 3


@pytest.mark.parametrize(
    ("body", "coding", "said"),
    [
        (octets(event()), "gzip", 400),
        (gzip.compress(octets(event()))[:-9], "gzip", 400),
        (b"", "gzip", 400),
        (zlib.compress(octets(event())), "deflate", 415),
        (octets(event()), "br", 415),
        (octets(event()), "gzip, gzip", 415),
        (octets(event()), "identity", 202),
    ],
)
def test_codings(body: bytes, coding: str, said: int) -> None:
    with serving() as gateway:
        assert gateway.post(body, **{"content-encoding": coding}).status_code == said


def test_bodies_share_a_bounded_memory() -> None:
    """What does not fit beside the others is told to come again, and what ended is forgotten."""
    with serving(gateway_memory_octets=LIMIT, gateway_body_octets=2 * LIMIT) as gateway:
        assert gateway.post(b" " * (LIMIT + 1)).status_code == 503
        for _ in range(3):
            assert gateway.post(b" " * LIMIT).status_code == 413
        assert gateway.post(event()).status_code == 202


@pytest.mark.parametrize("deep", [b"[" * 2000, b'{"a":' * 2000, b"[" * 200_000])
def test_deep_json_is_refused(deep: bytes) -> None:
    with serving() as gateway:
        assert gateway.post(deep).status_code in (400, 422)
        assert gateway.post(b"[" + deep + b"]", BATCH).status_code in (400, 422)
        nested = octets(event()).replace(b'"place"', b'"x":' + b"[" * 50 + b"]" * 50 + b',"place"')
        answer = gateway.post(nested)
        assert (answer.status_code, answer.json()["reason"]) == (422, "too_deep")


def test_the_rate_of_an_institution_is_kept() -> None:
    with serving(rate=5) as gateway:
        assert gateway.post([event()] * 4, BATCH).status_code == 202
        refused = gateway.post([event()] * 4, BATCH)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert gateway.post(event()).status_code == 202
        assert gateway.post(b"not even read").status_code == 429
        assert len(gateway.written) == 5


def test_to_replay_is_to_publish() -> None:
    """A key that only reads may see what was refused, and send nothing."""
    with serving() as gateway:
        reader = {"authorization": f"Bearer {READER}"}
        answer = gateway.client.post("/v1/rejections/inbound-0@1/replay", headers=reader)
        assert answer.status_code == 403
        assert gateway.client.get("/v1/rejections", headers=reader).status_code == 200


def test_the_quota_of_a_day_is_kept_across_gateways_and_restarts_until_midnight() -> None:
    """A repetition costs nothing of it; what does not fit is refused whole, and said with when."""
    clock, claims = MovedClock(datetime(2026, 11, 24, 22, tzinfo=UTC)), MemoryTopic()
    day: dict[str, Any] = {
        "chamber": {"quota": Quota(events_per_day=3)},
        "clock": clock,  # 23:00 in Paris
        "claims": claims,
    }
    batch = [event(id=f"q-{number}") for number in range(4)]
    with serving(**day) as gateway, serving(**day) as other:
        assert gateway.post(batch[:2], BATCH).status_code == 202
        assert gateway.post(batch[0]).json()["duplicates"] == 1
        for each in (gateway, other):
            refused = each.post(batch[2:], BATCH)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
            assert "il lui en reste 1" in refused.json()["detail"]
        assert len(gateway.written) == 3
        assert other.client.put("/v1/records/call/Q", json=call_data()).status_code == 202
        assert gateway.post(batch[3]).status_code == 429
    with serving(**day) as gateway:
        assert gateway.post(batch[3]).status_code == 429
        clock.at += timedelta(hours=1)
        assert gateway.post(batch[2:], BATCH).status_code == 202


def test_what_kafka_did_not_take_counts_for_nothing() -> None:
    day: dict[str, Any] = {"chamber": {"quota": Quota(events_per_day=1)}, "claims": MemoryTopic()}
    away = MemoryLog(fail=BrokerAwayError("mémoire"))
    with serving(away, **day) as gateway:
        assert gateway.post(event()).status_code == 503
        assert wait_until(lambda: len(day["claims"].messages) == 2, timeout=60)
    with serving(connect=nowhere, **day) as gateway:
        assert gateway.post(event()).status_code == 503
    assert len(day["claims"].messages) == 2
    with serving(**day) as gateway:
        assert gateway.post(event()).status_code == 202
        assert gateway.post(event(id="2")).status_code == 429


def test_without_the_log_of_quotas_who_has_one_is_told_to_come_back() -> None:
    claims = MemoryTopic()
    claims.away = True
    with serving(chamber={"quota": Quota(events_per_day=1)}, claims=claims) as gateway:
        answer = gateway.post(event())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert gateway.written == []


def test_of_several_gateways_each_takes_its_part_of_the_rate() -> None:
    with serving(rate=9, gateway_count=3) as gateway:
        assert gateway.post([event()] * 3, BATCH).status_code == 202
        refused = gateway.post(event())
        assert refused.status_code == 429
        assert "une de 3" in refused.json()["detail"]


def test_a_request_larger_than_the_rate_passes_by_itself() -> None:
    with serving(rate=2) as gateway:
        assert gateway.post([event()] * 4, BATCH).status_code == 202
        assert gateway.post(event()).status_code == 429


def test_a_log_that_is_not_there_is_told_at_once() -> None:
    with serving(connect=nowhere) as gateway:
        answer = gateway.post(event())
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert answer.json()["reason"] == "unavailable"
        assert gateway.client.get("/readyz").status_code == 503
        assert gateway.client.get("/healthz").status_code == 200


def test_a_log_that_falls_silent_is_told_and_taken_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without anybody asking, and on the same connection."""
    monkeypatch.setattr(journal, "_GLANCE", 0.01)
    logs: list[TransportLog] = []

    def connect() -> TransportLog:
        logs.append(TransportLog(MemoryLog()))
        return logs[-1]

    watched = journal.Journal(connect, timeout=30)
    with serving(journal=watched) as gateway:
        assert wait_until(lambda: watched.connected, timeout=60)
        assert gateway.client.get("/readyz").json() == {"status": "ok", "kafka": "connected"}
        logs[0].there = False
        assert wait_until(lambda: not watched.connected, timeout=60)
        assert "traverse_gateway_kafka_connected 0.0" in gateway.client.get("/metrics").text
        assert gateway.client.get("/readyz").status_code == 503
        logs[0].there = True
        assert wait_until(lambda: watched.connected, timeout=60)
        assert "traverse_gateway_kafka_connected 1.0" in gateway.client.get("/metrics").text
    assert len(logs) == 1


def test_a_log_that_does_not_confirm_is_told_in_time() -> None:
    with serving(MemoryLog(answer=False), timeout=0.1) as gateway:
        answer = gateway.post([event()] * 3, BATCH)
        assert answer.status_code == 503
        assert [item["status"] for item in answer.json()["items"]] == ["failed"] * 3


def test_what_the_log_confirmed_is_told_apart_from_what_it_did_not() -> None:
    class HalfLog(MemoryLog):
        def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
            future = super().send(key, octets, headers)
            if len(self.sent) % 2:
                return future
            failed: Future[Delivery] = Future()
            failed.set_exception(BrokerAwayError("ici"))
            return failed

    with serving(HalfLog()) as gateway:
        answer = gateway.post([event(id=str(n)) for n in range(4)], BATCH)
        assert answer.status_code == 207
        assert [item["code"] for item in answer.json()["items"]] == [202, 503, 202, 503]


class StuckLog(MemoryLog):
    """Takes all and confirms nothing, until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[Future[Delivery]] = []

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        super().send(key, octets, headers)
        self._held.append(Future())
        return self._held[-1]

    def release(self) -> None:
        for future in self._held:
            future.set_result(Delivery("traverse.inbound", 0, 0))
        self._held.clear()


def test_what_is_under_way_is_bounded_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that takes and does not confirm: beyond the bound all is refused at once."""
    monkeypatch.setattr(journal, "_MOST_EVENTS", 40)
    log = StuckLog()
    with serving(log, timeout=0.05) as gateway:
        for _ in range(4):
            gateway.post([event()] * 15, BATCH)
        assert wait_until(lambda: len(log.sent) == 30, timeout=60)
        log.release()
        gateway.post([event()] * 15, BATCH)
        assert wait_until(lambda: len(log.sent) == 45, timeout=60)


def test_a_connection_that_is_refused_for_good_is_made_anew() -> None:
    logs = [MemoryLog(fail=BrokerRefusedError("le producteur est cassé")), MemoryLog()]
    made: list[MemoryLog] = []

    def connect() -> MemoryLog:
        made.append(logs[len(made)])
        return made[-1]

    with serving(connect=connect) as gateway:
        statuses = {gateway.post(event()).status_code}
        while 202 not in statuses:
            statuses.add(gateway.post(event()).status_code)
        assert statuses == {202, 503}
        assert logs[0].closed
        assert len(logs[1].sent) == 1


def test_addresses_and_methods_that_do_not_exist_are_problems() -> None:
    with serving() as gateway:
        for method, path, said in (
            ("GET", "/v1/events", 405),
            ("POST", "/v1/nothing", 404),
            ("GET", "/v1/schemas/call.published/v9", 404),
        ):
            answer = gateway.client.request(method, path)
            assert answer.status_code == said
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == said


def test_schemas_are_listed_and_served() -> None:
    with serving() as gateway:
        listed = gateway.client.get("/v1/schemas").json()["schemas"]
        assert len(listed) == len(EVENT_TYPES)
        for each in listed:
            schema = gateway.client.get(each["url"]).json()
            assert schema["properties"]["type"]["const"] == each["type"]
        assert len(gateway.client.get("/v1/schemas/call/v1").json()["oneOf"]) == 4


def test_metrics_count_what_became_of_events() -> None:
    with serving() as gateway:
        gateway.post([event(), event(data={})], BATCH)
        text = gateway.client.get("/metrics").text
        assert 'traverse_gateway_events_total{status="accepted"} 1.0' in text
        assert 'traverse_gateway_refusals_total{reason="invalid_data"} 1.0' in text
        assert 'traverse_gateway_requests_total{route="/v1/events",status="207"} 1.0' in text
