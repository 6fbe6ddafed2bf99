"""The server under our HTTP services: uvicorn, with bounds on what comes before the application.

uvicorn waits for ever for the headers of a request and keeps whatever they hold; a client that
sends them a letter a minute, or without end, would cost a connection or all the memory. What an
application streams has no bound here: a deadline is for what a client sends.
"""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from traverse_schemas.web.networks import Proxies, network_of

_MOST_HEAD: Final = 64 * 1024
"""Octets of a request line and its headers; also of a chunk's head, and of trailers."""
_PARTING: Final = 1.0
"""Seconds in which a connection that is not served may read why."""
_RETRY_AFTER: Final = 5  # seconds
_FULL: Final = "Le service a autant de connexions qu’il en sert à la fois ; réessayez plus tard."
_MANY: Final = (
    "Trop de connexions ouvertes depuis votre adresse ; fermez-en, ou réessayez plus tard."
)


@dataclass(frozen=True)
class Bounds:
    """What one server takes of its clients."""

    connections: int
    """Connections at one time."""
    per_address: int
    """Of them from one address, or network of one subscriber; a proxy's are its clients'."""
    head_seconds: float = 10
    """For which a request's headers are awaited."""
    body_seconds: float | None = None
    """For which the rest of a request is awaited; None where the application sees to that."""
    trusted_proxies: str = ""
    """Addresses or networks, with commas between, whose X-Forwarded-For is believed."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 of a bounded number of clients, whose requests come within seconds and octets, or
    the connection ends."""

    def __init__(
        self, *, bounds: Bounds, proxies: Proxies, addresses: Counter[str], **given: Any
    ) -> None:
        """`addresses` has the connections of all protocols of a server, by network."""
        super().__init__(**given)
        self._bounds = bounds
        self._proxies = proxies
        self._addresses = addresses
        self._network = ""
        self._refused = False
        self._head = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection begins: its first head is awaited."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if self.client is not None and self.client[0] not in self._proxies:
            self._network = network_of(self.client[0])
            self._addresses[self._network] += 1
        if len(self.connections) > self._bounds.connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Service occupé", _FULL)
        elif self._addresses[self._network] > self._bounds.per_address:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "Trop de connexions", _MANY)
        else:
            self._await(self._bounds.head_seconds)

    def data_received(self, data: bytes) -> None:
        """Octets come: those of heads are counted until something else follows."""
        if self._refused:
            return
        self._head += len(data)
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self._deadline is None:
            self._await(self._bounds.head_seconds)
        super().data_received(data)
        if self._head > _MOST_HEAD:
            self._end()

    def on_headers_complete(self) -> None:
        """A head has come."""
        self._head = 0
        self._forget()
        super().on_headers_complete()
        if self._bounds.body_seconds is not None:
            self._await(self._bounds.body_seconds)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come."""
        self._head = 0
        self._forget()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended."""
        self._forget()
        self._leave()
        super().connection_lost(exc)

    def _refuse(self, status: HTTPStatus, title: str, detail: str) -> None:
        """Say why, and hang up: what the client sends meanwhile is not looked at."""
        self._refused = True
        self._leave()
        self.connections.discard(self)
        self.transport.write(_problem(status, title, detail))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._await(_PARTING)

    def _leave(self) -> None:
        """Be counted no more."""
        if self._network:
            self._addresses[self._network] -= 1
            if not self._addresses[self._network]:
                del self._addresses[self._network]
            self._network = ""

    def _await(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        self._end()

    def _end(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def server_config(app: Callable[..., Any], bounds: Bounds, *, ending: int) -> uvicorn.Config:
    """How an application is served; `ending` is the seconds that what is under way has to end."""
    protocol: Any = partial(
        BoundedProtocol,
        bounds=bounds,
        proxies=Proxies(bounds.trusted_proxies),
        addresses=Counter[str](),
    )
    return uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        http=protocol,
        ws="none",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=ending,
        server_header=False,
        # By default uvicorn believes what this very machine says of addresses.
        proxy_headers=bool(bounds.trusted_proxies),
        forwarded_allow_ips=bounds.trusted_proxies,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError when the address cannot be
    had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is said (`socket.create_server` says
    # none): each answer then waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _problem(status: HTTPStatus, title: str, detail: str) -> bytes:
    """A whole answer, as problem+json (RFC 9457)."""
    content = {"type": "about:blank", "title": title, "status": status.value, "detail": detail}
    body = json.dumps(content, ensure_ascii=False).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: {_RETRY_AFTER}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
