"""The whole of what people use, running: search and pages, accounts, the gateway, on real engines;
with one set of data for all tests that look at it with a browser."""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from kafka import KafkaProducer
from typer.testing import CliRunner

from tests.engines import RunningEngines
from tests.journey.harness import all_topics, drop_topics
from tests.search_api.pages.town_records import CALL, CHAMBER, MARSEILLE, Proposed, versions
from tests.search_api.permanences.publishing import publishing
from tests.serving import served
from traverse_infra.commands.tree import build
from traverse_infra.engines.waiting import wait_until
from traverse_infra.log.reading import read_topic
from traverse_infra.members import add_member, open_registry
from traverse_producers.gateway.app import create_app as create_gateway
from traverse_producers.gateway.journal import Journal
from traverse_producers.gateway.kafka_log import KafkaLog
from traverse_producers.gateway.server import server_of
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.receipts.follow import Follower
from traverse_producers.signing_keys import KeyFolder
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.index_mapping import index_body
from traverse_schemas.documents.indexed import indexed
from traverse_schemas.log.identity import event_key, partition_of, record_key
from traverse_schemas.log.receipts import EVENT_HEADER, SIREN_HEADER
from traverse_schemas.log.topics import ACCEPTED, AUDIT, INBOUND, PARTITIONS, REJECTED
from traverse_schemas.registry.institutions import Role, Scope
from traverse_schemas.registry.membership import Membership, new_member
from traverse_schemas.registry.registry import LiveRegistry, institutions_table
from traverse_schemas.visibility import Visibility
from traverse_search_api.accounts.account import Identity, account_id
from traverse_search_api.accounts.account_changes import require_account, with_identity
from traverse_search_api.accounts.directory import accounts_table
from traverse_search_api.accounts.staff import open_staff
from traverse_search_api.alerts.book import subscriptions_table
from traverse_search_api.alerts.subscription import Disabled
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings

AS_OF = "2026-03-12T10:00:00Z"
HOST = "200054807"
PASSWORD = "cinq mots pour entrer ici"  # noqa: S105 -- of these tests alone
PUBLISHER, OTHER = "paul@marseille.example", "omar@cci.example"
ELSEWHERE = "nina@marseille.example"
"""Who signs in at a provider."""
SHOWCASE = "https://www.exemple.fr"


@dataclass(frozen=True)
class Town:
    """Where it answers, and what it wrote."""

    address: str
    kafka: str

    def published(self, title: str) -> list[dict[str, Any]]:
        """The events on the log with this title."""
        found = [json.loads(one.value or b"{}") for one in read_topic(self.kafka, INBOUND)]
        return [one for one in found if one.get("data", {}).get("title") == title]

    def words(self) -> list[dict[str, Any]]:
        """What institutions said of groupings, as it lies on the log."""
        found = [json.loads(one.value or b"{}") for one in read_topic(self.kafka, INBOUND)]
        return [one for one in found if "grouping" in one.get("data", {})]

    def said(self) -> list[dict[str, Any]]:
        """What institutions said of two records, as it lies on the log, the earliest first."""
        found = [json.loads(one.value or b"{}") for one in read_topic(self.kafka, INBOUND)]
        said = [one for one in found if "records" in one.get("data", {})]
        return sorted(said, key=lambda one: str(one["time"]))

    def troubled_alert(self) -> str:
        """Has the one alert there is fail, as one whose receiver is gone does; the address that
        unsubscribes from it."""
        with subscriptions_table(self.kafka) as table:
            table.wait(60)
            (row,) = table.rows().values()
            sentence = "https://exemple.org ne répond plus depuis 24 heures : les envois cessent."
            disabled = Disabled(at=datetime.now(UTC), sentence=sentence)
            table.update(row.id, lambda _: row.model_copy(update={"disabled": disabled}))
        return f"/desabonnement/{row.id}/{row.token('unsubscribe')}"

    def forget_alerts(self) -> None:
        """As if nobody had ever followed a search."""
        with subscriptions_table(self.kafka) as table:
            table.wait(60)
            for identifier in list(table.rows()):
                table.delete(identifier)

    def deeds(self) -> list[str]:
        """What people did, by the audit."""
        events = [json.loads(one.value or b"{}") for one in read_topic(self.kafka, AUDIT)]
        return [event["type"].split(".")[3] for event in events]


@contextmanager
def town(
    engines: RunningEngines, home: Path, published: Iterable[dict[str, Any]]
) -> Iterator[Town]:
    """Everything up with these documents, then down."""
    with (
        publishing() as calendar,
        _town(engines, home, f"{calendar.address}/ok.ics", published) as made,
    ):
        assert wait_until(
            lambda: "entreprise" in httpx.get(f"{made.address}/visite.ics?lieu=Aubagne").text,
            timeout=120,
        )
        assert wait_until(
            lambda: httpx.get(f"{made.address}/fiche/{CALL}/changements").is_success, timeout=120
        )
        yield made


@contextmanager
def _town(
    engines: RunningEngines, home: Path, permanences: str, published: Iterable[dict[str, Any]]
) -> Iterator[Town]:
    drop_topics(engines.kafka)
    all_topics(engines.kafka)
    key_file = _members(engines.kafka, home, permanences)
    _people(engines.kafka)
    _refusals(engines.kafka)
    _history(engines.kafka)
    run = uuid4().hex[:12]
    names = {visibility.value: f"town-{visibility}-{run}" for visibility in Visibility}
    with Elasticsearch(engines.elasticsearch, request_timeout=120) as elasticsearch:
        for name in names.values():
            elasticsearch.indices.create(index=name, **index_body())
        bulk(
            elasticsearch,
            [
                {
                    "_index": names[one.get("visibility", "public")],
                    "_id": one["id"],
                    "_source": indexed(one),
                }
                for one in published
            ],
            refresh=True,
        )
        try:
            with _gateway(engines.kafka, home) as gateway:
                settings = SearchSettings(
                    elasticsearch=engines.elasticsearch,
                    kafka=engines.kafka,
                    home=home,
                    search_timeout=60,
                    search_patience=50,
                    gateway=gateway,
                    api_key_file=key_file,
                    showcase_origins=SHOWCASE,
                    webhook_private=True,
                )
                staff = open_staff(settings)
                app = create_app(
                    settings,
                    clock=clock_from(AS_OF),
                    aliases=names,
                    staff=staff,
                    groupings=Proposed(),
                )
                config = uvicorn.Config(
                    app, access_log=False, log_level="warning", timeout_graceful_shutdown=5
                )
                with served(uvicorn.Server(config)) as address:
                    assert wait_until(
                        lambda: staff.directory.ready and staff.registry.ready, timeout=120
                    )
                    yield Town(address, engines.kafka)
        finally:
            elasticsearch.indices.delete(index=",".join(names.values()))


def _members(kafka: str, home: Path, permanences: str) -> Path:
    """Two institutions that delegated, and the one that runs the gateway; where the key of the
    pages lies."""
    now, keys = datetime.now(UTC), home / "keys"
    with open_registry(kafka) as table:
        for siren, name, kind, more in (
            (MARSEILLE, "Ville de Marseille", "commune", {"territory": "com:13055"}),
            (
                CHAMBER,
                "CCI Aix-Marseille-Provence",
                "chamber",
                {"territory": "dep:13", "permanences": permanences},
            ),
            (HOST, "Qui tient la passerelle", "other", {"roles": [Role.GATEWAY]}),
        ):
            # Tests that ran before on these engines may have left a row of their own.
            if table.get(siren) is not None:
                table.delete(siren)
            row = new_member(siren=siren, name=name, kind=kind, now=now, delegated=True, **more)
            add_member(table, keys, row, now)
        new = Membership(table, now).add_api_key(HOST, [Scope.ON_BEHALF])
    file = home / "pages.key"
    file.write_text(new.secret, encoding="utf-8")
    return file


def _people(kafka: str) -> None:
    """Accounts, as an operator opens them."""
    runner, app = CliRunner(), build()
    for email, siren, role, name in (
        (PUBLISHER, MARSEILLE, "administrator", "Paul Blanc"),
        (OTHER, CHAMBER, "publisher", "Omar Vidal"),
        (ELSEWHERE, MARSEILLE, "publisher", "Nina Roy"),
    ):
        command = ["accounts", "add", email, "--institution", siren, "--role", role]
        done = runner.invoke(
            app,
            [*command, "--name", name, "--password-stdin"],
            input=f"{PASSWORD}\n",
            env={"TRAVERSE_KAFKA": kafka},
        )
        assert done.exit_code == 0, done.output

    with accounts_table(kafka) as table:
        table.wait(60)
        identity = Identity(issuer="https://fournisseur.example", subject="nina")
        table.update(
            account_id(ELSEWHERE),
            lambda known: with_identity(require_account(ELSEWHERE, known), identity),
        )


def _refusals(kafka: str) -> None:
    """A refused event of each institution, as the validate step writes it."""
    producer = KafkaProducer(bootstrap_servers=kafka)
    for number, siren in enumerate((MARSEILLE, CHAMBER)):
        event = {
            "specversion": "1.0",
            "id": f"refus-{number}",
            "source": f"urn:siren:{siren}",
            "type": "fr.traverse.call.published.v1",
            "subject": f"R{number}",
            "time": "2026-03-10T08:00:00Z",
            "data": {
                "title": f"Marché refusé {siren}",
                "subtype": "contract",
                "place": ["com:99999"],
                "url": "https://example.org/avis",
                "deadlines": [{"at": "2026-05-12T12:00"}],
            },
        }
        headers = {
            "origin": f"{INBOUND}/0@{900_000 + number}",
            "reason": "unknown_place",
            "pointer": "/data/place/0",
            "sentence": "com:99999 n’est pas une commune connue : donnez un code de l’INSEE.",
            EVENT_HEADER: json.dumps([event["source"], event["id"]]),
            SIREN_HEADER: siren,
        }
        producer.send(
            REJECTED,
            json.dumps(event).encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )
    producer.flush(60)
    producer.close()


def _history(kafka: str) -> None:
    """What was said of the call, as the validate step keeps it."""
    producer = KafkaProducer(bootstrap_servers=kafka)
    for source, subject, identifier, octets in versions():
        producer.send(
            ACCEPTED,
            octets,
            key=event_key(source, subject, identifier).encode(),
            partition=partition_of(record_key(source, subject), PARTITIONS),
        )
    producer.flush(60)
    producer.close()


@contextmanager
def _gateway(kafka: str, home: Path) -> Iterator[str]:
    settings = GatewaySettings(home=home, kafka=kafka, gateway_siren=HOST, gateway_kafka_timeout=50)
    follower = Follower(kafka, home)
    follower.catch_up()
    journal = Journal(lambda: KafkaLog(kafka, timeout=60), timeout=50)
    with institutions_table(kafka) as institutions:
        institutions.wait(60)
        app = create_gateway(
            settings,
            journal=journal,
            registry=LiveRegistry(institutions),
            follow=follower,
            signer=KeyFolder(home / "keys").signer(HOST),
        )
        with served(server_of(app, settings)) as address:
            assert wait_until(lambda: journal.connected, timeout=120)
            yield address


def chromium() -> str:
    """The browser of this machine. It is not in a Python package: Debian has it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise AssertionError("No Chromium on this machine: apt-get install -y chromium")
