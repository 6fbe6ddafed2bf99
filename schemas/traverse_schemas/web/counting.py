"""Counts every answer of a service by route and status, at the border of the application.

Plain ASGI, so that both services can use it and the SDK needs no web framework.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class CountAnswers:
    """A middleware: it looks at the start of the answer and buffers nothing."""

    def __init__(self, app: _App, count: Callable[[str, int], None]) -> None:
        """Around `app`; `count` is called with the route's path and the status."""
        self._app = app
        self._count = count

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: _Message) -> None:
            if message["type"] == "http.response.start":
                # The router has written the route by now; an unknown address has none.
                path = getattr(scope.get("route"), "path", "other")
                self._count(path, message["status"])
            await send(message)

        await self._app(scope, receive, counted)
