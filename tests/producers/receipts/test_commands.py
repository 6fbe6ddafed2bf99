"""`traverse receipt` for who reaches no Kafka: an institution asks its gateway."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from tests.producers.gateway.serving import KEY
from tests.producers.http_gateways import real_gateway
from tests.stream_processors.factory import CCI
from traverse_infra.commands.tree import build
from traverse_producers.errors import GatewayAwayError, GatewayRefusedError, InvalidOptionError
from traverse_producers.receipts.follow import Follower, save
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.receipts import End, receipt_key
from traverse_schemas.log.topics import RECEIPTS

AT = 1795510800000  # 2026-11-24, 10:00 in Paris


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[str]:
    """The address of a gateway that knows one event of the chamber's; its key is in `key`."""
    (tmp_path / "key").write_text(KEY)
    value = {"source": CCI, "id": "e-1", "end": End.SEARCHABLE, "opportunity": "abc",
             "received": AT, "validated": AT + 300, "linked": AT + 700}  # fmt: skip
    with Follower("127.0.0.1:1", tmp_path).open_store() as store:
        key = receipt_key(CCI, "e-1")
        save(store, [LogMessage(RECEIPTS, 1, 1, AT + 900, key, orjson.dumps(value), {})])
    with real_gateway(own=tmp_path) as (url, _):
        yield url


def asked(*words: str) -> Result:
    return CliRunner().invoke(build(), ["receipt", *words])


def test_an_institution_asks_its_gateway_what_became_of_an_event(
    gateway: str, tmp_path: Path
) -> None:
    """As the operator sees it in the log, and with the API's own answer for programs."""
    where = ("--gateway", gateway, "--api-key-file", str(tmp_path / "key"))
    told = asked(CCI, "e-1", *where)
    assert told.output.splitlines() == [
        f"{CCI}, événement e-1",
        "  24/11/2026 10:00:00,000  Reçu",
        "  24/11/2026 10:00:00,300  Validé et enrichi",
        "  24/11/2026 10:00:00,700  Relié",
        "  24/11/2026 10:00:00,900  Trouvable dans la recherche",
        "Fiche : abc",
    ]
    answer = orjson.loads(asked(CCI, "e-1", *where, "--json").output)
    assert (answer["end"], answer["opportunity"]) == ("searchable", "abc")


def test_the_gateway_that_is_set_is_asked(
    gateway: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who published by TRAVERSE_GATEWAY asks there too, and not a Kafka that it cannot reach."""
    monkeypatch.setenv("TRAVERSE_GATEWAY", gateway)
    assert isinstance(asked(CCI, "e-1").exception, InvalidOptionError)  # the key is asked for
    monkeypatch.setenv("TRAVERSE_API_KEY_FILE", str(tmp_path / "key"))
    assert "Trouvable" in asked(CCI, "e-1").output


def test_what_it_does_not_tell_is_said_with_what_to_do(gateway: str, tmp_path: Path) -> None:
    where = ("--gateway", gateway, "--api-key-file", str(tmp_path / "key"))
    unknown = asked(CCI, "e-2", *where).exception
    assert isinstance(unknown, GatewayRefusedError)
    assert "réessayez dans quelques secondes" in str(unknown)
    other = asked("urn:siren:211300553", "e-1", *where).exception
    assert isinstance(other, GatewayRefusedError)
    assert str(other).startswith("La source urn:siren:211300553 n'est pas de l'institution")
    away = asked(CCI, "e-1", "--gateway", "http://127.0.0.1:1", *where[2:]).exception
    assert isinstance(away, GatewayAwayError)
