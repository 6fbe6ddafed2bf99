"""Gateways for tests, over real sockets: one that answers as it is told, and the real one."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.producers.gateway.serving import NOW, MemoryLog, memory_journal, registry
from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from traverse_infra.engines.waiting import wait_until
from traverse_producers.gateway.app import create_app
from traverse_producers.gateway.journal import Journal
from traverse_producers.gateway.server import listen, server_of
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.receipts.follow import Follower
from traverse_schemas.clock import FixedClock

Events = list[dict[str, Any]]


class Answer(NamedTuple):
    """An answer of a gateway; what is no octets is sent as JSON."""

    status: int
    content: Any = b""
    headers: dict[str, str] = {}  # noqa: RUF012 - read only


def receipt(*items: dict[str, Any]) -> Answer:
    """An answer with these items: 202 when all are accepted, 207 otherwise."""
    accepted = all(item["status"] in {"accepted", "duplicate"} for item in items)
    return Answer(202 if accepted else 207, {"items": list(items)})


def accepted(events: Events) -> Answer:
    """The answer of a gateway that takes everything."""
    return receipt(*({"index": index, "status": "accepted"} for index in range(len(events))))


class ScriptedGateway:
    """Answers each request by the next of `script`, then takes everything. What it takes, and
    every request, is kept."""

    def __init__(self) -> None:
        self.script: list[Callable[[Events], Answer | None]] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.taken: list[bytes] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer: else each waits 40 ms

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = outer._answer(self.path, dict(self.headers), body)
                if answer is None:  # hang up
                    self.close_connection = True
                    return
                content = answer.content
                octets = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        with self._lock:
            self.requests.append((headers, body))
            if path != "/v1/events":
                return Answer(404)
            try:
                events = json.loads(body)
            except ValueError:
                return Answer(400, {"detail": "Le lot n'est pas un tableau JSON."})
            answer = self.script.pop(0)(events) if self.script else accepted(events)
            if answer is not None and isinstance(answer.content, dict):
                items = answer.content.get("items", [])
                for event, item in zip(events, items, strict=False):
                    if item["status"] == "accepted":
                        self.taken.append(json.dumps(event).encode())
            return answer

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def scripted_gateway() -> Iterator[ScriptedGateway]:
    gateway = ScriptedGateway()
    try:
        yield gateway
    finally:
        gateway.stop()


@contextmanager
def real_gateway(
    connect: Callable[[], MemoryLog] | None = None,
    *,
    journal: Journal | None = None,
    wait: bool = True,
    own: Path | None = None,
) -> Iterator[tuple[str, MemoryLog]]:
    """The gateway of this package, on a free port, over a log in memory unless told otherwise;
    its one key is KEY, the chamber's. `own`: the chamber signs for itself, which is asked for, and
    this is the gateway's home."""
    log = MemoryLog()
    journal = journal or memory_journal(connect or (lambda: log))
    settings = GatewaySettings(signatures="required") if own else GatewaySettings()
    home = TemporaryDirectory()
    app = create_app(
        settings,
        journal=journal,
        registry=registry(1_000_000, delegated=own is None),
        follow=Follower("127.0.0.1:1", own or Path(home.name)),
        clock=FixedClock(NOW),
        claims=MemoryTableLog(MemoryTopic()),
    )
    listener = listen("127.0.0.1", 0)
    server = server_of(app, settings)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        assert not wait or wait_until(lambda: journal.connected, timeout=60)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", log
    finally:
        server.should_exit = True
        thread.join()
        home.cleanup()
