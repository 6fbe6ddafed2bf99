"""`POST /v1/events`: from a request to the answer, around `Intake`."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Request, Response

from traverse_producers.gateway.access import Caller, Registry, key_of
from traverse_producers.gateway.answers import Item, receipt_of, status_of
from traverse_producers.gateway.body import BodyReader
from traverse_producers.gateway.http_binding import mode_of, pieces_of
from traverse_producers.gateway.intake import Intake
from traverse_producers.gateway.metrics import Metrics
from traverse_producers.gateway.openapi import EVENTS_BODY, SECURITY, answer, problems
from traverse_producers.gateway.problems import as_json, none_accepted
from traverse_producers.gateway.rates import Rates

_SHORT = 64 * 1024  # octets that are judged at once; more go to a thread, so that others are served
_THREADS = 2

Result = TypeVar("Result")


class Entrance:
    """What every request that publishes passes: the key, the rate, the body."""

    def __init__(self, registry: Registry, rates: Rates, reader: BodyReader) -> None:
        self._registry = registry
        self.rates = rates
        self.reader = reader
        self._threads = asyncio.Semaphore(_THREADS)

    def caller(self, request: Request) -> Caller:
        """Who calls, if more may come from there. Raises UnknownKeyError, ForbiddenError,
        TooFastError."""
        caller = self._registry.caller_of(key_of(request.headers.get("authorization")))
        self.rates.check(caller.siren, caller.rate)
        return caller

    async def work(self, octets: int, compute: Callable[[], Result]) -> Result:
        """Compute what a body of so many octets asks for: here, or in a thread when it is long."""
        if octets <= _SHORT:
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
            202: answer("Receipt", "Tous les événements sont reçus, durablement."),
            207: answer("Receipt", "Certains le sont : voyez chacun."),
            **problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
        },
    )
    async def publish(request: Request) -> Response:
        """Publie des événements CloudEvents : un (structuré ou binaire), un lot, ou un par ligne.

        La réponse dit, dans l'ordre de l'envoi, ce qu'il est advenu de chacun. Ce qui est reçu
        (202) est durable ; renvoyer un événement avec le même identifiant ne compte qu'une fois.
        """
        caller = entrance.caller(request)
        headers = request.headers.raw
        mode = mode_of(headers)
        with entrance.reader.room() as body:
            octets = await body.read(request)
            pieces = await entrance.work(
                len(octets), lambda: pieces_of(mode, headers, octets, most_events)
            )
            entrance.rates.count(caller.siren, caller.rate, len(pieces))
            judged = await entrance.work(len(octets), lambda: intake.judge(pieces, caller))
            with metrics.write_seconds.time():
                items = await intake.write(judged)
        return answer_of(items, metrics)

    return routes


def answer_of(items: list[Item], metrics: Metrics) -> Response:
    """The answer for a request's events."""
    count(items, metrics)
    status = status_of(items)
    if status not in (202, 207):
        return none_accepted(status, items)
    return Response(as_json(receipt_of(items)), status, media_type="application/json")


def count(items: list[Item], metrics: Metrics) -> None:
    """Count what became of events."""
    for item in items:
        metrics.events.labels(item.status).inc()
        if item.reason is not None:
            metrics.reasons.labels(item.reason).inc()
