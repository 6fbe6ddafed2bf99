"""Who signs what goes by the gateway: the institution itself, or the gateway for it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.producers.gateway.serving import (
    BATCH,
    HOST,
    LONG_AGO,
    NOW,
    OWN,
    SIGNER,
    Gateway,
    MemoryLog,
    memory_journal,
    nowhere,
    registry,
    serving,
)
from tests.stream_processors.factory import call_data, event, octets
from traverse_infra.engines.waiting import wait_until
from traverse_producers.gateway.errors import GatewayKeyError
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.gateway.vouched_transport import VouchedTransport
from traverse_producers.gateway.vouching import Vouching
from traverse_producers.outbox.durable_queue import Limits
from traverse_schemas.clock import FixedClock
from traverse_schemas.log.identity import record_key
from traverse_schemas.registry.institutions import Institution, encode_institution
from traverse_schemas.registry.registry import FixedRegistry
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, Signer, verify


def signatures(gateway: Gateway) -> list[bytes]:
    return [dict(headers)[SIGNATURE_HEADER] for _, _, headers in gateway.log.sent]


def test_the_gateway_signs_for_who_delegated_to_it() -> None:
    """The octets that travel, whichever way they came."""
    with serving() as gateway:
        gateway.post([event(), event(id="2")], BATCH)
        gateway.client.put("/v1/records/call/R-1", json=call_data())
        assert len(gateway.written) == 3
        for written, signature in zip(gateway.written, signatures(gateway), strict=True):
            assert verify(written, signature, SIGNER.x)


def test_an_institution_may_sign_itself_delegated_or_not() -> None:
    for delegated in (True, False):
        with serving(chamber={"delegated": delegated}) as gateway:
            one = octets(event())
            signature = OWN.sign(one)
            answer = gateway.post(one, **{"traverse-signature": signature.decode()})
            assert answer.status_code == 202, answer.text
            assert signatures(gateway) == [signature]
            batch = [event(id="1"), event(id="2")]
            each = [OWN.sign(octets(one)) for one in batch]
            header = ", ".join(one.decode() for one in each)
            assert gateway.post(batch, BATCH, **{"traverse-signature": header}).status_code == 202
            assert signatures(gateway)[1:] == each


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (lambda one: "nonsense", "bad_signature"),
        (lambda one: OWN.sign(one + b" ").decode(), "bad_signature"),
        (lambda one: Signer.generate().sign(one).decode(), "unknown_key"),
    ],
)
def test_a_wrong_signature_is_told_at_once(signature: Any, reason: str) -> None:
    one = octets(event())
    with serving() as gateway:
        answer = gateway.post(one, **{"traverse-signature": signature(one)})
        assert (answer.status_code, answer.json()["reason"]) == (422, reason)
        assert gateway.written == []


def test_a_key_that_ended_signs_no_more() -> None:
    ended = OWN.public(LONG_AGO).model_copy(update={"valid_to": NOW - timedelta(days=1)})
    one = octets(event())
    with serving(chamber={"signing_keys": (ended,)}) as gateway:
        answer = gateway.post(one, **{"traverse-signature": OWN.sign(one).decode()})
        assert answer.json()["reason"] == "expired_key"


def test_without_a_signature_from_anybody_an_event_is_refused() -> None:
    with serving(chamber={"delegated": False}) as gateway:
        answer = gateway.post(event())
        assert (answer.status_code, answer.json()["reason"]) == (422, "unsigned")
        assert "delegate" in answer.json()["detail"]
    with serving(signer=None) as gateway:
        assert "exploitant" in gateway.post(event()).json()["detail"]
    with serving(signer=None, signatures="off") as gateway:
        assert gateway.post(event()).status_code == 202


def test_a_trial_is_refused_where_nobody_after_the_gateway_would_know_it_for_one() -> None:
    with serving(chamber={"sandbox": True}, signatures="off") as gateway:
        answer = gateway.post(event())
        assert (answer.status_code, gateway.written) == (403, [])
        assert "à l'essai" in answer.json()["detail"]
    with serving(chamber={"sandbox": True}) as gateway:
        assert gateway.post(event()).status_code == 202


def test_signatures_must_be_as_many_as_events_and_cover_octets_that_travel() -> None:
    one = octets(event())
    header = {"traverse-signature": OWN.sign(one).decode()}
    with serving() as gateway:
        assert gateway.post([event(), event(id="2")], BATCH, **header).status_code == 400
        binary = {f"ce-{name}": value for name, value in event().items() if isinstance(value, str)}
        del binary["ce-datacontenttype"]
        answer = gateway.post(call_data(), "application/json", **binary, **header)
        assert answer.status_code == 400
        assert gateway.written == []


def host(**changes: Any) -> Institution:
    """Who runs the gateway, whose key became something."""
    one = registry().view().institutions[HOST]
    key = one.signing_keys[0].model_copy(update=changes)
    return one.model_copy(update={"signing_keys": (key,)})


def hosts() -> list[Any]:
    """What an operator's row may have become, and what validate would say of its events."""
    ended = host(valid_to=NOW - timedelta(days=1))
    revoked = host(revoked_at=NOW - timedelta(days=1))
    other = host().model_copy(update={"signing_keys": (Signer.generate().public(LONG_AGO),)})
    demoted = host().model_copy(update={"roles": frozenset()})
    left = host().model_copy(update={"revoked_at": NOW - timedelta(days=1)})
    return [
        pytest.param(ended, "expired_key", id="rotated"),
        pytest.param(revoked, "revoked_key", id="revoked"),
        pytest.param(other, "unknown_key", id="not registered"),
        pytest.param(demoted, "wrong_institution", id="no gateway"),
        pytest.param(left, "revoked_institution", id="no member"),
    ]


@pytest.mark.parametrize(("operator", "reason"), hosts())
def test_a_gateway_whose_key_does_not_hold_promises_nothing(
    operator: Institution, reason: str
) -> None:
    """What it would sign is refused for now, as validate would refuse it; what an institution signs
    itself is taken."""
    with serving(others=[operator]) as gateway:
        answer = gateway.post(event())
        assert (answer.status_code, answer.json()["reason"]) == (503, "gateway_key")
        assert f"({reason})" in answer.json()["detail"]
        assert answer.headers["retry-after"] == "60"
        put = gateway.client.put("/v1/records/call/R-1", json=call_data())
        assert (put.status_code, gateway.written) == (503, [])
        ready = gateway.client.get("/readyz")
        assert (ready.status_code, ready.headers["retry-after"]) == (503, "60")
        own, vouched = event(id="1"), event(id="2")
        header = OWN.sign(octets(own)).decode() + ","
        mixed = gateway.post([own, vouched], BATCH, **{"traverse-signature": header})
        assert [one["code"] for one in mixed.json()["items"]] == [202, 503]
        assert gateway.written == [octets(own)]
    with serving(others=[operator], signatures="off") as gateway:
        assert gateway.client.get("/readyz").status_code == 200
        assert gateway.post(event()).status_code == 202


def test_a_gateway_notices_by_itself_that_its_key_was_revoked() -> None:
    """The registry is followed live: nothing is restarted."""
    with serving(administration=True) as gateway:
        assert gateway.post(event()).status_code == 202
        revoked = host(revoked_at=NOW - timedelta(days=1))
        gateway.registry_topic.write(HOST, encode_institution(revoked))
        assert wait_until(lambda: gateway.post(event()).status_code == 503, timeout=60)


def renewing(operator: Institution, signer: Signer, **chamber: Any) -> Vouching:
    """The vouching of a gateway with this key."""
    rows = {**registry(**chamber).view().institutions, HOST: operator}
    return Vouching(FixedRegistry(rows.values()), signer, required=True)


def test_what_waited_leaves_with_the_gateways_present_key() -> None:
    """What an institution signed itself leaves as it is, and so does what it took back."""
    new = Signer.generate()
    rotated = host(valid_to=NOW).model_copy(
        update={"signing_keys": (*host(valid_to=NOW).signing_keys, new.public(LONG_AGO))}
    )
    one, log, clock = octets(event()), MemoryLog(), FixedClock(NOW)
    key = record_key(event()["source"], event()["subject"])

    def sent(vouching: Vouching, signature: bytes) -> bytes:
        transport = VouchedTransport(log, vouching, clock)
        assert transport.send(key, one, (("a", b"b"), (SIGNATURE_HEADER, signature))).result(9)
        headers = log.sent[-1][2]
        assert headers[0] == ("a", b"b")
        return dict(headers)[SIGNATURE_HEADER]

    after = renewing(rotated, new)
    assert verify(one, sent(after, SIGNER.sign(one)), new.x)
    assert sent(after, OWN.sign(one)) == OWN.sign(one)
    assert sent(renewing(rotated, new, delegated=False), SIGNER.sign(one)) == SIGNER.sign(one)
    before = renewing(rotated, SIGNER)
    with pytest.raises(GatewayKeyError, match="expired_key"):
        sent(before, SIGNER.sign(one))
    assert len(log.sent) == 3


def test_what_waits_on_disk_waits_on_until_the_key_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Accepted while Kafka was away, it is rejected by nobody: the next gateway signs it anew."""
    new, log = Signer.generate(), MemoryLog()
    keys = (host(revoked_at=LONG_AGO).signing_keys[0], new.public(LONG_AGO))
    rotated = host().model_copy(update={"signing_keys": keys})
    away = SpooledJournal(memory_journal(nowhere), tmp_path / "file", nowhere, Limits())
    with serving(journal=away) as gateway:
        assert gateway.post(event()).status_code == 202

    def spooled(signer: Signer) -> SpooledJournal:
        def connect() -> VouchedTransport:
            return VouchedTransport(log, renewing(rotated, signer), FixedClock(NOW))

        return SpooledJournal(memory_journal(lambda: log), tmp_path / "file", connect, Limits())

    held = spooled(SIGNER)
    with serving(journal=held, others=[rotated]):
        assert wait_until(lambda: "reason=revoked_key" in caplog.text, timeout=60)
        assert (held.waiting, log.sent) == (1, [])
    log.closed = False
    mended = spooled(new)
    with serving(journal=mended, others=[rotated], signer=new):
        assert wait_until(lambda: mended.waiting == 0, timeout=60)
    [(_, written, headers)] = log.sent
    assert written == octets(event())
    assert verify(written, dict(headers)[SIGNATURE_HEADER], new.x)
