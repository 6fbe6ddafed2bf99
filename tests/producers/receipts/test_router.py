"""The routes of receipts and rejections: an institution sees its own, and replays them."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from fastapi import FastAPI, Header, Response
from fastapi.testclient import TestClient

from tests.producers.receipts.test_follow import NOW, SOURCE, receipt, rejected
from traverse_producers.gateway.access import Caller
from traverse_producers.receipts.desk import Desk, DeskError, Replay
from traverse_producers.receipts.follow import Follower, save
from traverse_producers.receipts.replay import UnusableCorrectionError, replayed
from traverse_producers.receipts.router import receipts_router, whole_body
from traverse_producers.receipts.streaks import SLOW_AFTER, WARN_AFTER, slowed_rate
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.receipts import End
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

OWN = {"siren": "211300405"}
ORIGINAL = orjson.dumps(
    {"specversion": "1.0", "id": "e-9", "source": SOURCE, "subject": "R-1",
     "type": "fr.traverse.call.published.v1", "time": "2026-11-20T10:00:00Z", "data": {}}
)  # fmt: skip


class Rejected:
    """Stands for the log: every rejection holds the same original."""

    def __init__(self, bootstrap: str, *, patience: float) -> None:
        pass

    def __enter__(self) -> "Rejected":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def at(self, topic: str, partition: int, offset: int) -> LogMessage | None:
        headers = {SIGNATURE_HEADER: b"of the original"}
        return LogMessage(topic, partition, offset, NOW, b"", ORIGINAL, headers)


class Office:
    """A bare application with the routes over a store of its own."""

    def __init__(self, home: Path) -> None:
        self.follower = Follower("unused:9092", home)
        self.desk = Desk(self.follower, "unused:9092")
        self.published: list[tuple[str, bytes]] = []
        self.signatures: list[tuple[bytes | None, bytes | None]] = []
        app = FastAPI()

        async def publish(caller: Caller, said: Replay, given: bytes | None) -> Response:
            self.published.append((caller.siren, said.octets))
            self.signatures.append((said.signature, given))
            return Response(status_code=202)

        async def caller(siren: str = Header()) -> str:
            return siren

        async def publisher(siren: str = Header()) -> Caller:
            return Caller(siren)

        async def refuse(_: object, error: Exception) -> Response:
            assert isinstance(error, DeskError)
            return Response(str(error), error.status)

        app.add_exception_handler(DeskError, refuse)
        app.include_router(
            receipts_router(lambda: self.desk, caller, publisher, publish, whole_body)
        )
        self.client = TestClient(app, headers=OWN)

    def save(self, *messages: LogMessage) -> None:
        with self.follower.open_store() as store:
            save(store, messages)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr("traverse_producers.receipts.desk.LogReader", Rejected)
    yield Office(tmp_path)


def test_an_institution_reads_the_trace_of_its_own_event(office: Office) -> None:
    office.save(receipt(End.SEARCHABLE, 1, opportunity="abc"))
    found = office.client.get("/v1/receipts", params={"source": SOURCE, "id": "e-1"})
    assert found.status_code == 200
    assert (found.json()["end"], found.json()["warning"]) == ("searchable", None)
    other = office.client.get("/v1/receipts", params={"source": "urn:siren:200054807", "id": "1"})
    assert other.status_code == 403
    unknown = office.client.get("/v1/receipts", params={"source": f"{SOURCE}:x", "id": "e-1"})
    assert unknown.status_code == 404
    assert "Rien n'est connu" in unknown.text


def test_pages_of_rejections_hold_each_once_though_many_have_one_time(office: Office) -> None:
    many = [rejected(number)._replace(time=NOW) for number in range(7)]
    office.save(*many, rejected(8, siren=None), rejected(9, siren=b"200054807"))
    seen: list[str] = []
    asked: dict[str, str] = {}
    for _ in range(4):
        page = office.client.get("/v1/rejections", params={"size": 2, **asked}).json()
        seen += [item["id"] for item in page["items"]]
        asked = {"before": page["next"]}
    assert page["next"] is None
    assert sorted(seen) == [f"inbound-1@{number}" for number in range(7)]
    assert page["items"][0]["sentence"] == "Non."
    assert office.client.get("/v1/rejections", params={"before": "x"}).status_code == 422


def test_a_rejection_of_another_is_not_there(office: Office) -> None:
    office.save(rejected(1, siren=b"200054807"))
    for name in ("inbound-1@1", "inbound-9@9", "x"):
        assert office.client.get(f"/v1/rejections/{name}").status_code == 404
        assert office.client.post(f"/v1/rejections/{name}/replay").status_code == 404
    assert office.published == []


def test_a_replay_publishes_the_original_or_its_correction(office: Office) -> None:
    office.save(rejected(1))
    assert office.client.get("/v1/rejections/inbound-1@1").json()["event"] == ORIGINAL.decode()
    assert office.client.post("/v1/rejections/inbound-1@1/replay").status_code == 202
    correction = b'{"data": {"title": "Mieux"}}'
    signed = {"traverse-signature": "of the correction"}
    office.client.post("/v1/rejections/inbound-1@1/replay", content=correction, headers=signed)
    # The signature that it came with goes with the original alone.
    assert office.signatures == [(b"of the original", None), (None, b"of the correction")]
    (siren, first), (_, second) = office.published
    assert (siren, first) == ("211300405", ORIGINAL)
    assert orjson.loads(second) == {**orjson.loads(ORIGINAL), "data": {"title": "Mieux"}}


def test_half_a_character_of_a_correction_is_refused_in_words() -> None:
    """JSON may hold one, the octets to publish cannot."""
    with pytest.raises(UnusableCorrectionError, match="moitié de caractère"):
        replayed(ORIGINAL, b'{"data": {"title": "\\ud800"}}', "schema")


def test_the_same_correction_is_the_same_event_and_a_used_id_gets_another() -> None:
    correction = b'{"data": {"title": "Mieux"}}'
    once = replayed(ORIGINAL, correction, "id_reused")
    assert replayed(ORIGINAL, correction, "id_reused") == once
    assert orjson.loads(once)["id"].startswith("e-9#")
    assert replayed(ORIGINAL, b'{"data": {}}', "id_reused") != once
    named = orjson.dumps({**orjson.loads(ORIGINAL), "id": "e-10"})
    assert replayed(ORIGINAL, named, "id_reused") == named
    assert orjson.loads(replayed(b"{", correction, "not_json"))["id"].startswith("rejeu#")
    # What the index alone refused was accepted under its id: it is said anew under another.
    anew = orjson.loads(replayed(ORIGINAL, None, "document_refused"))
    assert anew["id"].startswith("e-9#")
    assert {**anew, "id": "e-9"} == orjson.loads(ORIGINAL)
    for unusable in (b"{", b"[]", b"\xff"):
        with pytest.raises(UnusableCorrectionError, match="CloudEvent"):
            replayed(ORIGINAL, unusable, "invalid_data")


def test_who_fails_in_a_row_is_told_and_slowed_until_one_succeeds(office: Office) -> None:
    def warning() -> str | None:
        found: str | None = office.client.get("/v1/rejections").json()["warning"]
        return found

    office.save(*(rejected(number) for number in range(WARN_AFTER - 1)))
    assert warning() is None
    office.save(*(rejected(number) for number in range(WARN_AFTER, SLOW_AFTER + 5)))
    assert "débit" in (warning() or "")
    assert slowed_rate(600, office.desk.failing("211300405")) == 60
    office.save(receipt(End.SUPERSEDED, 1000))
    assert warning() is None
    assert slowed_rate(600, office.desk.failing("211300405")) == 600


def test_what_strangers_send_slows_nobody(office: Office) -> None:
    office.save(*(rejected(number, siren=None) for number in range(2 * SLOW_AFTER)))
    assert office.desk.failing("211300405") == 0


def test_without_kafka_a_rejection_is_not_read_again_and_that_is_said_soon(tmp_path: Path) -> None:
    """Kafka has the event; the list, which is here, is answered."""
    office = Office(tmp_path)
    office.desk = Desk(office.follower, "127.0.0.1:1")
    office.save(rejected(1))
    assert office.client.get("/v1/rejections").status_code == 200
    for method, path in (("GET", ""), ("POST", "/replay")):
        answer = office.client.request(method, f"/v1/rejections/inbound-1@1{path}")
        assert (answer.status_code, "réessayez" in answer.text) == (503, True)
    assert office.published == []
