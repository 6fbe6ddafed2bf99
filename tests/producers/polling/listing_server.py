"""A real HTTP server on this machine, that serves one listing as well or as badly as asked."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Server:
    """What it serves, how, and what it was asked. `how` is the name of a method of `_Handler`."""

    def __init__(self) -> None:
        self.body = b""
        self.how = "plain"
        self.asked: list[dict[str, str]] = []
        self.address = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ClassVar[Server]

    def do_GET(self) -> None:
        served = self.server_of
        served.asked.append({key.lower(): value for key, value in self.headers.items()})
        if self.path == "/elsewhere":
            self.plain(served.body)
        else:
            getattr(self, served.how)(served.body)

    def plain(self, body: bytes) -> None:
        self._begin(200, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def validated(self, body: bytes) -> None:
        """With an ETag, and 304 for who has it."""
        tag = f'"{hash_of(body)}"'
        if self.headers.get("If-None-Match") == tag:
            self._begin(304, {"ETag": tag})
            return
        self._begin(200, {"ETag": tag, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def dated(self, body: bytes) -> None:
        """With Last-Modified, and 304 for who has it."""
        date = "Wed, 01 Apr 2026 00:00:00 GMT"
        if self.headers.get("If-Modified-Since") == date:
            self._begin(304, {})
            return
        self._begin(200, {"Last-Modified": date, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def compressed(self, body: bytes) -> None:
        packed = gzip.compress(body)
        self._begin(200, {"Content-Encoding": "gzip", "Content-Length": str(len(packed))})
        self.wfile.write(packed)

    def slow(self, body: bytes) -> None:
        """Octet by octet, in chunks."""
        self._begin(200, {"Transfer-Encoding": "chunked"})
        for at in range(0, len(body), 97):
            part = body[at : at + 97]
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def cut_chunks(self, body: bytes) -> None:
        """Chunks, and the connection gone before the last."""
        self._begin(200, {"Transfer-Encoding": "chunked"})
        self.wfile.write(f"{len(body) // 2:x}\r\n".encode() + body[: len(body) // 2] + b"\r\n")
        self.close_connection = True

    def truncated(self, body: bytes) -> None:
        """Fewer octets than announced."""
        self._begin(200, {"Content-Length": str(len(body))})
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def unannounced(self, body: bytes) -> None:
        """Nothing says where it ends."""
        self._begin(200, {"Connection": "close"})
        self.wfile.write(body)
        self.close_connection = True

    def moved(self, _: bytes) -> None:
        self._begin(302, {"Location": "/elsewhere", "Content-Length": "0"})

    def broken(self, _: bytes) -> None:
        self._begin(500, {"Content-Length": "0"})

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def hash_of(body: bytes) -> str:
    return f"{len(body)}-{sum(body)}"


@contextmanager
def serving() -> Iterator[Server]:
    """The server, on a free port of this machine."""
    served = Server()
    handler = type("Handler", (_Handler,), {"server_of": served})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.address = f"http://127.0.0.1:{http.server_port}/liste.json"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
