"""An institution that signs for itself reads its rejections by the gateway, and replays them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from tests.producers.gateway.serving import KEY, OWN, MemoryLog
from tests.producers.http_gateways import real_gateway
from tests.producers.receipts.test_follow import NOW, rejected
from tests.stream_processors.factory import CCI, call_data, event, octets
from traverse_infra.commands.tree import build
from traverse_producers.errors import (
    BrokerAwayError,
    EventRefusedError,
    GatewayAwayError,
    GatewayRefusedError,
)
from traverse_producers.receipts.follow import Follower, save
from traverse_producers.rejections import Rejections
from traverse_producers.signing_keys import OneKey, write_key
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.receipts import EVENT_HEADER, SIREN_HEADER, receipt_key
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, verify

CHAMBER = "181300013"
ORIGINAL = octets(event(id="e-9"))
PLACE = "inbound-1@1"


class Log:
    """Stands for the log: every rejection holds the original, signed by the chamber."""

    def __init__(self, bootstrap: str, *, patience: float) -> None:
        pass

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def at(self, topic: str, partition: int, offset: int) -> LogMessage | None:
        headers = {SIGNATURE_HEADER: OWN.sign(ORIGINAL)}
        return LogMessage(topic, partition, offset, NOW, b"", ORIGINAL, headers)


class Office(NamedTuple):
    """A gateway that signs for nobody, with a few rejections of the chamber's."""

    url: str
    log: MemoryLog
    home: Path

    def run(self, *words: str) -> str:
        (self.home / "key").write_text(KEY)
        where = ["--gateway", self.url, "--api-key-file", str(self.home / "key")]
        done = CliRunner().invoke(build(), ["rejected", *words, *where])
        if done.exception is not None:
            raise done.exception
        return done.output


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr("traverse_producers.receipts.desk.LogReader", Log)
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))
    with Follower("127.0.0.1:1", tmp_path).open_store() as store:
        own = {SIREN_HEADER: CHAMBER.encode(), EVENT_HEADER: receipt_key(CCI, "e-9")}
        found = [rejected(number) for number in range(1, 4)]
        save(store, [one._replace(headers={**one.headers, **own}) for one in found])
    with real_gateway(own=tmp_path) as (url, log):
        yield Office(url, log, tmp_path)


def test_what_is_corrected_is_signed_with_the_institutions_own_key(office: Office) -> None:
    mended = octets(event(id="e-9", sequence=2))
    with Rejections(office.url, KEY) as rejections:
        assert [one["id"] for one in rejections.all()] == [f"inbound-1@{n}" for n in (3, 2, 1)]
        assert rejections.one(PLACE)["event"] == ORIGINAL.decode()
        assert rejections.replay(PLACE, mended, keys=OneKey(OWN)) == "e-9"
        # What the correction leaves out comes from the original, and is signed as it travels.
        part = orjson.dumps({"data": call_data(), "sequence": 3})
        assert rejections.replay(PLACE, part, keys=OneKey(OWN)) == "e-9"
    (_, first, headers), (_, second, more) = office.log.sent
    assert first == mended
    assert verify(first, dict(headers)[SIGNATURE_HEADER], OWN.x)
    assert orjson.loads(second)["sequence"] == 3
    assert verify(second, dict(more)[SIGNATURE_HEADER], OWN.x)


def test_the_original_goes_on_with_the_signature_that_it_came_with(office: Office) -> None:
    with Rejections(office.url, KEY) as rejections:
        assert rejections.replay(PLACE) == "e-9"
    ((_, sent, headers),) = office.log.sent
    assert (sent, dict(headers)[SIGNATURE_HEADER]) == (ORIGINAL, OWN.sign(ORIGINAL))


def test_what_does_not_go_is_said_with_what_to_do(office: Office) -> None:
    with Rejections(office.url, KEY) as rejections:
        with pytest.raises(EventRefusedError, match="rejected replay"):
            rejections.replay(PLACE, octets(event(id="e-9", sequence=2)))
        with pytest.raises(EventRefusedError, match="title"):
            rejections.replay(PLACE, octets(event(id="e-9", data={})), keys=OneKey(OWN))
        with pytest.raises(GatewayRefusedError, match="n'a la place inbound-9@9"):
            rejections.one("inbound-9@9")
    with Rejections(office.url, "another") as strangers, pytest.raises(GatewayRefusedError):
        list(strangers.all())
    with Rejections("http://127.0.0.1:1", KEY) as away, pytest.raises(GatewayAwayError):
        list(away.all())
    assert office.log.sent == []


def test_the_command_line_lists_shows_signs_and_replays(office: Office) -> None:
    write_key(office.home / "keys" / f"{CHAMBER}.pem", OWN)
    assert "inbound-1@2" in office.run("list")
    assert "Non." in office.run("show", "traverse.inbound/1@1")
    mended = office.home / "mended.json"
    mended.write_bytes(octets(event(id="e-9", sequence=2)))
    assert "événement e-9" in office.run("replay", PLACE, "--file", str(mended))
    ((_, sent, headers),) = office.log.sent
    assert verify(sent, dict(headers)[SIGNATURE_HEADER], OWN.x)


def test_while_kafka_is_away_one_is_told_to_come_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway reads the event there: 503 with when (RFC 9110, 15.6.4), not a failure."""

    def away(bootstrap: str, *, patience: float) -> Log:
        raise BrokerAwayError(bootstrap)

    monkeypatch.setattr("traverse_producers.receipts.desk.LogReader", away)
    answer = httpx.get(
        f"{office.url}/v1/rejections/{PLACE}", headers={"authorization": f"Bearer {KEY}"}
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    refused = pytest.raises(GatewayAwayError, match="rien n'a été rejoué")
    with Rejections(office.url, KEY) as rejections, refused:
        rejections.replay(PLACE)
