"""Who publishes during a soak: a partner's program with the SDK's outbox, and one that calls the
gateway. Both send in order, ask again until they are answered, and keep the books."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread

import httpx
import orjson

from tests.journey.harness import Sent, until
from traverse_producers.errors import PublishError
from traverse_producers.outbox.outbox import Outbox
from traverse_producers.transports.contract import Delivery, Headers
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.events import CONTENT_TYPE

PATIENCE = 600.0
_CONTENT_TYPE = (("content-type", CONTENT_TYPE.encode()),)
_ROOM = 2000
"""Events that may wait in the outbox: what is killed must have work at hand, not all of it done."""
_BATCH = 50


class Publisher:
    """`acknowledged` are the octets for which the platform stands; `refused` those that were
    refused at once, with a reason; `failed` what should not be."""

    def __init__(self, messages: Sequence[Sent]) -> None:
        self.messages = messages
        self.acknowledged: list[bytes] = []
        self.refused: list[bytes] = []
        self.failed: list[str] = []
        self._answered = 0
        self._counting = Lock()
        self._thread = Thread(target=self._guarded, name=type(self).__name__, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def answered(self) -> int:
        """How many messages were answered, whatever the answer."""
        return self._answered

    @property
    def done(self) -> bool:
        return bool(self.failed) or self._answered == len(self.messages)

    def _count(self) -> None:
        """One more is answered; said by whichever thread has the answer."""
        with self._counting:
            self._answered += 1

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as error:
            self.failed.append(f"{type(self).__name__}: {error!r}")

    def _run(self) -> None:
        raise NotImplementedError


class ByOutbox(Publisher):
    """The SDK's outbox, which delivers in order and asks again by itself."""

    def __init__(
        self,
        messages: Sequence[Sent],
        path: Path,
        bootstrap: str,
        sign: Callable[[bytes], Headers],
    ) -> None:
        super().__init__(messages)
        self._path = path
        self._bootstrap = bootstrap
        self._sign = sign

    def _run(self) -> None:
        with Outbox(self._path, lambda: KafkaTransport(self._bootstrap, timeout=10)) as outbox:
            for number, message in enumerate(self.messages):
                value = message.value or b""
                future = outbox.send(
                    (message.key or b"").decode(), value, (*_CONTENT_TYPE, *self._sign(value))
                )
                future.add_done_callback(self._settle(value))
                self._await_room(number)
            until(lambda: self.done, "the last deliveries", PATIENCE)

    def _await_room(self, sent: int) -> None:
        until(lambda: sent - self._answered < _ROOM, "room in the outbox", PATIENCE)

    def _settle(self, value: bytes) -> Callable[[Future[Delivery]], None]:
        def settle(future: Future[Delivery]) -> None:
            error = future.exception()
            if isinstance(error, PublishError):
                self.failed.append(f"not delivered: {error}")
            else:
                self.acknowledged.append(value)
            self._count()

        return settle


class ByGateway(Publisher):
    """HTTP, a line an event, for one institution. A batch holds one event of a record at most, so
    that asking again for what was not taken changes no order."""

    def __init__(self, messages: Sequence[Sent], address: str, key: str) -> None:
        super().__init__(messages)
        self._address = address
        self._key = key

    def _run(self) -> None:
        with httpx.Client(base_url=self._address, timeout=10) as client:
            for batch in _batches(self.messages):
                waiting = batch
                while waiting:
                    waiting = self._post(client, waiting)

    def _post(self, client: httpx.Client, batch: list[bytes]) -> list[bytes]:
        """Send once; what must be sent again."""
        answer: httpx.Response | None = None
        with suppress(httpx.TransportError):
            answer = client.post(
                "/v1/events",
                content=b"\n".join(batch),
                headers={
                    "content-type": "application/x-ndjson",
                    "authorization": f"Bearer {self._key}",
                },
            )
        if answer is None or answer.status_code in (401, 429, 500) or "items" not in answer.json():
            # Away, or its registry is not read yet: a little later.
            until(lambda: _ready(client), "the gateway", PATIENCE)
            return batch
        again = []
        for value, item in zip(batch, answer.json()["items"], strict=True):
            if item["status"] in ("accepted", "duplicate"):
                self.acknowledged.append(value)
            elif item["status"] == "refused":
                assert item["reason"], item
                self.refused.append(value)
            else:
                again.append(value)
                continue
            self._count()
        return again


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _batches(messages: Sequence[Sent]) -> Iterator[list[bytes]]:
    """In order; a batch ends where a record comes again."""
    batch: list[bytes] = []
    keys: set[bytes] = set()
    for message in messages:
        value, key = message.value or b"", message.key or message.value or b""
        if key in keys or len(batch) == _BATCH:
            yield batch
            batch, keys = [], set()
        batch.append(value)
        keys.add(key)
    if batch:
        yield batch


def siren_in(value: bytes) -> str:
    """The SIREN that an event names as its source; "" where it names none."""
    try:
        return str(orjson.loads(value)["source"]).split(":")[2]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
