"""How often one may ask: each key, and each address that gives none. In memory, for one process.

A sliding minute. An address of IPv6 counts with its network of 64 bits, which is what one
subscriber has. Behind a proxy, addresses are those that the proxies of the operator tell
(`TRAVERSE_TRUSTED_PROXIES`); what anybody else tells of an address is not believed.
"""

import time
from collections.abc import Callable
from math import ceil
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from traverse_schemas.web.networks import network_of
from traverse_search_api.access.reader import Reader
from traverse_search_api.errors import TooManyRequestsError
from traverse_search_api.web.problems import problem

_UNCOUNTED: Final = ("/healthz", "/readyz", "/metrics", "/static/")


class Rates:
    """Counts requests by whom they come from."""

    def __init__(self, per_address: int, per_key: int) -> None:
        """Requests a minute."""
        self._address = RateLimitItemPerMinute(per_address, namespace="address")
        self._key = RateLimitItemPerMinute(per_key, namespace="key")
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, address: str, siren: str) -> None:
        """Count a request of an institution's key, or of an address ("" for no institution).

        Raises TooManyRequestsError, which says when to come back.
        """
        item, name = (self._key, siren) if siren else (self._address, network_of(address))
        if not self._limiter.hit(item, name):
            reset = self._limiter.get_window_stats(item, name).reset_time
            raise TooManyRequestsError(item.amount, max(1, ceil(reset - time.time())))


def address_of(request: HTTPConnection) -> str:
    """Where a request comes from, as the server knows it; "" where it does not."""
    return request.client.host if request.client else ""


def caller_of(reader: Reader, address: str) -> str:
    """Who asks, for what is counted by caller: an institution, or an address's network."""
    return f"key {reader.siren}" if reader.is_member else network_of(address)


class LimitRates:
    """A plain ASGI middleware: it looks at the start of a request and buffers nothing."""

    def __init__(
        self,
        app: ASGIApp,
        rates: Rates,
        key_of: Callable[[HTTPConnection], str],
        shown: Callable[[Request, Response], Response] = lambda _, answer: answer,
    ) -> None:
        """`key_of` gives the institution whose valid key a request carries, "" without one;
        `shown` may answer people by a page what programs are answered."""
        self._app = app
        self._rates = rates
        self._key_of = key_of
        self._shown = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and not scope["path"].startswith(_UNCOUNTED):
            request = Request(scope)
            try:
                self._rates.count(address_of(request), self._key_of(request))
            except TooManyRequestsError as error:
                headers = {"Retry-After": str(error.retry_after)}
                answer = problem(error.status, error.title, str(error), headers)
                await self._shown(request, answer)(scope, receive, send)
                return
        await self._app(scope, receive, send)
