"""The HTTP transport: what each answer of a gateway does to the events, over a real socket."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.producers.gateway.serving import KEY, NOW, MemoryLog, nowhere
from tests.producers.http_gateways import (
    Answer,
    Events,
    ScriptedGateway,
    accepted,
    real_gateway,
    receipt,
    scripted_gateway,
)
from tests.stream_processors.factory import CCI, call_data, event
from traverse_producers.errors import (
    BrokerAwayError,
    EventRefusedError,
    GatewayAwayError,
    GatewayRefusedError,
    InvalidOptionError,
)
from traverse_producers.outbox.outbox import Outbox
from traverse_producers.publisher import Publisher
from traverse_producers.transports.gateway_answers import ACCEPTED, Later, outcomes
from traverse_producers.transports.http import HttpTransport
from traverse_schemas.clock import FixedClock
from traverse_schemas.log.pauses import Pauses
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

QUICK = Pauses(first=0.001, longest=0.01)


@pytest.fixture
def gateway() -> Iterator[ScriptedGateway]:
    with scripted_gateway() as running:
        yield running


@pytest.fixture
def transport(gateway: ScriptedGateway) -> Iterator[HttpTransport]:
    made = HttpTransport(gateway.url, KEY, pauses=QUICK)
    yield made
    made.close(0)


class Busy:
    """Keeps a gateway at a first request, so that the events that follow gather."""

    def __init__(self, gateway: ScriptedGateway, transport: HttpTransport) -> None:
        self._arrived, self._go_on = threading.Event(), threading.Event()
        gateway.script.insert(0, self._answer)
        self.first = transport.send("first", octets("first"), ())
        assert self._arrived.wait(60)

    def _answer(self, events: Events) -> Answer:
        self._arrived.set()
        self._go_on.wait(60)
        return accepted(events)

    def over(self) -> None:
        self._go_on.set()


def octets(reference: str = "R-1") -> bytes:
    return json.dumps(event(subject=reference)).encode()


def send(transport: HttpTransport, reference: str = "R-1") -> BaseException | None:
    """What the event's future ends with; None when it was delivered."""
    return transport.send(reference, octets(reference), ()).exception(60)


def test_the_request_is_a_batch_with_the_key(
    gateway: ScriptedGateway, transport: HttpTransport
) -> None:
    assert send(transport) is None
    ((headers, body),) = gateway.requests
    named = {name.lower(): value for name, value in headers.items()}
    assert named["authorization"] == f"Bearer {KEY}"
    assert named["content-type"] == "application/cloudevents-batch+json"
    assert body == b"[" + octets() + b"]"


def test_a_signature_travels_with_its_event(
    gateway: ScriptedGateway, transport: HttpTransport
) -> None:
    """In a header, one an event, in the order of the batch; none where none was made."""
    busy = Busy(gateway, transport)
    futures = [
        transport.send("a", octets("A"), ((SIGNATURE_HEADER, b"x..y"),)),
        transport.send("b", octets("B"), ()),
    ]
    busy.over()
    assert all(future.exception(60) is None for future in futures)
    named = [{name.lower(): value for name, value in each.items()} for each, _ in gateway.requests]
    assert SIGNATURE_HEADER not in named[0]
    assert named[1][SIGNATURE_HEADER] == "x..y,"


def test_events_that_come_together_travel_together(
    gateway: ScriptedGateway, transport: HttpTransport
) -> None:
    """While one request is on its way the others gather; a record's second event waits for the
    first one's answer."""
    busy = Busy(gateway, transport)
    futures = [transport.send(f"k{number % 60}", octets(), ()) for number in range(90)]
    busy.over()
    assert all(future.exception(60) is None for future in futures)
    sizes = [len(json.loads(body)) for _, body in gateway.requests]
    assert sizes == [1, 60, 30]


def test_each_event_gets_its_own_answer(gateway: ScriptedGateway, transport: HttpTransport) -> None:
    gateway.script = [
        lambda _: receipt(
            {"status": "accepted"},
            {"status": "duplicate"},
            {"status": "refused", "detail": "Titre manquant.", "pointer": "/data/title"},
        )
    ]
    busy = Busy(gateway, transport)
    futures = [transport.send(key, octets(), ()) for key in "abc"]
    busy.over()
    assert busy.first.result(60) == ACCEPTED
    assert futures[0].result(60) == futures[1].result(60) == ACCEPTED
    assert str(futures[2].exception(60)) == "Titre manquant. (/data/title)"
    assert isinstance(futures[2].exception(), EventRefusedError)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(
    gateway: ScriptedGateway, transport: HttpTransport, status: int
) -> None:
    gateway.script = [lambda _: Answer(status)] * 2
    assert send(transport) is None
    assert len(gateway.requests) == 3


def test_only_what_failed_is_sent_again(gateway: ScriptedGateway, transport: HttpTransport) -> None:
    gateway.script = [lambda _: receipt({"status": "failed"}, {"status": "accepted"})]
    busy = Busy(gateway, transport)
    futures = [busy.first, *(transport.send(key, octets(key), ()) for key in "ab")]
    busy.over()
    assert all(future.exception(60) is None for future in futures)
    sent = [[one["subject"] for one in json.loads(body)] for _, body in gateway.requests]
    assert sent == [["first"], ["a", "b"], ["a"]]


def test_a_gateway_that_hangs_up_is_tried_again(
    gateway: ScriptedGateway, transport: HttpTransport
) -> None:
    gateway.script = [lambda _: None, lambda _: Answer(202, b"{not json")]
    assert send(transport) is None


def test_retry_after_is_respected(gateway: ScriptedGateway) -> None:
    """A gateway that asks for more time than the event has is not asked again; whoever holds the
    event learns how long to wait."""
    gateway.script = [lambda _: Answer(429, {"detail": "Trop."}, {"retry-after": "3600"})]
    transport = HttpTransport(gateway.url, KEY, timeout=30, pauses=QUICK)
    error = send(transport)
    assert isinstance(error, GatewayAwayError)
    assert error.retry_after == 3600
    assert "Trop." in str(error)
    assert len(gateway.requests) == 1
    transport.close(0)


def test_a_wait_within_the_time_is_waited(
    gateway: ScriptedGateway, transport: HttpTransport
) -> None:
    gateway.script = [lambda _: Answer(503, headers={"retry-after": "1"})]
    future = transport.send("k", octets(), ())
    with pytest.raises(TimeoutError):
        future.result(0.5)
    assert future.exception(60) is None


def test_time_is_over_in_the_end(gateway: ScriptedGateway) -> None:
    gateway.script = [lambda _: Answer(503)] * 1000
    transport = HttpTransport(gateway.url, KEY, timeout=0.3, pauses=QUICK)
    assert isinstance(send(transport), GatewayAwayError)
    transport.close(0)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "vérifiez la clé d'API"),
        (403, "ne permet pas de publier"),
        (404, "vérifiez l'adresse"),
        (405, "vérifiez l'adresse"),
        (415, "mettez à jour traverse"),
        (302, r"renvoie : https://ailleurs\.example"),
    ],
)
def test_a_refusal_of_everything_is_told_and_not_repeated(
    gateway: ScriptedGateway, transport: HttpTransport, status: int, said: str
) -> None:
    gateway.script = [lambda _: Answer(status, headers={"location": "https://ailleurs.example"})]
    error = send(transport)
    assert isinstance(error, GatewayRefusedError)
    assert not isinstance(error, EventRefusedError)
    with pytest.raises(GatewayRefusedError, match=said):
        raise error
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_bad_event_does_not_take_the_others_with_it(
    gateway: ScriptedGateway, transport: HttpTransport, status: int
) -> None:
    """An answer that says of a whole batch that something in it is wrong: halves find which."""

    def answer(events: Events) -> Answer:
        if any(one["subject"] == "bad" for one in events):
            return Answer(status, {"detail": "Quelque chose ne va pas."})
        return accepted(events)

    gateway.script = [answer] * 20
    busy = Busy(gateway, transport)
    names = [*"abcde", "bad", *"fgh"]
    futures = {name: transport.send(name, octets(name), ()) for name in names}
    busy.over()
    errors = {name: future.exception(60) for name, future in futures.items()}
    assert str(errors.pop("bad")) == "Quelque chose ne va pas."
    assert set(errors.values()) == {None}


def test_nobody_there_is_one_sentence_within_the_timeout() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        transport = HttpTransport(address, KEY, timeout=0.3, pauses=QUICK)
        error = send(transport)
    assert isinstance(error, BrokerAwayError)
    assert f"La passerelle {address} n'a pas confirmé" in str(error)
    transport.close(0)


def test_a_gateway_that_never_answers_holds_nothing_up_for_ever(gateway: ScriptedGateway) -> None:
    hung = threading.Event()
    gateway.script = [lambda _: (hung.wait(60) and None) or None]
    transport = HttpTransport(gateway.url, KEY, timeout=0.3)
    assert isinstance(send(transport), GatewayAwayError)
    hung.set()
    transport.close(0)


@pytest.mark.parametrize("address", ["passerelle.example", "ftp://x", "http://", "http://x:port"])
def test_an_address_that_is_none_is_one_sentence(address: str) -> None:
    with pytest.raises(InvalidOptionError, match="https://"):
        HttpTransport(address, KEY)


@pytest.mark.parametrize("key", ["", "é", "two words", "a\nb"])
def test_a_key_that_is_none_is_one_sentence(key: str) -> None:
    with pytest.raises(InvalidOptionError, match="clé d'API"):
        HttpTransport("https://passerelle.example", key)


def test_a_date_tells_when_to_come_back() -> None:
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    headers = {"retry-after": "Tue, 24 Nov 2026 09:01:00 GMT"}
    assert outcomes(503, headers, b"", 1, now=now) == [Later(60, "elle répond 503")]


@pytest.mark.parametrize("text", ["", "soon", "-5", "²", "Tue, 24 Nov 2026 09:01:00 -0000", "nan"])
def test_a_retry_after_that_says_nothing_is_no_wait(text: str) -> None:
    (answer,) = outcomes(503, {"retry-after": text}, b"", 1) or []
    assert isinstance(answer, Later)
    assert answer.seconds == 0


def test_an_outbox_stands_before_a_gateway(gateway: ScriptedGateway, tmp_path: object) -> None:
    """Wrong key at first: everything waits, nothing is parked; with the right one it leaves."""
    path = f"{tmp_path}/outbox"
    gateway.script = [lambda _: Answer(401)] * 3
    with Outbox(path, lambda: HttpTransport(gateway.url, KEY), pauses=QUICK) as outbox:
        futures = [outbox.send(f"k{number}", octets(), ()) for number in range(5)]
        assert all(future.exception(60) is None for future in futures)
        assert outbox.state().parked == 0


def test_what_will_have_to_change_is_told_once(
    gateway: ScriptedGateway, transport: HttpTransport, caplog: pytest.LogCaptureFixture
) -> None:
    item = {"index": 0, "status": "accepted", "warning": "Le type v0 est remplacé."}
    gateway.script += [lambda _: receipt(item)] * 2
    for number in range(2):
        transport.send(f"key-{number}", b"{}", ()).result(60)
    assert [each.message for each in caplog.records] == ["Le type v0 est remplacé."]


def test_the_real_gateway_takes_refuses_and_knows_again() -> None:
    with real_gateway() as (url, log):
        transport = HttpTransport(url, KEY)
        good = octets()
        assert transport.send("a", good, ()).exception(60) is None
        assert transport.send("a", good, ()).exception(60) is None
        foreign = json.dumps(event(source="urn:siren:211300405")).encode()
        refused = transport.send("b", foreign, ()).exception(60)
        assert isinstance(refused, EventRefusedError)
        assert isinstance(transport.send("c", b"{", ()).exception(60), EventRefusedError)
        assert send(transport, "R-2") is None
        transport.close(5)
        assert log.sent[0][1] == good
        wrong = HttpTransport(url, "another-key")
        with pytest.raises(GatewayRefusedError, match="vérifiez la clé"):
            raise send(wrong) or AssertionError
        wrong.close(0)


def test_the_real_gateway_without_kafka_is_waited_for() -> None:
    """It answers 503 until the log is there; the events wait, and arrive once."""
    log, open_ = MemoryLog(), threading.Event()

    def connect() -> MemoryLog:
        return log if open_.is_set() else nowhere()

    with real_gateway(connect, wait=False) as (url, _):
        said = Publisher(CCI, transport=HttpTransport(url, KEY, timeout=60), clock=FixedClock(NOW))
        futures = [said.publish("call", f"R-{number}", call_data()) for number in range(3)]
        open_.set()
        said.close()
        assert [future.result() for future in futures] == [ACCEPTED] * 3
    assert {json.loads(each)["subject"] for _, each, _ in log.sent} == {"R-0", "R-1", "R-2"}
