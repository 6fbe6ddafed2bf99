"""Who signs what goes by the gateway: the institution itself, or the gateway for it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.producers.gateway.serving import BATCH, LONG_AGO, NOW, OWN, SIGNER, Gateway, serving
from tests.stream_processors.factory import call_data, event, octets
from traverse_schemas.signatures import SIGNATURE_HEADER, Signer, verify


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
