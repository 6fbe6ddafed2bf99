"""Who speaks, in a batch: what goes on with its signature, and whom a refusal is laid to."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from tests.signing import CCI, member, signer_of
from tests.stream_processors.factory import RECEIVED, event
from traverse_schemas.errors import Reason
from traverse_schemas.log.receipts import SIREN_HEADER
from traverse_schemas.log.topics import ACCEPTED, EVENTS, INBOUND, PARTITIONS, REJECTED
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institutions import Institution
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.signing.signatures import RECEIVED_HEADER, SIGNATURE_HEADER, Signer, verify
from traverse_stream_processors.validating.admit import Admitted, admit
from traverse_stream_processors.validating.check import Inbound, check
from traverse_stream_processors.validating.work import ValidateWork

MARSEILLE = "211300553"
VIEW = RegistryView([member(CCI), member(MARSEILLE)])


def inbound(whole: dict[str, Any] | bytes, signer: Signer | None, partition: int = 0) -> Inbound:
    octets = whole if isinstance(whole, bytes) else orjson.dumps(whole)
    headers = () if signer is None else ((SIGNATURE_HEADER, signer.sign(octets)),)
    return Inbound(partition, 0, RECEIVED, octets, headers)


def admitted(*messages: Inbound, view: RegistryView | None = VIEW, partitions: int = 1) -> Admitted:
    checked = check(messages, Territories.load(), view)
    return admit(checked, {}, {}, lambda _: None, partitions)


def refusal(done: Admitted) -> tuple[str, bytes | None]:
    (one,) = [message for message in done.effects if message.topic == REJECTED]
    headers = dict(one.headers)
    return headers["reason"].decode(), headers.get(SIREN_HEADER)


def test_what_is_accepted_keeps_its_octets_its_signature_and_its_time() -> None:
    one = inbound(event("withdrawn"), signer_of(CCI))
    (kept,) = admitted(one).accepted
    headers = dict(kept.headers)
    assert kept.topic == ACCEPTED
    assert kept.value == one.value
    assert verify(kept.value or b"", headers[SIGNATURE_HEADER], signer_of(CCI).x)
    assert headers[RECEIVED_HEADER] == RECEIVED.isoformat().encode()


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"{pas du json", "not_json"),
        (orjson.dumps(event(type="fr.traverse.x.y.v1")), "unknown_type"),
        (orjson.dumps(event(source="https://exemple.fr")), "invalid_source"),
    ],
)
def test_a_members_mistake_is_told_to_that_member(octets: bytes, reason: str) -> None:
    assert refusal(admitted(inbound(octets, signer_of(CCI)))) == (reason, CCI.encode())


def test_a_strangers_garbage_is_not_even_read() -> None:
    assert refusal(admitted(inbound(b"{pas du json", None))) == ("unsigned", None)
    stranger = Signer.generate()
    assert refusal(admitted(inbound(b"{pas du json", stranger))) == ("unknown_key", None)


def test_an_impostor_is_laid_to_itself() -> None:
    taken = event(source=f"urn:siren:{MARSEILLE}")
    done = admitted(inbound(taken, signer_of(CCI)))
    assert refusal(done) == ("wrong_institution", CCI.encode())


def test_a_source_said_twice_is_compared_as_it_is_used() -> None:
    """Two readers of JSON may not agree on which of two `source` counts: nobody gains by it."""
    whole = orjson.dumps(event("withdrawn"))
    double = whole[:-1] + f',"source":"urn:siren:{MARSEILLE}"}}'.encode()
    for signer in (signer_of(CCI), signer_of(MARSEILLE)):
        (checked,) = check([inbound(double, signer)], Territories.load(), VIEW)
        if checked.accepted is not None:
            assert checked.accepted.source.siren == checked.siren
            assert checked.accepted.event.source == checked.accepted.source.urn
            assert verify(double, checked.accepted.signature or b"", signer_of(checked.siren).x)


def test_what_goes_round_once_more_keeps_its_signature() -> None:
    """Also when other headers are too many to be kept."""
    whole = event("withdrawn")
    for more in ((), (("x", b"y" * 20_000),)):
        wrong = [inbound(whole, signer_of(CCI), partition) for partition in range(PARTITIONS)]
        wrong = [one._replace(headers=(*one.headers, *more)) for one in wrong]
        done = admitted(*wrong, partitions=PARTITIONS)
        again = [message for message in done.effects if message.topic == INBOUND]
        assert len(again) == PARTITIONS - 1
        for message in again:
            signature = dict(message.headers)[SIGNATURE_HEADER]
            assert verify(message.value or b"", signature, signer_of(CCI).x)


def test_a_rejection_keeps_what_a_replay_needs() -> None:
    one = inbound(event(type="fr.traverse.x.y.v1"), signer_of(CCI))
    (message,) = [each for each in admitted(one).effects if each.topic == REJECTED]
    assert message.value == one.value
    assert dict(message.headers)[SIGNATURE_HEADER] == dict(one.headers)[SIGNATURE_HEADER]


def test_without_a_registry_nobody_is_held_to_anything() -> None:
    """And a signature that nobody looked at does not go on as if somebody had."""
    (kept,) = admitted(inbound(event("withdrawn"), Signer.generate()), view=None).accepted
    assert SIGNATURE_HEADER not in dict(kept.headers)
    assert refusal(admitted(inbound(b"{", signer_of(CCI)), view=None)) == ("not_json", None)
    assert not any(topic in EVENTS.values() for topic in (kept.topic,))


class LateRegistry:
    """A registry that reads its last rows only when it is made to."""

    ready = True

    def __init__(self, last: Institution) -> None:
        self._last = last
        self._view = VIEW
        self.asked = 0

    def view(self) -> RegistryView:
        return self._view

    def catch_up(self, timeout: float) -> None:
        self.asked += 1
        self._view = RegistryView([*VIEW.institutions.values(), self._last])


def test_who_was_registered_a_moment_ago_is_no_stranger() -> None:
    """All of the registry is read before anybody is turned away, once a batch; a batch without
    strangers waits for nothing."""
    siren = "211300405"
    registry = LateRegistry(member(siren))
    work = ValidateWork(
        bootstrap="",
        state=None,  # type: ignore[arg-type]
        writer=None,  # type: ignore[arg-type]
        territories=Territories.load(),
        enrich=lambda _: None,
        registry=registry,
    )
    mine = inbound(event("withdrawn"), signer_of(CCI))
    new = inbound(event("withdrawn", source=f"urn:siren:{siren}"), signer_of(siren))
    stranger = inbound(event("withdrawn"), Signer.generate())
    assert work._check([mine])[0].accepted is not None
    assert registry.asked == 0
    found = work._check([mine, new, stranger, new])
    assert [one.error and one.error.reason for one in found] == [
        None,
        None,
        Reason.UNKNOWN_KEY,
        None,
    ]
    assert registry.asked == 1
    assert found[1].message is new


def test_the_time_that_counts_is_the_brokers() -> None:
    """The same message is judged the same, whenever it is read."""
    key = signer_of(CCI).public(RECEIVED + timedelta(seconds=1))
    view = RegistryView([member(CCI, signing_keys=(key,))])
    one = inbound(event("withdrawn"), signer_of(CCI))
    assert refusal(admitted(one, view=view))[0] == "key_not_yet_valid"
    later = one._replace(received=RECEIVED + timedelta(seconds=1))
    assert admitted(later, view=view).accepted
