"""The whole of what people use, running: search and pages, accounts, the gateway, on real engines;
with one set of data for all tests that look at it with a browser."""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import uvicorn
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from kafka import KafkaProducer
from typer.testing import CliRunner

from tests.documents import deadline, document
from tests.engines import RunningEngines
from tests.journey.harness import all_topics, drop_topics
from tests.search_api.permanences.publishing import publishing
from traverse_infra.command_tree import build
from traverse_infra.engines.waiting import wait_until
from traverse_infra.log_reading import read_topic
from traverse_infra.members import add_member, open_registry
from traverse_producers.gateway.app import create_app as create_gateway
from traverse_producers.gateway.journal import Journal
from traverse_producers.gateway.kafka_log import KafkaLog
from traverse_producers.gateway.server import listen, server_of
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.receipts.follow import Follower
from traverse_producers.signing_keys import KeyFolder
from traverse_schemas.clock import clock_from
from traverse_schemas.grouping import GroupingMessage, grouping_id
from traverse_schemas.identity import opportunity_id
from traverse_schemas.index_mapping import index_body
from traverse_schemas.indexed import indexed
from traverse_schemas.institutions import Role, Scope
from traverse_schemas.membership import Membership, new_member
from traverse_schemas.receipts import EVENT_HEADER, SIREN_HEADER
from traverse_schemas.registry import LiveRegistry, institutions_table
from traverse_schemas.topics import AUDIT, INBOUND, REJECTED
from traverse_schemas.visibility import Visibility
from traverse_search_api.accounts.account import Identity, account_id
from traverse_search_api.accounts.account_changes import require_account, with_identity
from traverse_search_api.accounts.directory import accounts_table
from traverse_search_api.accounts.staff import open_staff
from traverse_search_api.alerts.book import subscriptions_table
from traverse_search_api.alerts.subscription import Disabled
from traverse_search_api.app import create_app
from traverse_search_api.groupings import PATIENCE
from traverse_search_api.settings import SearchSettings

AS_OF = "2026-03-12T10:00:00Z"
MARSEILLE, CHAMBER, HOST = "211300553", "181300013", "200054807"
PASSWORD = "cinq mots pour entrer ici"  # noqa: S105 -- of these tests alone
PUBLISHER, OTHER = "paul@marseille.example", "omar@cci.example"
ELSEWHERE = "nina@marseille.example"
"""Who signs in at a provider."""
GROUPING = grouping_id("buyers", opportunity_id(f"urn:siren:{MARSEILLE}", "N1"))
NEED, CALL, TWICE, OVER = (
    opportunity_id(f"urn:siren:{MARSEILLE}", one) for one in ("N2", "V1", "V2", "V3")
)
"""The ids of a need, of the call that may answer it, of a call that two institutions publish, of
one that is closed."""
COPY = (f"urn:siren:{CHAMBER}:boamp", "26-112233")
"""What the other one calls it."""
SHOWCASE = "https://www.exemple.fr"
EVIL = "<script>document.title='pris'</script><img src=x onerror=\"document.title='pris'\"> tramway"


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


def documents() -> list[dict[str, Any]]:
    """What is published: open and planned, needed with and without an answer, and a trap."""
    answer = {
        "type": "answers",
        "id": opportunity_id(f"urn:siren:{MARSEILLE}", "V1"),
        "role": "need",
        "score": 0.8,
        "reason": "même objet",
        "title": "Réfection de la voirie du quartier de la Belle-de-Mai",
        "owner": "Ville de Marseille",
        "state": "proposed",
        "audience": "public",
    }
    dismissed = {
        "source": f"urn:siren:{MARSEILLE}:si",
        "subject": "REF-9",
        "word": "dismissed",
        "version": [0, "2026-03-01T08:00:00.000000Z", "d"],
    }
    answers = [
        answer,
        answer | {
            "id": opportunity_id(f"urn:siren:{MARSEILLE}", "P1"),
            "title": "Rénovation de la cantine de l’école Pagnol",
            "state": "dismissed",
            "said": [dismissed],
        },
    ]  # fmt: skip
    twice = [
        {"source": source, "subject": subject, "updated_at": "2026-03-01T08:00:00.000000Z"}
        for source, subject in ((f"urn:siren:{MARSEILLE}", "V2"), COPY)
    ]
    need = {"kind": "need", "subtype": "purchase", "window": {"from": "2026-03-01"}}
    recent = {"updated_at": "2026-03-10T08:00:00.000000Z"}
    towns = ["com:13055", "com:13005", "com:13001", "com:13103"]
    return [
        document(
            "V1",
            "Réfection de la voirie du quartier de la Belle-de-Mai",
            description="Enrobés et trottoirs de la rue Nationale.",
            deadline=deadline("2026-03-17T11:00:00Z"),
            published_at="2026-03-04T08:00:00.000000Z",
            amount=120000.0,
            themes=["voirie"],
            cpv=["45233140"],
            url="https://example.org/avis/V1",
            lots=[{"number": "1", "title": "Chaussée", "amount": {"value": 80000}}],
        ),
        document(
            "V2", "Toiture de la halle", deadline=deadline("2026-04-02T10:00:00Z"), sources=twice
        ),
        document(
            "V3",
            "Restauration du kiosque à musique",
            deadline=deadline("2026-03-06T11:00:00Z"),
            actions=[
                {"kind": "respond", "url": "https://example.org/repondre/V3"},
                {"kind": "contact", "url": "https://example.org/contact"},
            ],
            lots=[
                {"number": "1", "title": "Charpente", "deadline": {"at": "2026-03-06T12:00"}},
                {"number": "2", "title": "Peinture", "deadline": {"at": "2026-03-05"}},
            ],
        ),
        {
            "id": opportunity_id(*COPY),
            "stub": True,
            "merged_into": opportunity_id(f"urn:siren:{MARSEILLE}", "V2"),
        },
        document(
            "P1", "Rénovation de la cantine de l’école Pagnol", kind="project", subtype="project"
        ),
        document(
            "N1",
            "Nettoyage de la plage",
            themes=["proprete"],
            published_at="2026-03-09T08:00:00.000000Z",
            **need,
            **recent,
        ),
        document("N2", "Bornes de recharge", themes=["energie"], links=answers, **need, **recent),
        *(
            document(
                f"N{number}",
                f"Location de benne numéro {number}",
                themes=["dechets"],
                place=[towns[number % 4]],
                **need,
                **recent,
            )
            for number in range(3, 12)
        ),
        document("N12", "Papier pour les mairies", visibility="buyers", **need, **recent),
        document("X1", EVIL, description=EVIL, owner=EVIL, **need, **recent),
    ]


class Proposed:
    """One grouping, that the beach be cleaned together: for buyers."""

    def rows(self, patience: float = PATIENCE) -> Mapping[str, GroupingMessage]:
        member = {"owner_kind": "commune", "window": {"from": "2026-03-01"}, "renewal": False}
        found: dict[str, Any] = {
            "id": GROUPING,
            "layer": "buyers",
            "state": "proposed",
            "subject": "Nettoyage de plages",
            "reason": "Marseille et La Ciotat ont besoin de la même chose au même moment.",
            "score": 0.9,
            "owners": 2,
            "members": [
                {
                    "record": opportunity_id(f"urn:siren:{MARSEILLE}", "N1"),
                    "owner": "Ville de Marseille",
                    "siren": MARSEILLE,
                    "title": "Nettoyage de la plage",
                    "territory": "Marseille",
                    "amount": 30000.0,
                    **member,
                },
                {
                    "record": opportunity_id("urn:siren:211300280", "LC1"),
                    "owner": "Ville de La Ciotat",
                    "siren": "211300280",
                    "title": "Nettoyage des plages",
                    "territory": "La Ciotat",
                    **member,
                },
            ],
            "others": [
                {
                    "record": opportunity_id("urn:siren:211300223", "C1"),
                    "owner": "Ville de Cassis",
                    "siren": "211300223",
                    "title": "Entretien des plages",
                    "territory": "Cassis",
                    **member,
                    "renewal": True,
                    "guess": True,
                    "counted": True,
                }
            ],
            "cpv": [],
            "themes": ["proprete"],
            "within": ["epci:200054807", "dep:13"],
            "places": ["com:13055", "com:13028", "epci:200054807", "dep:13"],
            "window": {"from": "2026-03-01", "to": "2026-06-30"},
            "total": 30000.0,
            "unknown_amounts": 1,
            "lots": [{"title": "Plages du nord", "members": []}],
            "coordinator": {
                "owner": "Ville de Marseille",
                "reason": "son besoin est le plus important",
            },
            "interested": 0,
            "acts": [],
            "declined": [],
            "model": "m",
        }
        message = {"id": GROUPING, "layer": "buyers", "grouping": found}
        return {GROUPING: cast(GroupingMessage, message)}

    def close(self) -> None:
        pass


@contextmanager
def town(engines: RunningEngines, home: Path) -> Iterator[Town]:
    """Everything up, then down."""
    with publishing() as calendar, _town(engines, home, f"{calendar.address}/ok.ics") as made:
        assert wait_until(
            lambda: "entreprise" in httpx.get(f"{made.address}/visite.ics?lieu=Aubagne").text,
            timeout=120,
        )
        yield made


@contextmanager
def _town(engines: RunningEngines, home: Path, permanences: str) -> Iterator[Town]:
    drop_topics(engines.kafka)
    all_topics(engines.kafka)
    key_file = _members(engines.kafka, home, permanences)
    _people(engines.kafka)
    _refusals(engines.kafka)
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
                for one in documents()
            ],
            refresh=True,
        )
        try:
            with _gateway(engines.kafka, home) as gateway:
                settings = SearchSettings(
                    elasticsearch=engines.elasticsearch,
                    kafka=engines.kafka,
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
                with _served(uvicorn.Server(config)) as address:
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
        with _served(server_of(app, settings)) as address:
            assert wait_until(lambda: journal.connected, timeout=120)
            yield address


@contextmanager
def _served(server: uvicorn.Server) -> Iterator[str]:
    """A server in a thread; its address."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert wait_until(lambda: server.started, timeout=120)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(60)


def chromium() -> str:
    """The browser of this machine. It is not in a Python package: Debian has it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise AssertionError("No Chromium on this machine: apt-get install -y chromium")
