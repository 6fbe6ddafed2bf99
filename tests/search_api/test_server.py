"""The server under the search, over real sockets: clients that are slow, many, or never stop."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from traverse_infra.engines.waiting import wait_until
from traverse_search_api.server import listen, server_of
from traverse_search_api.settings import SearchSettings

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
STREAM = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"


class Streaming:
    """An application that streams a line whenever it is told to, and reads bodies whole."""

    def __init__(self) -> None:
        """Nothing streams yet."""
        self.open = 0
        self.tick = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/stream":
            self.open += 1
            await self.tick.wait()
        await send({"type": "http.response.body", "body": b"done"})


class Served:
    """A running server and its clients."""

    def __init__(self, app: Streaming, port: int, loop: Any, clients: ExitStack) -> None:
        """Clients are closed with the stack."""
        self.app, self.port, self.clients = app, port, clients
        self._loop = loop

    def connect(self, sent: bytes = b"") -> socket.socket:
        """A client that has sent something."""
        client = self.clients.enter_context(socket.create_connection(("127.0.0.1", self.port)))
        client.settimeout(60)
        client.sendall(sent)
        return client

    def release(self) -> None:
        """End the streams."""
        self._loop.call_soon_threadsafe(self.app.tick.set)


@contextmanager
def served(**settings: Any) -> Iterator[Served]:
    app = Streaming()
    server = server_of(app, SearchSettings(**settings))
    server.config.lifespan = "off"
    loop = asyncio.new_event_loop()
    with listen("127.0.0.1", 0) as listener, ExitStack() as clients:
        thread = threading.Thread(
            target=lambda: loop.run_until_complete(server.serve(sockets=[listener]))
        )
        thread.start()
        try:
            assert wait_until(lambda: server.started, timeout=60)
            yield Served(app, listener.getsockname()[1], loop, clients)
        finally:
            server.should_exit = True
            thread.join(60)
            loop.close()


def until_closed(client: socket.socket) -> bytes:
    """Everything until the server hangs up; fails when it does not within a minute."""
    said = b""
    try:
        while chunk := client.recv(65536):
            said += chunk
    except ConnectionResetError:
        pass
    return said


def status(client: socket.socket) -> bytes:
    """The first line of the answer."""
    return client.recv(65536).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET / HTTP/1.1\r\nHos", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_request_that_does_not_come_ends_the_connection(begun: bytes) -> None:
    with served(search_request_seconds=0.3) as server:
        assert b" 200 " not in until_closed(server.connect(begun))


def test_a_head_that_comes_a_letter_at_a_time_has_no_more_time() -> None:
    with served(search_request_seconds=0.5) as server:
        client = server.connect(ASK[:20])
        client.settimeout(0.05)

        def ended() -> bool:
            try:
                client.sendall(b"x")
                return client.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        assert wait_until(ended, timeout=30)


def test_a_megabyte_of_headers_is_cut_off() -> None:
    """As one header, which uvicorn alone would keep whole, and then answer."""
    with served(search_request_seconds=600) as server:
        client = server.connect()
        try:
            client.sendall(ASK[:-2] + b"X: " + b"a" * 1024 * 1024 + b"\r\n\r\n")
        except OSError:
            return  # it hung up
        assert until_closed(client) == b""


def test_idle_connections_of_one_address_leave_room_and_the_next_is_told_why() -> None:
    """And room comes back when they end."""
    few = {"search_connections_per_address": 3, "streams_per_address": 1, "streams_per_key": 1}
    with served(**few, search_request_seconds=600) as server:
        idle = [server.connect() for _ in range(5)]
        refused = until_closed(server.connect(ASK))
        assert refused.startswith(b"HTTP/1.1 429")
        assert b"Retry-After: 5" in refused
        assert b"Trop de connexions ouvertes depuis votre adresse" in refused
        idle[0].close()
        assert wait_until(lambda: status(server.connect(ASK)).endswith(b"200 OK"), timeout=30)


def test_a_proxy_has_its_clients_connections() -> None:
    """They are bounded in all, and what each may ask by what the proxy tells of it."""
    few = {"search_connections_per_address": 1, "streams_per_address": 1, "streams_per_key": 1}
    with served(**few, trusted_proxies="127.0.0.0/8", search_connections=4, streams=1) as server:
        for _ in range(5):
            assert status(server.connect(ASK)) == b"HTTP/1.1 200 OK"
        assert until_closed(server.connect(ASK)).startswith(b"HTTP/1.1 503")


def test_streams_outlast_every_deadline_and_their_clients_are_still_heard() -> None:
    """Two hundred of them, opened within the time that a request may take, and ended after it."""
    with served(search_request_seconds=0.5, streams_per_address=300) as server:
        streams = [server.connect(STREAM) for _ in range(200)]
        assert wait_until(lambda: server.app.open == 200, timeout=60)
        for client in streams:
            assert status(client) == b"HTTP/1.1 200 OK"
        # The deadline of one that began after all of them has passed: theirs would have, too.
        assert until_closed(server.connect()) == b""
        assert server.app.open == 200
        server.release()
        for client in streams:
            assert b"done" in client.recv(65536)
            client.sendall(ASK)
            assert status(client) == b"HTTP/1.1 200 OK"
