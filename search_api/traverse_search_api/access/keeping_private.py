"""What is answered to somebody is kept by nobody else: no shared cache, at the border.

RFC 9111: an answer to a request with Authorization may be kept by a shared cache when it says so,
and one to a request with a cookie unless it says not. Here neither may, and what anybody is
answered is told apart from it (`Vary`).
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TELLING: Final = ("authorization", "cookie")
_FOR_ALL: Final = ("/static/", "/carte/")
_OCTETS: Final = frozenset(name.encode() for name in _TELLING)


def is_personal(scope: Scope) -> bool:
    """Whether an HTTP request says who asks, and what it asks for is not the same for everybody."""
    told = any(name in _OCTETS for name, _ in scope["headers"])
    return told and not scope["path"].startswith(_FOR_ALL)


class KeepPrivate:
    """A plain ASGI middleware: it looks at the headers of request and answer and buffers
    nothing."""

    def __init__(self, app: ASGIApp) -> None:
        """Around `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        personal = is_personal(scope)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in _TELLING:
                    headers.add_vary_header(name)
                if personal:
                    headers["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, marked)
