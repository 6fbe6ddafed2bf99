"""The HTTP transport: for whoever cannot reach Kafka. The one module here that knows httpx.

It speaks `POST /v1/events` of the gateway (docs/contract.md): batches of CloudEvents, an answer
for each. A batch holds at most one event of a record and the next waits for its answer, so that
what fails and is sent again never comes after a later event of its record.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic

import httpx

from traverse_producers.errors import (
    BrokerAwayError,
    GatewayAwayError,
    InvalidOptionError,
    PublishError,
)
from traverse_producers.room import Room
from traverse_producers.transports.contract import Delivery, Headers
from traverse_producers.transports.gateway_answers import Later, Outcome, outcomes, warnings_of
from traverse_schemas.log.pauses import Pauses
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

# What may be under way; `send` waits when it is more, so that memory stays bounded.
_MOST_EVENTS = 5000
_MOST_OCTETS = 64 * MAX_EVENT_BYTES
# Of one request: well below what a gateway takes.
_BATCH_EVENTS = 100
_BATCH_OCTETS = 2 * 1024 * 1024
_BATCH = "application/cloudevents-batch+json"
_CONNECT = 10.0  # seconds
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Item:
    """An event under way. `signature`: its detached JWS, empty when the gateway is to sign;
    `deadline`: when its time to be delivered is over (monotonic)."""

    key: str
    octets: bytes
    signature: bytes
    future: Future[Delivery]
    deadline: float


class HttpTransport:
    """A Transport to a gateway. Opens no connection before the first event."""

    def __init__(
        self,
        gateway: str,
        api_key: str,
        *,
        timeout: float = 30,
        pauses: Pauses | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """`gateway`: its address, as https://passerelle.example.org; `timeout`, in seconds, bounds
        the delivery of one event, attempts included. Raises InvalidOptionError for an address or
        a key that is none."""
        self._gateway = gateway_address(gateway)
        self._timeout = timeout
        self._warned: set[str] = set()
        self._pauses = pauses or Pauses()
        self._now = now
        self._client = httpx.Client(
            headers={"authorization": f"Bearer {api_key_of(api_key)}", "content-type": _BATCH},
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT)),
        )
        self._room = Room(_MOST_EVENTS, _MOST_OCTETS)
        self._changed = threading.Condition()
        self._waiting: deque[_Item] = deque()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="traverse-http", daemon=True)
        self._thread.start()

    def send(
        self,
        key: str,
        octets: bytes,
        headers: Headers,
    ) -> Future[Delivery]:
        """See Transport.send. The gateway does not tell where an event lies on the log: partition
        and offset are -1."""
        future: Future[Delivery] = Future()
        future.set_running_or_notify_cancel()
        if not self._room.take(len(octets), self._timeout):
            future.set_exception(self._away("trop d'événements attendent déjà"))
            return future
        future.add_done_callback(lambda _: self._room.give_back(len(octets)))
        # The gateway makes the headers of the log; a signature is the sender's own.
        signature = dict(headers).get(SIGNATURE_HEADER, b"")
        item = _Item(key, octets, signature, future, self._now() + self._timeout)
        with self._changed:
            if not self._ended.is_set():
                self._waiting.append(item)
                self._changed.notify()
                return future
        future.set_exception(self._away("la liaison est fermée"))
        return future

    def flush(self, timeout: float | None) -> None:
        """See Transport.flush: nothing to push, the thread is at it all the time."""

    def close(self, timeout: float | None) -> None:
        """See Transport.close."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout or 0)
            self._ended.set()
            left = list(self._waiting)
            self._waiting.clear()
            self._changed.notify()
        for item in left:
            item.future.set_exception(self._away("la liaison est fermée"))
        self._thread.join(timeout or 0)
        self._client.close()  # what is still under way fails now
        self._thread.join(self._timeout)

    def _work(self) -> None:
        while batch := self._next_batch():
            try:
                self._deliver(batch)
            except Exception as error:
                for item in batch:
                    if not item.future.done():
                        item.future.set_exception(self._away(type(error).__name__))

    def _next_batch(self) -> list[_Item]:
        """Wait for events; then what is there, up to the limits of a request and to the first
        record that comes again. Empty when all has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended.is_set())
            batch: list[_Item] = []
            keys: set[str] = set()
            octets = 0
            while self._waiting and len(batch) < _BATCH_EVENTS:
                item = self._waiting[0]
                octets += len(item.octets)
                if batch and (item.key in keys or octets > _BATCH_OCTETS):
                    break
                batch.append(self._waiting.popleft())
                keys.add(item.key)
            self._changed.notify_all()
            return batch

    def _deliver(self, batch: Sequence[_Item]) -> None:
        """Send until each is accepted, refused, or out of time."""
        left = list(batch)
        failures = 0
        while left:
            answers = self._post(left)
            again: list[tuple[_Item, Later]] = []
            for item, answer in zip(left, answers, strict=True):
                if isinstance(answer, Later):
                    again.append((item, answer))
                else:
                    _settle(item, answer)
            if not again:
                return
            failures += 1
            pause = max(self._pauses.after(failures), *(later.seconds for _, later in again))
            # Who asks for more time than there is has given the answer.
            over = self._now() + pause
            left = [item for item, _ in again if item.deadline > over]
            for item, later in again:
                if item.deadline <= over:
                    _settle(item, self._away(later.why, later.seconds))
            if left and self._ended.wait(pause):
                for item in left:
                    _settle(item, self._away("la liaison est fermée"))
                return

    def _post(self, batch: Sequence[_Item]) -> list[Outcome]:
        """One request. A batch that is refused as a whole is sent in halves: the fault may be one
        event's, or that they are too many."""
        body = b"[" + b",".join(item.octets for item in batch) + b"]"
        left = max(0.01, min(item.deadline for item in batch) - self._now())
        signatures = b",".join(item.signature for item in batch)
        signed = any(item.signature for item in batch)
        try:
            answer = self._client.post(
                f"{self._gateway}/v1/events",
                content=body,
                headers={SIGNATURE_HEADER: signatures.decode()} if signed else None,
                timeout=httpx.Timeout(left, connect=min(left, _CONNECT)),
            )
        except (httpx.HTTPError, RuntimeError) as error:  # the latter: closed meanwhile
            return [Later(0, why_away(error))] * len(batch)
        found = outcomes(answer.status_code, answer.headers, answer.content, len(batch))
        if found is None:
            middle = len(batch) // 2
            return [*self._post(batch[:middle]), *self._post(batch[middle:])]
        for sentence in warnings_of(answer.content):
            if sentence not in self._warned:
                self._warned.add(sentence)
                _LOG.warning("%s", sentence)
        return found

    def _away(self, why: str, retry_after: float = 0) -> BrokerAwayError:
        return GatewayAwayError(self._gateway, why, retry_after)


def gateway_address(text: str) -> str:
    """The address of a gateway, if it is one. Raises InvalidOptionError."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidOptionError(
            f"L'adresse de la passerelle « {text[:200]} » n'en est pas une : donnez-la comme "
            "https://passerelle.example.org."
        )
    return text.rstrip("/")


def api_key_of(text: str) -> str:
    """An API key, if it is one. Raises InvalidOptionError."""
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidOptionError(
            "La clé d'API est vide ou contient ce qu'une clé n'a pas : copiez-la telle qu'elle a "
            "été montrée, sur une seule ligne."
        )
    return key


def _settle(item: _Item, answer: Delivery | PublishError) -> None:
    if isinstance(answer, PublishError):
        item.future.set_exception(answer)
    else:
        item.future.set_result(answer)


def why_away(error: Exception) -> str:
    """Why a gateway did not answer, for a sentence."""
    if isinstance(error, httpx.TimeoutException):
        return "pas de réponse à temps"
    return str(error) or type(error).__name__
