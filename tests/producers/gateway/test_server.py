"""The server under the gateway, over real sockets: clients that are slow, or never stop."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.producers.gateway.serving import (
    KEY,
    NOW,
    SIGNER,
    STRUCTURED,
    MemoryLog,
    memory_journal,
    registry,
)
from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.stream_processors.factory import event, octets
from traverse_infra.engines.waiting import wait_until
from traverse_producers.errors import InvalidOptionError
from traverse_producers.gateway.app import create_app
from traverse_producers.gateway.server import listen, server_of
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.receipts.follow import Follower
from traverse_schemas.clock import FixedClock

HEAD = (
    f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
    f"Content-Type: {STRUCTURED}\r\n"
).encode()


@contextmanager
def served(home: Path, **more: Any) -> Iterator[int]:
    """The port of a gateway over a log in memory."""
    settings = GatewaySettings(home=home, **more)
    journal = memory_journal(MemoryLog, 60)
    app = create_app(
        settings,
        journal=journal,
        registry=registry(),
        follow=Follower("127.0.0.1:1", home),
        signer=SIGNER,
        clock=FixedClock(NOW),
        claims=MemoryTableLog(MemoryTopic()),
    )
    server = server_of(app, settings)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert wait_until(lambda: journal.connected, timeout=60)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(60)


def answer(connection: socket.socket) -> bytes:
    """Everything until the server hangs up; fails when it does not within a minute."""
    connection.settimeout(60)
    said = b""
    try:
        while chunk := connection.recv(65536):
            said += chunk
    except (ConnectionResetError, BrokenPipeError):
        pass
    return said


def test_a_request_over_a_socket_is_answered(tmp_path: Path) -> None:
    """In pieces too, and a second one on the same connection."""
    body = octets(event())
    with served(tmp_path) as port, socket.create_connection(("127.0.0.1", port)) as client:
        for close in (False, True):
            tail = b"Connection: close\r\n" if close else b""
            head = HEAD + tail + b"Content-Length: %d\r\n\r\n" % len(body)
            for piece in (head[:40], head[40:], body[:100], body[100:]):
                client.sendall(piece)
                time.sleep(0)
        assert answer(client).count(b"202 Accepted") == 2


def test_headers_that_do_not_come_end_the_connection(tmp_path: Path) -> None:
    """Not one octet, or some and no more."""
    with served(tmp_path, gateway_header_seconds=0.3) as port:
        for begun in (b"", HEAD[:30]):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(begun)
                assert answer(client) == b""


@pytest.mark.parametrize(
    "endless", [b"X: " + b"a" * 8192 + b"\r\n", b"a" * 8192], ids=["many headers", "one header"]
)
def test_headers_without_end_are_cut_off(tmp_path: Path, endless: bytes) -> None:
    with (
        served(tmp_path, gateway_header_seconds=600) as port,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        try:
            client.sendall(HEAD + b"X: ")
            for _ in range(10_000):
                client.sendall(endless)
        except OSError:
            return  # it hung up
        pytest.fail("80 MB of headers were taken")


def test_a_body_that_does_not_come_is_answered_and_the_connection_ends(tmp_path: Path) -> None:
    with (
        served(tmp_path, gateway_body_seconds=0.3) as port,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        client.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        said = answer(client)
        assert said.startswith(b"HTTP/1.1 408")
        assert b"application/problem+json" in said


def test_trailers_without_end_are_cut_off(tmp_path: Path) -> None:
    """What may follow a body in pieces is bounded as its head is."""
    with (
        served(tmp_path, gateway_body_seconds=600) as port,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n")
        try:
            for _ in range(10_000):
                client.sendall(b"X: " + b"a" * 8192 + b"\r\n")
        except OSError:
            return
        pytest.fail("80 MB of trailers were taken")


def test_connections_of_one_address_are_bounded_but_for_those_of_a_trusted_proxy(
    tmp_path: Path,
) -> None:
    few: dict[str, Any] = {"gateway_connections_per_address": 1, "gateway_header_seconds": 0.3}
    for trusted, wanted in (("", b"HTTP/1.1 429"), ("127.0.0.1", b"")):
        with (
            served(tmp_path, **few, trusted_proxies=trusted) as port,
            socket.create_connection(("127.0.0.1", port)),
            socket.create_connection(("127.0.0.1", port)) as second,
        ):
            assert answer(second)[:12] == wanted


def test_an_address_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with (
        listen("127.0.0.1", 0) as taken,
        pytest.raises(InvalidOptionError, match="TRAVERSE_GATEWAY_PORT"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])
