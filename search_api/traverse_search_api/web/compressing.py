"""Pages go out compressed, to those who ask for it: the lines of a village or of a phone are slow.

Not what is answered to somebody: a secret of theirs in a page that also repeats what was asked for
could be guessed from the page's compressed length (the attack named BREACH). Not what programs
read: they would pay with time for octets that cost them little, and a stream must not wait.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from traverse_search_api.access.keeping_private import is_personal

_APART: Final = ("/v1/", "/metrics", "/healthz", "/readyz", "/abonnement/", "/desabonnement/")
"""What programs read, and what is answered to who knows a secret address."""
_LEAST: Final = 1000  # octets
_LEVEL: Final = 5


class CompressPages:
    """A plain ASGI middleware: what anybody would be answered goes through gzip (RFC 9110, 8.4)."""

    def __init__(self, app: ASGIApp) -> None:
        """Around `app`."""
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=_LEAST, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        plain = (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or scope["path"].startswith(_APART)
            or is_personal(scope)
        )
        if plain:
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("accept-encoding")
                etag = headers.get("etag", "")
                if "content-encoding" in headers and etag.startswith('"'):
                    # The same content, other octets (RFC 9110, 8.8.1): no part of one goes on
                    # after a part of the other.
                    headers["etag"] = f"W/{etag}"
            await send(message)

        await self._compressing(scope, receive, told)
