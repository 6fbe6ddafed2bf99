"""Who says it, on the real engines: what somebody would try, keys that come and go without a
restart, and subscribers who verify for themselves."""

import base64
import json
import re
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.journey.harness import PATIENCE, Journey, Sent, sent
from tests.signing import CCI, member, signer_of
from tests.stream_processors.factory import event
from traverse_schemas.clock import SystemClock
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.receipts import SIREN_HEADER
from traverse_schemas.log.topics import EVENTS
from traverse_schemas.registry.institution_changes import revoke_signing_key, with_signing_key
from traverse_schemas.registry.institutions import Role
from traverse_schemas.registry.key_set import key_set
from traverse_schemas.registry.registry import LiveRegistry, RegistryView, institutions_table
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, VOUCHED_HEADER, Signer
from traverse_schemas.verification import NotVerifiedError, Word, who_said

pytestmark = pytest.mark.engines

MARSEILLE, FUVEAU = "211300553", "211300405"
PAGE = Path(__file__).parents[2] / "docs" / "verify.md"


def said(subject: str, siren: str = MARSEILLE, **changes: Any) -> dict[str, Any]:
    source = f"urn:siren:{siren}:marches"
    return event(id=subject, subject=subject, source=source, **changes)


def signed(whole: dict[str, Any], signature: bytes | None) -> Sent:
    headers = () if signature is None else ((SIGNATURE_HEADER, signature),)
    return replace(sent(whole), headers=headers, signed=False)


def by(signer: Signer, whole: dict[str, Any]) -> Sent:
    return signed(whole, signer.sign(orjson.dumps(whole)))


def fates(journey: Journey, *wholes: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The reason of each event's rejection and whom it is laid to; "" when it was accepted."""
    journey.settle()
    refused = {
        orjson.loads(one.value or b"")["id"]: (
            one.headers["reason"].decode(),
            one.headers[SIREN_HEADER].decode() if SIREN_HEADER in one.headers else None,
        )
        for one in journey.rejections()
    }
    return [refused.get(whole["id"], ("", None)) for whole in wholes]


def test_what_strangers_and_impostors_send_is_refused_with_its_reason(flowing: Journey) -> None:
    """And laid to who signed, never to the name that was taken in vain."""
    flowing.register(member(CCI, roles=frozenset({Role.GATEWAY})))
    right, nothing, garbage, unknown, taken, moved, altered, stranger, vouched = (
        said(f"TRY-{number}") for number in range(9)
    )
    outsider = said("TRY-OUT", siren="213100019")
    flowing.send(
        [
            by(signer_of(MARSEILLE), right),
            signed(nothing, None),
            signed(garbage, b"\x00" * 300),
            by(Signer.generate(), unknown),
            by(signer_of(FUVEAU), taken),
            # The signature of another event of the same institution.
            signed(moved, signer_of(MARSEILLE).sign(orjson.dumps(right))),
            signed({**altered, "time": "2026-11-21T10:00:00Z"},
                   signer_of(MARSEILLE).sign(orjson.dumps(altered))),
            by(signer_of(MARSEILLE), {**stranger, "source": f"urn:siren:{FUVEAU}"}),
            by(signer_of(CCI), vouched),
            by(signer_of(MARSEILLE), outsider),
        ]
    )  # fmt: skip
    wholes = (right, nothing, garbage, unknown, taken, moved, altered, stranger, vouched, outsider)
    assert fates(flowing, *wholes) == [
        ("", None),
        ("unsigned", None),
        ("bad_signature", None),
        ("unknown_key", None),
        ("wrong_institution", FUVEAU),
        ("bad_signature", None),
        ("bad_signature", None),
        ("wrong_institution", MARSEILLE),
        ("wrong_institution", CCI),
        ("unknown_institution", MARSEILLE),
    ]


def test_keys_and_members_come_and_go_without_a_restart(flowing: Journey) -> None:
    """Registered, delegated, rotated and revoked while the step runs: the next event is judged by
    it, and what was accepted stays."""
    siren = "218401032"
    with institutions_table(flowing.kafka) as table:
        table.wait(PATIENCE)
        new = Signer.generate()
        now = SystemClock().now()
        known = {"created": now, "signing_keys": (new.public(now),)}
        table.put(siren, member(siren, **known))
        first = said("LIVE-1", siren)
        flowing.send([by(new, first)])
        assert fates(flowing, first) == [("", None)]

        newer = Signer.generate()
        at = SystemClock().now()
        table.update(
            siren,
            lambda row: with_signing_key(row or member(siren), newer.public(at), timedelta(days=7)),
        )
        second, third = said("LIVE-2", siren), said("LIVE-3", siren)
        flowing.send([by(new, second), by(newer, third)])
        assert fates(flowing, second, third) == [("", None), ("", None)]

        table.update(
            siren,
            lambda row: revoke_signing_key(row or member(siren), new.kid, SystemClock().now()),
        )
        fourth, fifth = said("LIVE-4", siren), said("LIVE-5", siren)
        flowing.send([by(new, fourth), by(newer, fifth)])
        assert fates(flowing, fourth, fifth) == [("revoked_key", None), ("", None)]

        table.update(siren, lambda row: (row or member(siren)).model_copy(
            update={"revoked_at": SystemClock().now()}
        ))  # fmt: skip
        sixth = said("LIVE-6", siren)
        flowing.send([by(newer, sixth)])
        assert fates(flowing, sixth) == [("revoked_institution", None)]
    assert flowing.document(first) is not None


@pytest.fixture
def public(flowing: Journey) -> tuple[LogMessage, LogMessage, dict[str, Any]]:
    """Two messages of a public topic, the second vouched for by a gateway, and the keys."""
    gateway = member(CCI, roles=frozenset({Role.GATEWAY}))
    flowing.register(gateway, member(FUVEAU, delegated=True))
    own, vouched = said("PUBLIC-1"), said("PUBLIC-2", FUVEAU)
    # The step may not have read the registry's last rows: it does before it refuses.
    flowing.send([by(signer_of(MARSEILLE), own), by(signer_of(CCI), vouched)])
    flowing.settle()
    found = {
        orjson.loads(one.value or b"{}").get("id"): one for one in flowing.read(EVENTS["call"])
    }
    with institutions_table(flowing.kafka) as table:
        table.wait(PATIENCE)
        keys = key_set(LiveRegistry(table).view())
    assert found["PUBLIC-1"].value == orjson.dumps(own)
    assert found["PUBLIC-2"].headers[VOUCHED_HEADER] == CCI.encode()
    return found["PUBLIC-1"], found["PUBLIC-2"], keys


def test_a_subscriber_verifies_who_said_it_in_python(
    public: tuple[LogMessage, LogMessage, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The page's own program; then the function, on altered octets and on keys of another time."""
    own, vouched, keys = public
    monkeypatch.chdir(tmp_path)
    Path("keys.json").write_text(json.dumps(keys))
    page: dict[str, Any] = {}
    exec(compile(_example("python"), str(PAGE), "exec"), page)  # noqa: S102 -- our own page
    for one in (own, vouched):
        page["show"](_Consumed(one))
    assert capsys.readouterr().out == (
        f"{MARSEILLE} vouched for by itself\n{FUVEAU} vouched for by {CCI}\n"
    )
    assert who_said(own.value or b"", own.headers.items(), keys) == Word(MARSEILLE, None)
    for octets in ((own.value or b"") + b" ", (own.value or b"").replace(b"PUBLIC-1", b"PUBLIC-9")):
        with pytest.raises(NotVerifiedError):
            who_said(octets, own.headers.items(), keys)
    received = datetime.fromisoformat(own.headers["traverse-received"].decode())
    stolen = revoke_signing_key(member(MARSEILLE), signer_of(MARSEILLE).kid, received)
    with pytest.raises(NotVerifiedError):
        who_said(own.value or b"", own.headers.items(), key_set(RegistryView([stolen])))
    with pytest.raises(NotVerifiedError):
        who_said(own.value or b"", (), keys)


def test_a_subscriber_verifies_who_said_it_in_javascript(
    public: tuple[LogMessage, LogMessage, dict[str, Any]],
) -> None:
    """The page's own program, in plain Node."""
    own, vouched, keys = public
    altered = own._replace(value=(own.value or b"").replace(b"PUBLIC-1", b"PUBLIC-9"))
    driver = """
const given = JSON.parse(require("node:fs").readFileSync(0));
for (const one of given.messages) {
  const headers = {};
  for (const [name, value] of Object.entries(one.headers))
    headers[name] = Buffer.from(value, "base64");
  try {
    console.log(JSON.stringify(whoSaid(Buffer.from(one.value, "base64"), headers, given.keys)));
  } catch (error) {
    console.log(error.message);
  }
}
"""
    messages = [
        {
            "value": base64.b64encode(one.value or b"").decode(),
            "headers": {k: base64.b64encode(v).decode() for k, v in one.headers.items()},
        }
        for one in (own, vouched, altered, own._replace(headers={}))
    ]
    done = subprocess.run(
        ["node", "-e", _example("js") + driver],
        input=json.dumps({"messages": messages, "keys": keys}),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.splitlines() == [
        json.dumps({"siren": MARSEILLE, "vouchedBy": None}, separators=(",", ":")),
        json.dumps({"siren": FUVEAU, "vouchedBy": CCI}, separators=(",", ":")),
        "no known key proves who said it",
        "not signed",
    ]


class _Consumed:
    """What KafkaConsumer gives."""

    def __init__(self, one: LogMessage) -> None:
        self.value = one.value
        self.headers = list(one.headers.items())


def _example(language: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    return str(found)
