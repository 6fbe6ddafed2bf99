"""The server under the application: uvicorn, with bounds on what comes before the body.

uvicorn waits for ever for the headers of a request and keeps whatever they hold; a client that
sends them a letter a minute, or without end, would cost a connection or all the memory.
"""

import asyncio
import socket
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from traverse_producers.errors import InvalidOptionError
from traverse_producers.gateway.settings import GatewaySettings

_MOST_HEAD: Final = 64 * 1024
"""Octets of a request line and its headers; also of a chunk's head, and of trailers."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose heads come within seconds and octets, or the connection ends."""

    head_seconds = 10.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection begins: its first head is awaited."""
        self._head = 0
        self._timer: asyncio.TimerHandle | None = None
        super().connection_made(transport)  # type: ignore[arg-type]
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Octets come: those of heads are counted until something else follows."""
        self._head += len(data)
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self._timer is None:
            self._await_head()
        super().data_received(data)
        if self._head > _MOST_HEAD and not self.transport.is_closing():
            self.transport.close()

    def on_headers_complete(self) -> None:
        """A head has come."""
        self._head = 0
        self._forget_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body: its deadline is the application's."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come."""
        self._head = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended."""
        self._forget_head()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._too_slow)

    def _forget_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()


def server_of(app: FastAPI, settings: GatewaySettings) -> uvicorn.Server:
    """The server of an application; it runs on sockets that the caller listens with."""
    protocol: Any = type(
        "GatewayProtocol", (BoundedProtocol,), {"head_seconds": settings.gateway_header_seconds}
    )
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        http=protocol,
        ws="none",
        limit_concurrency=settings.gateway_connections,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises InvalidOptionError when the address
    cannot be had."""
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
        raise InvalidOptionError(
            f"La passerelle ne peut pas écouter à {host}:{port} : l'adresse n'est pas de cette "
            "machine ou un autre programme l'occupe ; choisissez TRAVERSE_GATEWAY_PORT ou --port."
        ) from None
    return listener
