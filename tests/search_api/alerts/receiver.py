"""A real HTTP receiver of webhooks, that behaves as each path says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.local_http import Quiet, answering


@dataclass
class Receiver:
    """`/ok` takes everything, `/fails` answers 500 until `mended`, `/hangs` never answers,
    `/redirects` points to `/ok`, `/gone` answers 410, `/strange` says no to the handshake."""

    address: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    mended: bool = False
    heard: Callable[[dict[str, str], bytes], object] = lambda headers, body: None
    """Called with each alert when it comes: its headers, by lower-case names, and its octets."""
    leave: threading.Event = field(default_factory=threading.Event)

    def ids(self, path: str) -> list[str]:
        """The ids of what a path took, in order."""
        return [headers["webhook-id"] for where, headers, _ in self.got if where == path]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_OPTIONS(self) -> None:
            receiver.asked.append(self.headers["WebHook-Request-Origin"])
            allowed = "other.example" if self.path == "/strange" else receiver.asked[-1]
            self._answer(200, {"WebHook-Allowed-Origin": allowed, "WebHook-Allowed-Rate": "*"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.heard(headers, body)
            receiver.got.append((self.path, headers, body))
            match self.path:
                case "/fails" if not receiver.mended:
                    self._answer(500, {})
                case "/hangs":
                    receiver.leave.wait(60)
                    self.close_connection = True
                case "/redirects":
                    self._answer(307, {"Location": f"{receiver.address}/ok"})
                case "/gone":
                    self._answer(410, {})
                case _:
                    self._answer(204, {})

        def _answer(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", "0")
            self.end_headers()

    with answering(Handler) as receiver.address:
        try:
            yield receiver
        finally:
            receiver.leave.set()
