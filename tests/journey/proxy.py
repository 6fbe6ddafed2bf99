"""A small HTTP proxy in front of Elasticsearch that can answer in its place."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, web

_HOP = {"transfer-encoding", "content-length", "content-encoding", "connection", "host"}
_TAKES = 100 * 1024 * 1024
"""What Elasticsearch takes of one request by default (`http.max_content_length`), in octets."""


@dataclass
class Answer:
    """What is said instead of what Elasticsearch would say."""

    status: int
    body: bytes = b'{"error": {"type": "stub", "reason": "stub"}}'
    content_type: str = "application/json"


@dataclass
class Proxy:
    """`instead` is asked for each bulk: an answer of its own, or None to pass it on."""

    upstream: str
    instead: Callable[[bytes], Answer | None] = lambda _: None
    bulks: list[bytes] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path.endswith("/_bulk"):
            self.bulks.append(body)
            said = self.instead(body)
            if said is not None:
                headers = {"x-elastic-product": "Elasticsearch", "content-type": said.content_type}
                return web.Response(status=said.status, body=said.body, headers=headers)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        async with (
            ClientSession(auto_decompress=True) as session,
            session.request(
                request.method, f"{self.upstream}{request.path_qs}", data=body, headers=headers
            ) as answer,
        ):
            passed = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=passed)


@contextmanager
def proxying(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in a thread of its own; `url` says where."""
    proxy = Proxy(upstream)
    loop = asyncio.new_event_loop()
    app = web.Application(client_max_size=_TAKES)
    app.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(app)

    async def begin() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
