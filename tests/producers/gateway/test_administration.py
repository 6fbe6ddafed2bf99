"""The administrator's API: the registry over HTTP, followed live by the same gateway."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.producers.gateway.serving import (
    ADMINISTRATOR,
    HOST,
    NOW,
    OWN,
    Gateway,
    MovedClock,
    serving,
)
from tests.signing import public_pem
from tests.stream_processors.factory import event
from traverse_schemas.clock import Clock
from traverse_schemas.signing.signatures import Signer

SIREN = "211300553"
SOURCE = f"urn:siren:{SIREN}"
MARSEILLE = {"siren": SIREN, "name": "Marseille", "kind": "commune", "delegated": True}


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(NOW)


@pytest.fixture
def gateway(clock: Clock) -> Iterator[Gateway]:
    with serving(clock=clock, administration=True) as one:
        yield one


class Office:
    """Calls as the administrator."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __call__(self, method: str, path: str = "", body: Any = None, key: str = "") -> Any:
        return self._gateway.client.request(
            method,
            f"/v1/institutions{path}",
            json=body,
            headers={"authorization": f"Bearer {key or ADMINISTRATOR}"},
        )

    def says(self, key: str, **changes: Any) -> int:
        """The status of an event of Marseille's."""
        whole = event(source=SOURCE, **changes)
        answer = self._gateway.post(whole, authorization=f"Bearer {key}")
        return int(answer.status_code)


@pytest.fixture
def office(gateway: Gateway) -> Office:
    return Office(gateway)


def test_who_is_added_publishes_at_once_and_is_shown_without_a_hash(office: Office) -> None:
    answer = office("POST", body=MARSEILLE)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    added = answer.json()
    assert added["institution"]["roles"] == ["buyer"]
    assert office.says(added["api_key"]) == 202
    again = office("POST", body=MARSEILLE)
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    assert "déjà au registre" in again.json()["detail"]
    listed = office("GET").json()
    assert [one["siren"] for one in listed["items"]] == sorted(
        ["181300013", HOST, SIREN, "231300021"]
    )
    first = office("GET", "?size=2").json()
    rest = office("GET", f"?after={first['next']}").json()
    assert first["items"] + rest["items"] == listed["items"]
    one = office("GET", f"/{SIREN}")
    assert "sha256" not in one.text + answer.text
    assert added["api_key"] not in one.text


def test_every_change_says_who_made_it(office: Office) -> None:
    office("POST", body=MARSEILLE)
    office("PUT", f"/{SIREN}/quota", {"events_per_minute": 5})
    office("PUT", f"/{SIREN}/delegation", {"delegated": False})
    changes = office("GET", f"/{SIREN}").json()["changes"]
    assert [one["what"] for one in changes] == ["added", "quota_set", "delegation_ended"]
    assert {(one["by"], one["api_key"]) for one in changes} == {("231300021", "0" * 11 + "9")}
    assert changes[1]["about"] == "5/min -/day"


def test_an_api_key_is_rotated_with_an_overlap_and_revoked_at_once(
    office: Office, clock: MovedClock
) -> None:
    added = office("POST", body=MARSEILLE).json()
    path = f"/{SIREN}/api-keys/{added['api_key_id']}"
    new = office("POST", f"{path}/rotation", {"overlap_days": 2, "days": 30}).json()
    assert new["institution"]["api_keys"][-1]["expires"] == "2026-12-24T09:00:00Z"
    assert [office.says(one["api_key"]) for one in (added, new)] == [202, 202]
    clock.at += timedelta(days=2)
    assert [office.says(one["api_key"]) for one in (added, new)] == [401, 202]
    assert office("DELETE", f"/{SIREN}/api-keys/{new['api_key_id']}").status_code == 200
    assert office.says(new["api_key"]) == 401


def test_a_key_may_do_what_its_scopes_say_until_it_expires(
    office: Office, clock: MovedClock
) -> None:
    office("POST", body=MARSEILLE)
    path = f"/{SIREN}/api-keys"
    reader = office("POST", path, {"scopes": ["read"], "label": "veille", "days": 30}).json()
    assert office.says(reader["api_key"]) == 403
    assert office("GET", key=reader["api_key"]).status_code == 403
    clock.at += timedelta(days=30)
    assert office.says(reader["api_key"]) == 401
    useless = office("POST", path, {"scopes": ["administer"]})
    assert (useless.status_code, "administrator" in useless.json()["detail"]) == (422, True)
    clerk = office("POST", "/231300021/api-keys", {"scopes": ["administer"]}).json()
    assert office("GET", key=clerk["api_key"]).status_code == 200
    assert office.says(clerk["api_key"]) == 403


def test_a_signing_key_is_added_ended_and_revoked(office: Office, clock: MovedClock) -> None:
    office("POST", body={**MARSEILLE, "delegated": False, "public_key": public_pem(OWN)})
    new = Signer.generate()
    path = f"/{SIREN}/signing-keys"
    added = office("POST", path, {"public_key": public_pem(new), "overlap_days": 1})
    assert added.status_code == 200, added.text
    held = {one["kid"]: one.get("valid_to") for one in added.json()["signing_keys"]}
    assert held == {OWN.kid: "2026-11-25T09:00:00Z", new.kid: None}
    ended = office("DELETE", f"{path}/{new.kid}").json()
    assert ended["signing_keys"][-1]["revoked_at"]
    assert office("DELETE", f"{path}/autre").status_code == 404
    assert "PEM" in office("POST", path, {"public_key": "rien"}).json()["detail"]


def test_an_institution_is_revoked_and_comes_back(office: Office) -> None:
    key = office("POST", body=MARSEILLE).json()["api_key"]
    assert office("PUT", f"/{SIREN}/state", {"state": "revoked"}).json()["state"] == "revoked"
    assert office.says(key) == 401
    assert office("PUT", f"/{SIREN}/state", {"state": "active"}).json()["state"] == "active"
    assert office.says(key) == 202


def test_a_trial_is_begun_and_ended(office: Office) -> None:
    office("POST", body={**MARSEILLE, "sandbox": True})
    assert office("DELETE", f"/{SIREN}/sandbox").json()["sandbox_until"]
    assert office("DELETE", f"/{HOST}/sandbox").status_code == 409


@pytest.mark.parametrize(
    ("call", "body", "status", "said"),
    [
        ("POST ", {}, 422, "siren est obligatoire"),
        ("POST ", {**MARSEILLE, "siren": "211300554"}, 422, "SIREN"),
        ("POST ", {**MARSEILLE, "couleur": "bleu"}, 422, "couleur"),
        ("POST ", [], 422, "objet JSON"),
        (f"PUT /{SIREN}/quota", {}, 404, "n'est pas au registre"),
        (f"PUT /{HOST}/quota", {"events_per_day": 0}, 422, "events_per_day"),
        ("GET /12", None, 422, "siren"),
        (f"GET /{SIREN}", None, 404, "n'est pas au registre"),
        (f"POST /{HOST}/api-keys/abc/rotation", {}, 404, "abc"),
    ],
)
def test_a_mistake_is_one_sentence(
    office: Office, call: str, body: Any, status: int, said: str
) -> None:
    method, path = call.split(" ")
    answer = office(method, path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert said in answer.json()["detail"]


def test_kafka_away_is_said_and_without_the_setting_nobody_administers(gateway: Gateway) -> None:
    gateway.registry_topic.away = True
    away = Office(gateway)("POST", body=MARSEILLE)
    assert (away.status_code, away.headers["retry-after"]) == (503, "2")
    with serving() as other:
        assert other.client.get("/v1/institutions").status_code == 404
