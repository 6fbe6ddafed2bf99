"""A soak: events flow while seeded kills hit workers and Kafka; then the books are balanced.

One thread publishes through the SDK's outbox, as a partner's program would; the other kills.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import orjson
import psutil

from tests.journey.harness import Journey, Sent, Worker, until
from tests.journey.traces import Traces
from traverse_infra.check.compare import compare
from traverse_infra.engines.runner import Engines
from traverse_producers.errors import PublishError
from traverse_producers.kafka_transport import KafkaTransport
from traverse_producers.outbox import Outbox
from traverse_producers.transport import Delivery
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.receipts import End
from traverse_schemas.topics import ACCEPTED

_HEADERS = (("content-type", CONTENT_TYPE.encode()),)
_PATIENCE = 600.0
_ROOM = 2000
"""Events that may wait in the outbox: what is killed must have work at hand, not all of it done."""


@dataclass
class Publisher:
    """Publishes in order, as the outbox delivers; counts what Kafka acknowledged."""

    path: Path
    bootstrap: str
    messages: Sequence[Sent]
    acknowledged: list[bytes] = field(default_factory=list)
    failed: list[PublishError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._waiting: set[Future[Delivery]] = set()
        self._thread = Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def done(self) -> bool:
        return len(self.acknowledged) + len(self.failed) == len(self.messages)

    def _run(self) -> None:
        with Outbox(self.path, lambda: KafkaTransport(self.bootstrap, timeout=10)) as outbox:
            for sent, message in enumerate(self.messages):
                key = (message.key or b"").decode()
                value = message.value or b""
                future = outbox.send(key, value, _HEADERS)
                future.add_done_callback(self._settled(value))
                until(lambda at=sent: at - self._settled_count() < _ROOM, "room", _PATIENCE)  # type: ignore[misc]
            until(lambda: self.done, "the last deliveries", _PATIENCE)

    def _settled(self, value: bytes) -> Callable[[Future[Delivery]], None]:
        def settle(future: Future[Delivery]) -> None:
            error = future.exception()
            if isinstance(error, PublishError):
                self.failed.append(error)
            else:
                self.acknowledged.append(value)

        return settle

    def _settled_count(self) -> int:
        return len(self.acknowledged) + len(self.failed)


class Killer:
    """Kills one of the parts, and brings it back as a supervisor would."""

    def __init__(self, engines: Engines, journey: Journey, random: Random) -> None:
        self._engines = engines
        self._journey = journey
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
        worker = self._worker(victim)
        worker.kill()
        self._journey.workers.remove(worker)
        self._journey.start(victim, batch_size=str(self._random.choice((20, 100, 500))))

    def revive(self) -> None:
        """A step that left by itself (its exit code says why) is started again, as `traverse work`
        is by its supervisor."""
        for worker in list(self._journey.workers):
            if worker.process.poll() is not None:
                self.kills[f"{worker.step} left with {worker.process.returncode}"] += 1
                self._journey.workers.remove(worker)
                self._journey.start(worker.step)

    def _worker(self, step: str) -> Worker:
        self.revive()
        return next(worker for worker in self._journey.workers if worker.step == step)


@dataclass
class Balance:
    """What a soak came to."""

    published: int
    acknowledged: int
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
                f"published {self.published}, acknowledged {self.acknowledged}",
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
    """Publish everything while `kills` strike at seeded moments; balance the books."""
    random = Random(seed)  # noqa: S311 -- a history that can be told again, not a secret
    journey.start()
    publisher = Publisher(journey.home / "outbox", journey.kafka, messages)
    killer = Killer(engines, journey, random)
    moments = sorted(random.sample(range(len(messages) // 10, len(messages) * 9 // 10), len(kills)))
    publisher.start()
    for moment, victim in zip(moments, kills, strict=True):
        until(lambda at=moment: len(publisher.acknowledged) >= at, "progress", _PATIENCE)  # type: ignore[misc]
        killer.strike(victim)
    until(lambda: publisher.done, "everything acknowledged", _PATIENCE)
    killer.revive()
    with suppress(AssertionError):
        journey.settle(_PATIENCE / 10)
    killer.revive()
    journey.settle(_PATIENCE)
    return balance(journey, publisher, killer)


def balance(journey: Journey, publisher: Publisher, killer: Killer) -> Balance:
    """Every acknowledged event has become something, once, in order."""
    wrong = [f"not delivered: {error}" for error in publisher.failed]
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
    for value in set(publisher.acknowledged) - taken - rejected.keys():
        wrong.append(f"lost: {value[:200]!r}")
    wrong += _out_of_order(publisher.messages, order)
    ends = _ends(journey, accepted, wrong)
    report = compare(journey.kafka, journey.elasticsearch)
    wrong += [f"index: {one}" for one in report.differences]
    return Balance(
        published=len(publisher.messages),
        acknowledged=len(publisher.acknowledged),
        accepted=len(accepted),
        rejected=len(rejected),
        repeated=len(publisher.acknowledged) - len(accepted) - len(rejected),
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
        if (places := [place[value] for value in values]) != sorted(places)
    ]


def _ends(journey: Journey, accepted: dict[bytes, bytes], wrong: list[str]) -> Counter[str]:
    """The end of each accepted event by its receipt."""
    traces = Traces(journey)
    found: Counter[str] = Counter()
    known: set[Any] = {End.SEARCHABLE, End.SUPERSEDED, End.WITHDRAWN, End.WAITING}
    for key in accepted:
        source, _, event_id = orjson.loads(key)
        end = traces.end(source, event_id)
        found[str(end)] += 1
        if end not in known:
            wrong.append(f"no end: {key!r} ({end})")
    return found
