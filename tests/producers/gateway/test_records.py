"""`PUT` and `DELETE /v1/records`: the record as it is, and the gateway makes the event."""

import json
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.full_disk import full_disk
from tests.producers.gateway.serving import KEY, NOW, Gateway, MemoryLog, serving
from tests.stream_processors.factory import call_data, event
from traverse_producers.gateway import record_body
from traverse_producers.gateway.errors import LocalFileError
from traverse_producers.gateway.record_book import RecordBook
from traverse_schemas.log.topics import MAX_EVENT_BYTES

FORM = {
    "titre": "Réfection de la voirie communale",
    "sous_type": "Marché public",
    "territoire": "com:13040",
    "lien": "https://exemple.fr/appels/voirie",
    "date_limite": "18/12/2026 12:00",
    "montant_ht": "120 000,00",
}


class Ticking:
    """A clock that is a second later each time."""

    def __init__(self) -> None:
        self._now = NOW

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def put(gateway: Gateway, reference: str = "VOIRIE-2026", **body: Any) -> Any:
    return gateway.client.put(f"/v1/records/call/{reference}", **body)


def events(gateway: Gateway) -> list[dict[str, Any]]:
    return [json.loads(octets) for octets in gateway.written]


def test_a_record_in_json_becomes_its_event() -> None:
    with serving() as gateway:
        answer = put(gateway, json=call_data())
        assert answer.status_code == 202, answer.text
        event = events(gateway)[0]
        assert event["type"] == "fr.traverse.call.published.v1"
        assert (event["source"], event["subject"]) == ("urn:siren:181300013", "VOIRIE-2026")
        assert event["data"] == call_data()
        assert answer.json() == {
            "status": "accepted",
            "source": event["source"],
            "id": event["id"],
            "kind": "call",
            "reference": "VOIRIE-2026",
        }


@pytest.mark.parametrize("multipart", [False, True])
def test_a_form_has_the_columns_of_the_tables(multipart: bool) -> None:
    with serving() as gateway:
        body = {"files": {name: (None, text) for name, text in FORM.items()}}
        answer = put(gateway, **(body if multipart else {"data": FORM}))
        assert answer.status_code == 202, answer.text
        data = events(gateway)[0]["data"]
        assert data["title"] == FORM["titre"]
        assert data["subtype"] == "contract"
        assert data["amounts"] == [{"value": 120000, "kind": "estimate", "tax": "excluded"}]
        assert data["deadlines"][0]["at"] == "2026-12-18T12:00"


def test_old_tools_may_send_windows_1252_without_saying_so() -> None:
    with serving() as gateway:
        body = "&".join(f"{name}={text}" for name, text in FORM.items())
        octets = body.replace("é", "%E9").replace(" ", "+").encode()
        answer = put(
            gateway, content=octets, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code == 202, answer.text
        assert events(gateway)[0]["data"]["title"] == FORM["titre"]


def test_the_same_again_changes_nothing_and_a_change_is_an_update() -> None:
    """The same content is the very same octets again, in whatever order its keys come: the log
    takes them for a duplicate."""
    with serving(clock=Ticking()) as gateway:
        first = put(gateway, json=call_data())
        turned = dict(reversed(call_data().items()))
        again = put(gateway, json=turned)
        changed = put(gateway, json=call_data(title="Réfection et éclairage"))
        back = put(gateway, json=call_data())
        assert [each.status_code for each in (first, again, changed, back)] == [202, 200, 202, 202]
        assert again.json()["status"] == "unchanged"
        said = events(gateway)
        assert said[0] == said[1]
        assert [each["type"].split(".")[3] for each in said] == [
            "published",
            "published",
            "updated",
            "updated",
        ]
        assert len({each["id"] for each in said}) == 3
        assert said[0]["time"] < said[2]["time"] < said[3]["time"]


def test_a_clock_that_stands_still_still_orders_the_versions() -> None:
    with serving() as gateway:
        for title in ("un", "deux", "trois"):
            put(gateway, json=call_data(title=title))
        times = [event["time"] for event in events(gateway)]
        assert times == sorted(set(times))


def test_what_the_log_did_not_confirm_is_the_same_event_once_more() -> None:
    log = MemoryLog(answer=False)
    with serving(log, clock=Ticking(), timeout=0.05) as gateway:
        assert put(gateway, json=call_data()).status_code == 503
        assert put(gateway, json=call_data()).status_code == 503
        assert gateway.written[0] == gateway.written[1]


def test_a_refused_record_leaves_what_was_said_before() -> None:
    with serving(clock=Ticking()) as gateway:
        put(gateway, json=call_data())
        assert put(gateway, json=call_data(place=["com:13999"])).status_code == 422
        assert put(gateway, json=call_data()).status_code == 200


def test_an_outcome_closes_and_delete_withdraws() -> None:
    with serving(clock=Ticking()) as gateway:
        put(gateway, json=call_data())
        put(gateway, json={"outcome": "awarded", "on": "2026-11-23"})
        put(gateway, data={"action": "clos", "issue": "sans suite"}, reference="AUTRE/1")
        gone = gateway.client.delete("/v1/records/call/VOIRIE-2026?reason=erasure")
        again = gateway.client.delete("/v1/records/call/VOIRIE-2026?reason=erasure")
        put(gateway, json=call_data())
        assert (gone.status_code, again.status_code) == (202, 200)
        said = events(gateway)
        assert [each["type"].split(".")[3] for each in said] == [
            "published",
            "closed",
            "closed",
            "withdrawn",
            "withdrawn",
            "published",
        ]
        assert said[2]["subject"] == "AUTRE/1"
        assert said[3]["data"] == {"reason": "erasure"}


def test_a_system_of_the_institution_may_be_named() -> None:
    with serving() as gateway:
        gateway.client.put("/v1/records/call/R?system=gmao", json=call_data())
        assert events(gateway)[0]["source"] == "urn:siren:181300013:gmao"
        refused = gateway.client.put("/v1/records/call/R?system=Ma%20GMAO", json=call_data())
        assert refused.status_code == 422
        assert "système" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "said", "word"),
    [
        ({"json": []}, 400, "objet"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "JSON"),
        ({"content": b"x", "headers": {"content-type": "text/csv"}}, 415, "formulaire"),
        ({"json": call_data(title=None)}, 422, "title"),
        ({"json": call_data(title="\ud800")}, 422, "UTF-8"),
        ({"data": {**FORM, "tittre": "x"}}, 422, "titre"),
        ({"data": {**FORM, "montant_ht": "beaucoup"}}, 422, "montant_ht"),
        ({"data": {**FORM, "date": "02/03/2026"}}, 422, "passerelle"),
        ({"data": {**FORM, "reference": "AUTRE"}}, 422, "références"),
        ({"data": {**FORM, "type": "Projet", "sous_type": ""}}, 422, "project"),
        ({"files": {"titre": ("a.txt", b"x")}}, 400, "fichier"),
        ({"content": b"a=%FF%81", "headers": {"content-type":
            "application/x-www-form-urlencoded"}}, 400, "pourcents"),
    ],
)  # fmt: skip
def test_what_gives_no_event_is_a_sentence(body: dict[str, Any], said: int, word: str) -> None:
    with serving() as gateway:
        if "json" in body:  # httpx refuses to write half a character; a program may not
            body = {
                "content": json.dumps(body["json"]).encode(),
                "headers": {"content-type": "application/json"},
            }
        answer = put(gateway, **body)
        assert answer.status_code == said, answer.text
        assert word in answer.json()["detail"]
        assert gateway.written == []


def many(unit: bytes, octets: int = 4 * MAX_EVENT_BYTES - 100, between: bytes = b",") -> bytes:
    """As many as make so many octets."""
    return between.join([unit] * (octets // (len(unit) + len(between))))


EACH = MAX_EVENT_BYTES - 100
NESTED = b'{"":' * 200 + b"0" + b"}" * 200
DENSE = {
    "more than may come": (b"[%s]" % many(b"{}", 8 * MAX_EVENT_BYTES), "application/json", 413),
    "values": (b'{"a":[%s]}' % many(b"{}"), "application/json", 413),
    "fewer than are refused unread": (
        b'{"a":[%s],"b":"%s"}' % (many(NESTED, 120_000), b"b" * EACH),
        "application/json",
        413,
    ),
    "an event of values": (b'{"a":[%s]}' % many(NESTED, EACH), "application/json", 413),
    "text": (b'{"a":"%s\xf0\x9f\x98\x80"}' % many(b"a", between=b""), "application/json", 413),
    "escapes": (b"titre=%s" % many(b"%41", between=b""), "application/x-www-form-urlencoded", 413),
    "as many as may be": (
        b"titre=%s" % (b"%" * 149_999),
        "application/x-www-form-urlencoded",
        422,
    ),
}


@pytest.mark.parametrize("name", DENSE)
def test_no_body_takes_much_more_memory_than_itself(name: str) -> None:
    """Four mebibytes of values cost 160 MiB before, of percent signs 760; the client's own octets
    are among what is measured."""
    body, content_type, said = DENSE[name]
    with serving() as gateway:
        tracemalloc.start()
        try:
            answer = put(gateway, content=body, headers={"content-type": content_type})
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert answer.status_code == said, answer.text
    assert peak < 40 * 1024 * 1024, peak
    assert gateway.written == []


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_is_not_read_in_whatever_python_knows(form: str) -> None:
    """Punycode takes the square of its length."""
    parts = b'--x\r\nContent-Disposition: form-data; name="titre"\r\n\r\n%s\r\n--x--\r\n'
    body = b"titre=%20%s" if "www" in form else parts
    with serving() as gateway:
        for charset in ("punycode", "utf-8; charset=punycode", "unicode_escape", "x" * 500):
            answer = put(
                gateway,
                content=body.replace(b"%s", b"a" * 300_000 + b"-" + b"b9" * 300_000),
                headers={"content-type": f"{form}; boundary=x; charset={charset}"},
            )
            assert answer.status_code == 415, answer.text
            assert "jeu de caractères" in answer.json()["detail"]
        latin = b"type=need&titre=%E9" if "www" in form else parts.replace(b"%s", b"\xe9")
        answer = put(
            gateway,
            content=latin,
            headers={"content-type": f"{form}; boundary=x; charset=ISO-8859-1"},
        )
        assert answer.status_code == 422, answer.text  # read, and found to lack a territory
    assert gateway.written == []


def test_a_long_record_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read in a thread, and the loop serves the others meanwhile."""
    loops: list[bool] = []
    reading = record_body._from_json

    def read(body: bytes, *, is_open: bool) -> record_body.Content:
        loops.append(threading.current_thread() is serves)
        return reading(body, is_open=is_open)

    monkeypatch.setattr(record_body, "_from_json", read)
    with serving() as gateway:
        assert gateway.client.portal is not None
        serves = gateway.client.portal.call(threading.current_thread)
        for reference in ("", "é" * 20_000):
            body = json.dumps(call_data(description=reference)).encode()
            answer = put(gateway, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 202, answer.text
    assert loops == [True, False]


def test_blanks_and_escapes_do_not_make_a_record_too_large() -> None:
    data = call_data(description="é" * 50_000)
    body = json.dumps(data, indent=200).encode() + b" " * 600_000
    assert len(body) > MAX_EVENT_BYTES
    with serving() as gateway:
        answer = put(gateway, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 202, answer.text
        form = {**FORM, "description": "日" * 49_000}
        assert put(gateway, "AUTRE", data=form).status_code == 202
        assert [each["data"]["description"][:1] for each in events(gateway)] == ["é", "日"]


def test_the_key_may_come_as_a_basic_password() -> None:
    with serving() as gateway:
        gateway.client.headers.pop("authorization")
        assert put(gateway, json=call_data()).status_code == 401
        assert put(gateway, json=call_data(), auth=("cci", KEY)).status_code == 202


def test_the_book_outlives_the_process(tmp_path: Path) -> None:
    """What was kept and not confirmed when the process died is the same event afterwards."""
    first = RecordBook(tmp_path / "book.sqlite3")
    said = first.plan("r", b"content", "published", Ticking().now)
    first.keep("r", b"content", said, ends=False)
    second = RecordBook(tmp_path / "book.sqlite3")
    assert second.plan("r", b"content", "updated", lambda: datetime(2030, 1, 1, tzinfo=UTC)) == said
    second.settle("r", said.id)
    assert first.plan("r", b"content", "updated", Ticking().now) == said._replace(settled=True)
    assert first.is_open("r")
    first.close()
    second.close()


def test_on_a_full_disk_no_record_is_said_to_be_taken_and_it_is_taken_later() -> None:
    with serving() as gateway:
        with full_disk():
            answer = put(gateway, json=call_data())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert "libère de la place" in answer.json()["detail"]
        assert gateway.written == []
        assert put(gateway, json=call_data()).status_code == 202
        assert len(gateway.written) == 1


def test_what_the_log_took_is_said_to_be_taken_though_the_disk_was_filled_meanwhile(
    tmp_path: Path,
) -> None:
    """The book then takes it for unconfirmed: put again it is the very same event."""
    book = RecordBook(tmp_path / "book.sqlite3")
    said = book.plan("r", b"content", "published", Ticking().now)
    book.keep("r", b"content", said, ends=False)
    with full_disk():
        book.settle("r", said.id)
    assert book.plan("r", b"content", "published", Ticking().now) == said
    book.close()


def test_events_that_kafka_takes_need_no_room_on_the_gateway_s_disk() -> None:
    """How often an institution failed of late is then not known, which turns nobody away."""
    with serving() as gateway:
        with full_disk():
            answer = gateway.post(event())
        assert answer.status_code == 202, answer.text
        assert len(gateway.written) == 1


def test_a_gateway_whose_book_cannot_be_made_says_how_to_mend_it(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(LocalFileError, match="libère de la place"):
        RecordBook(tmp_path / "book.sqlite3")


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("PUT", "/v1/records/calls/R-1", "Le paramètre kind doit être l'une de ces valeurs :"),
        ("DELETE", "/v1/records/call/R-1?reason=oups", "Le paramètre reason doit être l'une de"),
        ("PUT", "/v1/records/call/R-1?sistem=marches", "Le paramètre sistem n'existe pas : "),
        ("GET", "/v1/receipts?source=urn:siren:181300013", "Le paramètre id est obligatoire"),
        ("GET", "/v1/rejections?size=1000", "Le paramètre size doit être inférieur ou égal à 100"),
    ],
)
def test_an_address_that_is_mistyped_is_refused_with_how_to_mend_it(
    method: str, path: str, said: str
) -> None:
    """A system whose name is mistyped is not left out: the record would be another source's."""
    with serving() as gateway:
        answer = gateway.client.request(method, path)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith(said)
        assert gateway.written == []
