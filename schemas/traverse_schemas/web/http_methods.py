"""HEAD wherever there is GET, and what an address takes (RFC 9110, 9.3.2, 10.2.1, 15.5.6)."""

import asyncio
from collections.abc import Iterable
from typing import Final

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def allowed(routes: Iterable[BaseRoute], scope: Scope) -> str:
    """The methods that the address of a request takes, for `Allow`; HEAD goes with GET."""
    found = {
        method
        for route in routes
        for method in _METHODS
        if route.matches({**scope, "method": method})[0] is Match.FULL
    }
    if "GET" in found:
        found.add("HEAD")
    return ", ".join(method for method in _METHODS if method in found)


def refused_method(routes: Iterable[BaseRoute], scope: Scope) -> tuple[str, str]:
    """Of a request whose address does not take its method: the sentence that says so, and what
    `Allow` says."""
    takes = allowed(routes, scope)
    return f"Cette adresse ne prend pas {scope['method'][:20]}, mais {takes}.", takes


class AnswerHead:
    """A middleware: to HEAD, the headers of what GET answers. What would have been written stops
    there, a file or a stream without end too: its reader has all that it asked for."""

    def __init__(self, app: ASGIApp) -> None:
        """Around `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        told = asyncio.Event()

        async def headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                told.set()
            else:
                await asyncio.sleep(0)  # who writes on hears meanwhile that its reader went

        asked = False

        async def nothing_then_gone() -> Message:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await told.wait()
            return {"type": "http.disconnect"}

        await self._app({**scope, "method": "GET"}, nothing_then_gone, headers)
