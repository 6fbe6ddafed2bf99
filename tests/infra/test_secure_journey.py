"""The whole journey on the secure profile, signatures required, each program by its account."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest

from tests.infra.conftest import Secured
from tests.search_api.alerts.receiver import receiving
from tests.stream_processors.factory import call_data, event
from traverse_infra.engines.ports import free_ports
from traverse_infra.engines.waiting import wait_until
from traverse_infra.services import Services
from traverse_producers.publisher import Publisher
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.signing.signatures import Signer

pytestmark = pytest.mark.engines

PATIENCE = 180
MARSEILLE, FUVEAU, HOST = "211300553", "211300405", "180000028"
"""Signs itself; leaves its signature to the gateway; runs the gateway."""


class Running(NamedTuple):
    """Where the services answer, and what the operator was given of each institution."""

    gateway: str
    search: str
    checks: str
    ledger: Path
    members: dict[str, dict[str, Any]]
    institutions: Callable[..., dict[str, Any]]
    """`traverse institutions`, as the operator types it."""

    def receipt(self, siren: str, event_id: str) -> dict[str, Any]:
        """The trace of an event of the institution, once there is one."""
        asked = {"source": f"urn:siren:{siren}", "id": event_id}
        key = {"authorization": f"Bearer {self.members[siren]['api_key']}"}
        found: list[dict[str, Any]] = []

        def told() -> bool:
            answer = httpx.get(f"{self.gateway}/v1/receipts", params=asked, headers=key, timeout=60)
            found[:] = [answer.json()] if answer.status_code == 200 else []
            return bool(found)

        assert wait_until(told, timeout=PATIENCE), asked
        return found[0]

    def follow(self, siren: str, words: str, url: str) -> None:
        """A search of the institution's, followed by webhook; returns when changes are watched."""
        wish = {"search": {"q": words}, "channel": "webhook", "url": url}
        key = {"authorization": f"Bearer {self.members[siren]['api_key']}"}
        said: list[httpx.Response] = []

        def taken() -> bool:
            said[:] = [
                httpx.post(
                    f"{self.search}/v1/subscriptions", json=wish, headers=key, timeout=PATIENCE
                )
            ]
            return said[0].status_code == 201

        assert wait_until(taken, timeout=PATIENCE), said[0].text

        def watched() -> bool:
            try:
                with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as base:
                    query = "SELECT 1 FROM note WHERE name = 'position'"
                    return base.execute(query).fetchone() is not None
            except sqlite3.OperationalError:
                return False  # it is being made

        assert wait_until(watched, timeout=PATIENCE)


def call(**changes: Any) -> dict[str, Any]:
    """Of the institution's own, and nothing that could be another's."""
    return call_data(owner=None, amounts=None, deadlines=None, description=None, **changes)


@pytest.fixture
def running(secured: Secured, tmp_path: Path) -> Iterator[Running]:
    """Three institutions registered by the operator, and all services at work."""

    def institutions(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "traverse_infra.cli", "institutions", *words, "--json"],
            env=secured.environment("operator", tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def enrol(siren: str, *options: str) -> dict[str, Any]:
        return institutions("add", siren, "--name", siren, "--kind", "commune", *options)

    gateway, search, checked = free_ports(3)
    members = {
        MARSEILLE: enrol(MARSEILLE),
        FUVEAU: enrol(FUVEAU, "--delegated"),
        HOST: enrol(HOST, "--role", "gateway"),
    }
    settings = {
        "TRAVERSE_GATEWAY_PORT": str(gateway),
        "TRAVERSE_GATEWAY_SIREN": HOST,
        "TRAVERSE_GATEWAY_KAFKA_TIMEOUT": "60",
        "TRAVERSE_SEARCH_PORT": str(search),
        "TRAVERSE_SEARCH_TIMEOUT": "60",
        "TRAVERSE_SEARCH_PATIENCE": "50",
        "TRAVERSE_WEBHOOK_PRIVATE": "true",
        "TRAVERSE_CHECK_MINUTES": "0.1",
        "TRAVERSE_CHECK_METRICS": f"127.0.0.1:{checked}",
    }
    with ExitStack() as stack:
        for account, *command in (
            ("processors", "work"),
            ("gateway", "serve", "gateway"),
            ("search", "serve", "search"),
        ):
            environment = {**secured.environment(account, tmp_path), **settings}
            services = stack.enter_context(Services(tmp_path / "logs", environment))
            services.start(account, *command)
        for port in (gateway, search):
            services.await_answer(f"http://127.0.0.1:{port}/readyz", PATIENCE)
        yield Running(
            f"http://127.0.0.1:{gateway}",
            f"http://127.0.0.1:{search}",
            f"http://127.0.0.1:{checked}/metrics",
            tmp_path / "state" / "notify.sqlite",
            members,
            institutions,
        )


def test_registered_published_both_ways_found_and_no_stranger_among_them(
    secured: Secured, running: Running
) -> None:
    """By the SDK with a key of one's own, through the gateway with its key; who signs in another's
    name is refused, and told of nobody's. What the operator revokes ends while all runs. Beside the
    steps, each by an account of its own, one alerts and one compares log and index."""
    with receiving() as receiver:
        running.follow(MARSEILLE, "serrurerie", f"{receiver.address}/ok")
        _published_and_found(secured, running)
        assert wait_until(lambda: len(receiver.got) == 2, timeout=PATIENCE), receiver.got
    told = {json.loads(body)["data"]["item"]["title"] for _, _, body in receiver.got}
    assert told == {"Serrurerie de la halle de Fuveau", "Serrurerie du phare du Planier"}

    def compared() -> bool:
        measures = httpx.get(running.checks, timeout=60).text
        ended = re.search(r"^traverse_check_last_end_timestamp_seconds (\S+)", measures, re.M)
        return ended is not None and float(ended[1]) > 0

    assert wait_until(compared, timeout=PATIENCE)


def _published_and_found(secured: Secured, running: Running) -> None:
    access = secured.access("publisher")

    def say(event_id: str, key: str | Signer) -> None:
        transport = KafkaTransport(secured.kafka, access=access)
        with Publisher(
            f"urn:siren:{MARSEILLE}", key=key, transport=transport, new_id=lambda: event_id
        ) as publisher:
            publisher.publish(
                "call", event_id, call(title="Serrurerie du phare du Planier", place=["com:13055"])
            )

    say("own", running.members[MARSEILLE]["private_key"])
    say("stranger", Signer.generate())

    def post() -> httpx.Response:
        whole = event(
            id="posted",
            subject="POSTED",
            source=f"urn:siren:{FUVEAU}",
            data=call(title="Serrurerie de la halle de Fuveau"),
        )
        return httpx.post(
            f"{running.gateway}/v1/events",
            content=orjson.dumps(whole),
            headers={
                "authorization": f"Bearer {running.members[FUVEAU]['api_key']}",
                "content-type": "application/cloudevents+json",
            },
            timeout=PATIENCE,
        )

    posted = post()
    assert posted.status_code == 202, posted.text
    for siren, event_id in ((MARSEILLE, "own"), (FUVEAU, "posted")):
        assert running.receipt(siren, event_id)["end"] == "searchable"
    refused = running.receipt(MARSEILLE, "stranger")
    assert (refused["end"], refused["reason"]) == ("rejected", "unknown_key")
    assert not refused["verified"]

    said: list[httpx.Response] = []

    def titles() -> list[str]:
        # On a machine that is full a first search may be told to come back (503).
        said[:] = [httpx.get(f"{running.search}/v1/opportunities?q=serrurerie", timeout=60)]
        return sorted(item["title"] for item in said[0].json().get("items", ()))

    expected = ["Serrurerie de la halle de Fuveau", "Serrurerie du phare du Planier"]
    assert wait_until(lambda: titles() == expected, timeout=PATIENCE), said[0].text

    own = running.members[MARSEILLE]
    running.institutions("revoke", MARSEILLE, "--key", own["kid"])
    running.institutions("revoke", FUVEAU)
    say("too-late", own["private_key"])
    assert running.receipt(MARSEILLE, "too-late")["reason"] == "revoked_key"
    assert wait_until(lambda: post().status_code == 401, timeout=PATIENCE)
