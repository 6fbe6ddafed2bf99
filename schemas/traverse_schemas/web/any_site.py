"""Lets the scripts of any site read what anybody may read (CORS, in the Fetch standard).

Without credentials: a browser sends no cookie of ours along, and no key, which has no place in a
page that everybody sees.
"""

from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_DAY: Final = 24 * 3600


class AnySiteReads(CORSMiddleware):
    """A middleware, outside of all that answers: what is refused is read too."""

    def __init__(self, app: ASGIApp, paths: tuple[str, ...]) -> None:
        """Around `app`, for what is read under these `paths`."""
        super().__init__(
            app,
            allow_origins=("*",),
            allow_methods=("GET", "HEAD"),
            allow_headers=("Last-Event-ID",),
            expose_headers=("ETag", "Link", "Location", "Retry-After", "Server-Timing"),
            max_age=_DAY,
        )
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        public = scope["type"] == "http" and scope["path"].startswith(self._paths)
        await (super().__call__ if public else self.app)(scope, receive, send)
