"""A soak: events flow while seeded kills hit workers, Kafka and the gateway; then the books are
balanced."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Self
from zlib import crc32

import orjson
import psutil

from tests.journey.harness import RARELY, Journey, Sent, Worker
from tests.journey.soak_publishers import PATIENCE, ByGateway, ByOutbox, Publisher, siren_in
from tests.journey.traces import Traces
from tests.signing import CCI, member, signature
from traverse_infra.check.compare import compare
from traverse_infra.engines.ports import free_ports
from traverse_infra.engines.runner import Engines
from traverse_infra.engines.waiting import wait_until
from traverse_infra.members import add_member, open_registry
from traverse_producers.transports.contract import Headers
from traverse_schemas.clock import SystemClock
from traverse_schemas.log.receipts import End
from traverse_schemas.log.topics import ACCEPTED
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.api_keys import new_api_key
from traverse_schemas.registry.institutions import Role, Scope
from traverse_schemas.registry.membership import new_member
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

_HOST = "180000028"
"""Number of nobody that passes its check: the institution that runs the gateway."""


class GatewayProcess:
    """`traverse serve gateway`, at one address whatever happens to it, for three institutions that
    sign what they send to Kafka themselves, and leave to it the signature of what they post."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        (self._port,) = free_ports(1)
        self.address = f"http://127.0.0.1:{self._port}"
        keys = {
            siren: new_api_key([Scope.PUBLISH], datetime.now(UTC))
            for siren in (CCI, "211300405", "200054807")
        }
        self._members = [
            member(siren, api_keys=(key.key,), delegated=True) for siren, key in keys.items()
        ]
        self.keys = {siren: key.secret for siren, key in keys.items()}
        """The API key of each institution, by its SIREN."""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        now = SystemClock().now()
        host = new_member(
            siren=_HOST, name="Hôte", kind=InstitutionKind.OTHER, now=now, roles=[Role.GATEWAY]
        )
        self._journey.register(*self._members)
        with open_registry(self._journey.kafka) as table:
            add_member(table, self._journey.home / "keys", host, now)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self._journey.home.mkdir(parents=True, exist_ok=True)
        with (self._journey.home / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "traverse_infra.cli", "serve", "gateway"],
                env={
                    **os.environ,
                    "TRAVERSE_KAFKA": self._journey.kafka,
                    "TRAVERSE_HOME": str(self._journey.home),
                    "TRAVERSE_GATEWAY_PORT": str(self._port),
                    "TRAVERSE_GATEWAY_SIREN": _HOST,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def revive(self) -> None:
        """Start it again when it left by itself, as a supervisor does."""
        if self._process is not None and self._process.poll() is not None:
            self.start()

    @property
    def words(self) -> str:
        """The end of what it said."""
        log = self._journey.home / "gateway.log"
        return log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Killer:
    """Kills one of the parts, and brings it back as a supervisor would."""

    def __init__(
        self, engines: Engines, journey: Journey, gateway: "GatewayProcess", random: Random
    ) -> None:
        self._engines = engines
        self._journey = journey
        self._gateway = gateway
        self._random = random
        self.kills: Counter[str] = Counter()

    def strike(self, victim: str) -> None:
        """SIGKILL; back at once, or after the others have noticed."""
        self.kills[victim] += 1
        if victim == "kafka":
            pid = self._engines.status()[0].pid
            assert pid is not None
            process = psutil.Process(pid)
            process.kill()
            process.wait(20)
            self._engines.up()
            return
        if victim == "gateway":
            self._gateway.kill()
            self._gateway.start()
            return
        worker = self._worker(victim)
        worker.kill()
        self._journey.workers.remove(worker)
        self._journey.start(victim, batch_size=str(self._random.choice((20, 100, 500))), **RARELY)

    def revive(self) -> None:
        """A step that left by itself (its exit code says why) is started again, as `traverse work`
        is by its supervisor."""
        for worker in list(self._journey.workers):
            if worker.process.poll() is not None:
                self.kills[f"{worker.step} left with {worker.process.returncode}"] += 1
                self._journey.workers.remove(worker)
                self._journey.start(worker.step, **RARELY)

    def _worker(self, step: str) -> Worker:
        self.revive()
        return next(worker for worker in self._journey.workers if worker.step == step)


@dataclass
class Balance:
    """What a soak came to."""

    published: int
    acknowledged: int
    refused: int
    accepted: int
    rejected: int
    repeated: int
    ends: Counter[str]
    wrong: list[str]
    kills: Counter[str]
    documents: int

    def __str__(self) -> str:
        return "\n".join(
            (
                f"published {self.published}, acknowledged {self.acknowledged}, refused at the "
                f"gateway {self.refused}",
                f"accepted {self.accepted}, rejected with a reason {self.rejected}, "
                f"the same again {self.repeated}",
                f"ends: {dict(sorted(self.ends.items()))}",
                f"documents that log and index agree on: {self.documents}",
                f"kills: {dict(sorted(self.kills.items()))}",
                f"wrong: {self.wrong or 'nothing'}",
            )
        )


def soak(
    engines: Engines, journey: Journey, messages: Sequence[Sent], *, kills: Sequence[str], seed: int
) -> Balance:
    """Publish everything while `kills` strike at seeded moments; balance the books. Half of the
    records are published through the gateway, half through the outbox."""
    random = Random(seed)  # noqa: S311 -- a history that can be told again, not a secret
    with GatewayProcess(journey) as gateway:
        journey.start(**RARELY)
        by_gateway = [one for one in messages if crc32(one.key or one.value or b"") % 2]
        by_outbox = [one for one in messages if not crc32(one.key or one.value or b"") % 2]
        publishers: list[Publisher] = [
            ByOutbox(by_outbox, journey.home / "outbox", journey.kafka, _signed),
            *(
                ByGateway(each, gateway.address, gateway.keys[siren])
                for siren, each in _by_sender(by_gateway, gateway.keys).items()
            ),
        ]
        killer = Killer(engines, journey, gateway, random)
        span = range(len(messages) // 10, len(messages) * 9 // 10)
        moments = sorted(random.sample(span, len(kills)))
        for publisher in publishers:
            publisher.start()
        for moment, victim in zip(moments, kills, strict=True):
            _await(publishers, gateway, killer, moment)
            killer.strike(victim)
        _await(publishers, gateway, killer, len(messages))
    killer.revive()
    with suppress(AssertionError):
        journey.settle(PATIENCE / 10)
    killer.revive()
    journey.settle(PATIENCE)
    return balance(journey, publishers, killer)


def _by_sender(messages: Sequence[Sent], sirens: Iterable[str]) -> dict[str, list[Sent]]:
    """What each institution posts; the chamber also what names nobody."""
    found: dict[str, list[Sent]] = {siren: [] for siren in sirens}
    for message in messages:
        found.get(siren_in(message.value or b""), found[CCI]).append(message)
    return found


def _signed(octets: bytes) -> Headers:
    return ((SIGNATURE_HEADER, signature(octets)),)


def _await(
    publishers: Sequence[Publisher], gateway: GatewayProcess, killer: Killer, least: int
) -> None:
    """Wait until so many messages are answered; say who stands still when they are not."""

    def reached() -> bool:
        gateway.revive()
        killer.revive()
        failed = [each for one in publishers for each in one.failed]
        assert not failed, failed
        return sum(one.answered for one in publishers) >= least

    assert wait_until(reached, timeout=PATIENCE), "\n".join(
        (
            f"less than {least} answered",
            *(f"{type(one).__name__}: {one.answered}/{len(one.messages)}" for one in publishers),
            gateway.words,
        )
    )


def balance(journey: Journey, publishers: Sequence[Publisher], killer: Killer) -> Balance:
    """Every acknowledged event has become something, once, in order."""
    wrong = [each for one in publishers for each in one.failed]
    acknowledged = [value for one in publishers for value in one.acknowledged]
    refused = {value for one in publishers for value in one.refused}
    accepted: dict[bytes, bytes] = {}
    order: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for one in journey.read(ACCEPTED):
        value = one.value or b""
        if accepted.setdefault(one.key, value) != value:
            wrong.append(f"two contents under {one.key!r}")
        source, subject, _ = orjson.loads(one.key)
        if value not in order[source, subject]:
            order[source, subject].append(value)
    taken = set(accepted.values())
    rejected = {one.value or b"": one.headers["reason"].decode() for one in journey.rejections()}
    wrong += [f"accepted and rejected: {value!r}" for value in taken & rejected.keys()]
    for value in set(acknowledged) - taken - rejected.keys():
        wrong.append(f"lost: {value[:200]!r}")
    wrong += [f"refused and accepted: {value!r}" for value in refused & taken]
    for one_publisher in publishers:
        wrong += _out_of_order(one_publisher.messages, order)
    ends = _ends(journey, accepted, wrong)
    report = compare(journey.kafka, journey.elasticsearch)
    wrong += [f"index: {one}" for one in report.differences]
    return Balance(
        published=sum(len(one.messages) for one in publishers),
        acknowledged=len(acknowledged),
        refused=sum(len(one.refused) for one in publishers),
        accepted=len(accepted),
        rejected=len(rejected),
        repeated=len(acknowledged) - len(accepted) - len(rejected),
        ends=ends,
        wrong=wrong,
        kills=killer.kills,
        documents=sum(one.index_count for one in report.sums),
    )


def _out_of_order(messages: Sequence[Sent], order: dict[tuple[str, str], list[bytes]]) -> list[str]:
    """Records whose events were accepted in another order than they were published in."""
    place: dict[bytes, int] = {}
    for number, message in enumerate(messages):
        place.setdefault(message.value or b"", number)
    return [
        f"out of order: {record}"
        for record, values in order.items()
        if (places := [place[value] for value in values if value in place]) != sorted(places)
    ]


def _ends(journey: Journey, accepted: dict[bytes, bytes], wrong: list[str]) -> Counter[str]:
    """The end of each accepted event by its receipt."""
    traces = Traces(journey)
    found: Counter[str] = Counter()
    known: set[Any] = {End.SEARCHABLE, End.COUNTED, End.SUPERSEDED, End.WITHDRAWN, End.WAITING}
    for key in accepted:
        source, _, event_id = orjson.loads(key)
        end = traces.end(source, event_id)
        found[str(end)] += 1
        if end not in known:
            wrong.append(f"no end: {key!r} ({end})")
    return found
