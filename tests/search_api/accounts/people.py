"""Two institutions and their people, over tables in memory: for the pages of who signs in."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.institutions import Institution, Role
from traverse_schemas.registry.registry import FixedRegistry
from traverse_search_api.accounts.account import (
    Account,
    Membership,
    StaffRole,
    account_id,
    decode_account,
    encode_account,
)
from traverse_search_api.accounts.audit import Audit
from traverse_search_api.accounts.directory import LiveDirectory
from traverse_search_api.accounts.openid import Provider
from traverse_search_api.accounts.passwords import Passwords
from traverse_search_api.accounts.staff import Staff, visits_of
from traverse_search_api.alerts.book import SubscriptionBook
from traverse_search_api.alerts.subscription import decode_subscription, encode_subscription
from traverse_search_api.app import create_app
from traverse_search_api.gateway_client import GatewayClient
from traverse_search_api.institutions.showcases import Showcases, decode_showcase
from traverse_search_api.permanences.published import (
    PublishedCalendars,
    decode_calendar,
    encode_calendar,
)
from traverse_search_api.settings import SearchSettings

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
MARSEILLE, CHAMBER = "211300553", "181300013"
PASSWORD = "cinq mots pour entrer ici"  # noqa: S105 -- of these tests alone
SITE = "https://traverse.example"
_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_HASH = _HASHER.hash(PASSWORD)

INSTITUTIONS = (
    Institution(
        siren=MARSEILLE,
        name="Ville de Marseille",
        kind=InstitutionKind.COMMUNE,
        territory="com:13055",
        roles=frozenset({Role.BUYER}),
        delegated=True,
        created=NOW,
    ),
    Institution(
        siren=CHAMBER,
        name="CCI Aix-Marseille-Provence",
        kind=InstitutionKind.CHAMBER,
        territory="dep:13",
        roles=frozenset({Role.BUYER}),
        delegated=True,
        created=NOW,
    ),
)


class MovingClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class MemoryEvents:
    """A log of deeds that keeps what it is told."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        self.events.append(json.loads(value or b""))

    def end(self) -> None:
        pass

    @property
    def deeds(self) -> list[str]:
        return [event["type"].split(".")[3] for event in self.events]


class Taking(GatewayClient):
    """A gateway that takes everything, and knows of it the traces that it is given."""

    def __init__(self) -> None:
        super().__init__("https://gateway.example", Path("key"))
        self.events: list[dict[str, Any]] = []
        self.traces: dict[str, dict[str, Any]] = {}

    async def publish(self, siren: str, event: dict[str, Any]) -> None:
        self.events.append(event)

    async def receipt(self, siren: str, source: str, event_id: str) -> dict[str, Any] | None:
        return self.traces.get(event_id)


def account(email: str, *memberships: tuple[str, StaffRole], **more: Any) -> Account:
    """An account with PASSWORD."""
    return Account(
        id=account_id(email),
        email=email,
        memberships=tuple(Membership(siren=siren, role=role) for siren, role in memberships),
        created=NOW,
        sessions_from=NOW,
        **{"password": _HASH, **more},
    )


PEOPLE = (
    account("lea@marseille.example", (MARSEILLE, StaffRole.READER), name="Léa Roux"),
    account("paul@marseille.example", (MARSEILLE, StaffRole.PUBLISHER), name="Paul Blanc"),
    account(
        "ines@marseille.example",
        (MARSEILLE, StaffRole.ADMINISTRATOR),
        (CHAMBER, StaffRole.READER),
        name="Inès Brun",
    ),
    account("omar@cci.example", (CHAMBER, StaffRole.ADMINISTRATOR), name="Omar Vidal"),
    account("sans@personne.example", name="Sans Institution"),
)


@dataclass
class House:
    """The service with its accounts, and what happened in it."""

    client: TestClient
    staff: Staff
    table: CompactedTable[Account]
    audit: MemoryEvents
    clock: MovingClock

    def visitor(self) -> TestClient:
        """Another browser."""
        return TestClient(self.client.app, base_url=SITE, follow_redirects=False)

    def signed_in(self, email: str) -> TestClient:
        """A browser in which somebody has signed in."""
        visitor = self.visitor()
        answer = sign_in(visitor, email)
        assert answer.status_code == 303, answer.text
        return visitor

    def row(self, email: str) -> Account:
        found = self.table.get(account_id(email))
        assert found is not None
        return found


def routes_of(client: TestClient) -> list[APIRoute]:
    """Every route of the service, those of its routers too."""
    found: list[APIRoute] = []
    for route in client.app.routes:  # type: ignore[attr-defined]
        inner = getattr(route, "original_router", None)
        found += inner.routes if inner else [route]
    return [route for route in found if isinstance(route, APIRoute)]


def words_of(page: httpx.Response) -> str:
    """A page with the spaces that a keyboard writes."""
    return page.text.replace("\u00a0", " ")


def token_of(page: httpx.Response) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="jeton" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def sign_in(
    visitor: TestClient, email: str, password: str = PASSWORD, towards: str = "/compte"
) -> Any:
    """Fill in the page and send it."""
    page = visitor.get("/connexion", params={"vers": towards})
    return visitor.post(
        "/connexion",
        data={
            "jeton": token_of(page),
            "vers": towards,
            "email": email,
            "mot-de-passe": password,
        },
    )


@contextmanager
def house(
    *,
    public_address: str = SITE,
    provider: Provider | None = None,
    gateway: GatewayClient | None = None,
    people: tuple[Account, ...] = PEOPLE,
    subscriptions: SubscriptionBook | None = None,
    showcases: Showcases | None = None,
    calendars: MemoryTopic | None = None,
    institutions: tuple[Institution, ...] = INSTITUTIONS,
    elasticsearch: str = "http://127.0.0.1:1",
    aliases: Mapping[str, str] = ALIASES,
    raising: bool = True,
    parts: Mapping[str, Any] = MappingProxyType({}),
    **settings: Any,
) -> Iterator[House]:
    """A service without Elasticsearch, unless told where; most pages for people who sign in need
    none. Faults of ours are raised, or answered (`raising`). `parts` are others of `create_app`."""
    chosen = SearchSettings(elasticsearch=elasticsearch, public_address=public_address, **settings)
    topic = MemoryTopic()
    for one in people:
        topic.write(one.id, encode_account(one))
    table = CompactedTable(MemoryTableLog(topic), encode=encode_account, decode=decode_account)
    audit, clock = MemoryEvents(), MovingClock()
    directory, registry = LiveDirectory(table), FixedRegistry(institutions)
    staff = Staff(
        directory=directory,
        registry=registry,
        visits=visits_of(chosen, directory, registry, clock),
        audit=Audit(audit),
        gateway=gateway or GatewayClient("", None),
        provider=provider,
        passwords=Passwords(_HASHER),
        start=table.start,
        close_tables=table.close,
    )
    followed = SubscriptionBook(
        CompactedTable(
            MemoryTableLog(MemoryTopic()), encode=encode_subscription, decode=decode_subscription
        )
    )
    opened = Showcases(
        CompactedTable(
            MemoryTableLog(MemoryTopic()),
            encode=lambda row: row.model_dump_json().encode(),
            decode=decode_showcase,
        )
    )
    published = PublishedCalendars(
        CompactedTable(
            MemoryTableLog(calendars or MemoryTopic()),
            encode=encode_calendar,
            decode=decode_calendar,
        )
    )
    app = create_app(
        chosen,
        staff=staff,
        subscriptions=subscriptions or followed,
        showcases=showcases or opened,
        permanences=published,
        aliases=aliases,
        **parts,
    )
    with TestClient(
        app,
        base_url=public_address,
        follow_redirects=False,
        raise_server_exceptions=raising,
    ) as client:
        table.wait(30)
        yield House(client, staff, table, audit, clock)
