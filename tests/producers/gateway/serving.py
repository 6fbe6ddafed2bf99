"""A gateway in this process, over a log in memory."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import orjson
from starlette.testclient import TestClient

from tests.producers.memory_transport import MemoryTransport
from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_infra.engines.waiting import wait_until
from traverse_producers.errors import BrokerAwayError, PublishError
from traverse_producers.gateway.app import create_app
from traverse_producers.gateway.journal import Entry, Journal, Outcome
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.receipts.follow import Follower
from traverse_schemas.clock import Clock, FixedClock
from traverse_schemas.log.compacted_table import CompactedTable, TableLog
from traverse_schemas.log.identity import partition_of
from traverse_schemas.log.topics import PARTITIONS
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.api_keys import api_key_hash
from traverse_schemas.registry.institutions import (
    ApiKey,
    Institution,
    Quota,
    Role,
    Scope,
    decode_institution,
    encode_institution,
)
from traverse_schemas.registry.membership import Table
from traverse_schemas.registry.registry import FixedRegistry, LiveRegistry
from traverse_schemas.signing.signatures import Signer

KEY = "clef-de-la-chambre"
READER = "clef-de-lecture"
TOWN_KEY = "clef-de-la-ville"
SERVICE = "clef-des-pages"
"""Of a service that acts for those that delegated to the gateway."""
ADMINISTRATOR = "clef-de-la-region"
HOST = "200054807"
SIGNER = Signer.generate()
"""The gateway's key."""
OWN = Signer.generate()
"""The chamber's."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"


def town(**fields: Any) -> Institution:
    """Another institution than the chamber: it may publish by `TOWN_KEY`."""
    return Institution(
        siren="211300553",
        name="Ville",
        kind=InstitutionKind.COMMUNE,
        api_keys=(
            ApiKey(
                id="000000000008",
                sha256=api_key_hash(TOWN_KEY),
                scopes=frozenset({Scope.PUBLISH}),
                created=LONG_AGO,
            ),
        ),
        created=LONG_AGO,
        delegated=True,
        **fields,
    )


class MovedClock:
    """A clock that a test moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class MemoryLog(MemoryTransport):
    """The memory transport, from which a gateway's log may be made."""


class TransportLog:
    """A transport in memory as the gateway's log. It passes the contract that Kafka passes too."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        self.there = True

    async def open(self) -> None:
        """It is."""

    def line(self, key: str) -> int:
        return partition_of(key, PARTITIONS)

    async def write(self, entries: Sequence[Entry], outcomes: list[Outcome | None]) -> None:
        sent = [asyncio.wrap_future(self._transport.send(*entry)) for entry in entries]
        for place, future in enumerate(sent):
            try:
                outcomes[place] = await future
            except PublishError as error:
                outcomes[place] = error

    async def answers(self, seconds: float) -> bool:
        return self.there and not self._transport.closed

    async def close(self, seconds: float) -> None:
        self._transport.close(seconds)


def memory_journal(connect: Callable[[], MemoryTransport], timeout: float = 30) -> Journal:
    """A journal over what `connect` gives, which may raise PublishError."""
    return Journal(lambda: TransportLog(connect()), timeout=timeout)


def registry(rate: int | None = None, **more: Any) -> FixedRegistry:
    """The chamber (KEY may publish, READER read), and nobody else."""
    keys = [
        ApiKey(
            id=f"{number:012}",
            sha256=api_key_hash(secret),
            scopes=frozenset({scope}),
            created=NOW,
        )
        for number, (secret, scope) in enumerate(((KEY, Scope.PUBLISH), (READER, Scope.READ)))
    ]
    host = Institution(
        siren=HOST,
        name="Qui tient la passerelle",
        kind=InstitutionKind.OTHER,
        roles=frozenset({Role.GATEWAY}),
        signing_keys=(SIGNER.public(LONG_AGO),),
        api_keys=(
            ApiKey(
                id="000000000009",
                sha256=api_key_hash(SERVICE),
                scopes=frozenset({Scope.ON_BEHALF}),
                created=NOW,
            ),
        ),
        created=LONG_AGO,
    )
    more = {"delegated": True, "signing_keys": (OWN.public(LONG_AGO),), **more}
    chamber = Institution(
        siren="181300013",
        name="Chambre de commerce",
        kind=InstitutionKind.CHAMBER,
        api_keys=tuple(keys),
        created=NOW,
        **{"quota": Quota(events_per_minute=rate), **more},
    )
    return FixedRegistry([chamber, host])


def live_registry(topic: MemoryTopic, institutions: Iterable[Institution]) -> Table:
    """A registry that can be changed: these, and the region (ADMINISTRATOR administers)."""
    key = ApiKey(
        id=f"{9:012}",
        sha256=api_key_hash(ADMINISTRATOR),
        scopes=frozenset({Scope.ADMINISTER}),
        created=NOW,
    )
    region = Institution(
        siren="231300021",
        name="Région",
        kind=InstitutionKind.REGION,
        roles=frozenset({Role.ADMINISTRATOR}),
        api_keys=(key,),
        created=LONG_AGO,
    )
    for one in (*institutions, region):
        topic.write(one.siren, encode_institution(one))
    return CompactedTable(
        MemoryTableLog(topic), encode=encode_institution, decode=decode_institution
    )


class Gateway:
    """A gateway that was started, and what it wrote."""

    def __init__(self, client: TestClient, log: MemoryLog, registry_topic: MemoryTopic) -> None:
        self.client = client
        self.log = log
        self.registry_topic = registry_topic

    def post(self, content: Any, content_type: str = STRUCTURED, **headers: str) -> Any:
        """POST /v1/events; what is no octets is sent as JSON."""
        octets = content if isinstance(content, bytes) else orjson.dumps(content)
        return self.client.post(
            "/v1/events", content=octets, headers={"content-type": content_type, **headers}
        )

    @property
    def written(self) -> list[bytes]:
        return [octets for _, octets, _ in self.log.sent]


@contextmanager
def serving(
    log: MemoryLog | None = None,
    *,
    connect: Callable[[], MemoryTransport] | None = None,
    journal: Journal | SpooledJournal | None = None,
    rate: int | None = None,
    timeout: float = 30,
    clock: Clock | None = None,
    chamber: dict[str, Any] | None = None,
    signer: Signer | None = SIGNER,
    administration: bool = False,
    home: Path | None = None,
    claims: MemoryTopic | None = None,
    claims_log: TableLog | None = None,
    others: Iterable[Institution] = (),
    **settings: Any,
) -> Iterator[Gateway]:
    """Run the gateway; its callers are the chamber (KEY) and nobody else, but for the
    `administration`."""
    log, topic = log or MemoryLog(), MemoryTopic()
    fixed = registry(rate, **(chamber or {}))
    fixed = FixedRegistry([*fixed.view().institutions.values(), *others])
    members = live_registry(topic, fixed.view().institutions.values()) if administration else None
    waits = connect is None and journal is None
    journal = journal or memory_journal(connect or (lambda: log), timeout)
    with (
        members or nullcontext(),
        nullcontext(home) if home else TemporaryDirectory() as folder,
        TestClient(
            create_app(
                GatewaySettings(home=Path(folder), **{"signatures": "required", **settings}),
                journal=journal,
                registry=LiveRegistry(members) if members else fixed,
                members=members,
                signer=signer,
                follow=Follower("127.0.0.1:1", Path(folder)),
                clock=clock or FixedClock(NOW),
                claims=claims_log or MemoryTableLog(claims or MemoryTopic()),
            ),
            raise_server_exceptions=False,
        ) as client,
    ):
        client.headers["authorization"] = f"Bearer {KEY}"
        if members is not None:
            members.wait(60)
        if waits:
            assert wait_until(lambda: journal.connected, timeout=60)
        yield Gateway(client, log, topic)


def nowhere() -> NoReturn:
    """What connecting gives while Kafka is away."""
    raise BrokerAwayError("127.0.0.1:1")
