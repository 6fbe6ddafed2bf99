"""`POST /v1/events`: from a request to the answer, around `Intake`."""

import asyncio
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from fastapi import APIRouter, Request, Response

from traverse_producers.gateway.access import ON_BEHALF_OF, Access, Caller
from traverse_producers.gateway.answers import Item, receipt_of, status_of
from traverse_producers.gateway.body import BodyReader
from traverse_producers.gateway.deprecation import deprecation_headers
from traverse_producers.gateway.http_binding import mode_of, pieces_of
from traverse_producers.gateway.intake import Intake, Sayable
from traverse_producers.gateway.metrics import Metrics
from traverse_producers.gateway.openapi import (
    DEPRECATION,
    EVENTS_BODY,
    SECURITY,
    answer,
    problems,
)
from traverse_producers.gateway.problems import as_json, none_accepted
from traverse_producers.gateway.rates import Rates
from traverse_producers.receipts.desk import Desk
from traverse_producers.receipts.streaks import slowed_rate
from traverse_schemas.registry.institutions import Scope

# Octets judged at once (some 3 ms); more go to a thread, so that others are served, and signatures,
# which hold no lock, are made on another core.
SHORT = 32 * 1024
_THREADS = 2
_FRESH = 5.0  # seconds for which it stays known how much of an institution's was refused

Result = TypeVar("Result")


class Entrance:
    """What every request that publishes passes: the key, the rate, the body."""

    def __init__(self, access: Access, rates: Rates, reader: BodyReader, desk: Desk) -> None:
        self._access = access
        self._desk = desk
        self.rates = rates
        self.reader = reader
        self._threads = asyncio.Semaphore(_THREADS)
        self._failing: dict[str, tuple[float, int]] = {}

    async def caller(self, request: Request) -> Caller:
        """Who publishes, if more may come from there; slowed down while all it sends is refused.
        Raises UnknownKeyError, ForbiddenError, RegistryUnreadError, TooFastError."""
        caller = self._access.caller(
            request.headers.get("authorization"),
            Scope.PUBLISH,
            on_behalf=request.headers.get(ON_BEHALF_OF),
        )
        failed = await self._failed(caller.siren)
        rate = slowed_rate(caller.rate or self.rates.usual, failed)
        self.rates.check(caller.siren, rate)
        return caller._replace(rate=rate)

    async def _failed(self, siren: str) -> int:
        """How many of its last verified events were refused in a row, as of a moment ago."""
        asked, failed = self._failing.get(siren, (-_FRESH, 0))
        if monotonic() - asked >= _FRESH:
            failed = await asyncio.to_thread(self._desk.failing, siren)
            self._failing[siren] = (monotonic(), failed)
        return failed

    async def work(self, octets: int, compute: Callable[[], Result]) -> Result:
        """Compute what a body of so many octets asks for: here, or in a thread when it is long."""
        if octets <= SHORT:
            return compute()
        async with self._threads:
            return await asyncio.to_thread(compute)


def router(entrance: Entrance, intake: Intake, metrics: Metrics, most_events: int) -> APIRouter:
    """The routes for events."""
    routes = APIRouter(tags=["publier"])

    @routes.post(
        "/v1/events",
        status_code=202,
        openapi_extra={**EVENTS_BODY, **SECURITY},
        responses={
            202: answer("Receipt", "Tous les événements sont reçus, durablement.") | DEPRECATION,
            207: answer("Receipt", "Certains le sont : voyez chacun.") | DEPRECATION,
            **problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
        },
    )
    async def publish(request: Request) -> Response:
        """Publie des événements CloudEvents : un (structuré ou binaire), un lot, ou un par ligne.

        La réponse dit, dans l'ordre de l'envoi, ce qu'il est advenu de chacun. Ce qui est reçu
        (202) est durable ; renvoyer un événement avec le même identifiant ne compte qu'une fois.
        """
        caller = await entrance.caller(request)
        headers = request.headers.raw
        mode = mode_of(headers)
        with entrance.reader.room() as body:
            octets = await body.read(request)

            def judge() -> list[Item | Sayable]:
                pieces = pieces_of(mode, headers, octets, most_events)
                entrance.rates.count(caller.siren, caller.rate, len(pieces))
                return intake.judge(pieces, caller)

            judged = await entrance.work(len(octets), judge)
            with metrics.write_seconds.time():
                items = await intake.write(judged, caller)
        return answer_of(items, metrics, deprecation_headers(intake.endings(judged)))

    return routes


def answer_of(
    items: list[Item], metrics: Metrics, headers: dict[str, str] | None = None
) -> Response:
    """The answer for a request's events."""
    count(items, metrics)
    status = status_of(items)
    if status not in (202, 207):
        return none_accepted(status, items)
    return Response(as_json(receipt_of(items)), status, headers, media_type="application/json")


def count(items: list[Item], metrics: Metrics) -> None:
    """Count what became of events."""
    for status, many in Counter(item.status for item in items).items():
        metrics.events.labels(status).inc(many)
    for reason, many in Counter(item.reason for item in items if item.reason is not None).items():
        metrics.reasons.labels(reason).inc(many)
