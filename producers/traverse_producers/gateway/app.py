"""The gateway put together: one function a router, over parts that know no HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import orjson
from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.responses import PlainTextResponse

from traverse_producers.gateway import (
    administration,
    asyncapi,
    openapi,
    problems,
    publish_events,
    publish_records,
)
from traverse_producers.gateway.access import ON_BEHALF_OF, Access, Caller
from traverse_producers.gateway.body import BodyReader, Memory
from traverse_producers.gateway.deprecation import deprecation_headers
from traverse_producers.gateway.errors import LogAwayError
from traverse_producers.gateway.http_binding import Piece
from traverse_producers.gateway.intake import Intake
from traverse_producers.gateway.journal import Journal
from traverse_producers.gateway.metrics import Metrics
from traverse_producers.gateway.publish_events import Entrance, answer_of
from traverse_producers.gateway.quotas import DayQuotas, yesterday
from traverse_producers.gateway.rates import Rates
from traverse_producers.gateway.record_book import RecordBook
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.gateway.vocabulary import endings_of, schema_of, schemas
from traverse_producers.gateway.vouching import Vouching
from traverse_producers.receipts.desk import Desk, Replay
from traverse_producers.receipts.follow import Follower
from traverse_producers.receipts.router import receipts_router
from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.log.compacted_table import TableLog
from traverse_schemas.log.compacted_topic import KafkaTableLog
from traverse_schemas.log.topics import MAX_EVENT_BYTES, QUOTAS
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institutions import Scope
from traverse_schemas.registry.membership import Table
from traverse_schemas.registry.registry import Registry
from traverse_schemas.signing.signatures import Signer
from traverse_schemas.web.any_site import AnySiteReads
from traverse_schemas.web.counting import CountAnswers
from traverse_schemas.web.http_methods import AnswerHead

_READY = b'{"status":"ok","kafka":"connected"}'
_SPOOLING = b'{"status":"ok","kafka":"away"}'


class _SchemaResponse(Response):
    media_type = "application/schema+json"


def create_app(
    settings: GatewaySettings,
    *,
    journal: Journal | SpooledJournal,
    registry: Registry,
    follow: Follower,
    members: Table | None = None,
    signer: Signer | None = None,
    clock: Clock | None = None,
    claims: TableLog | None = None,
) -> FastAPI:
    """The service as an ASGI application; `signer` has the gateway's own key, `members` is the
    table under the registry, where administrators may change it here, `claims` the log of what was
    taken of quotas, Kafka's when there is none.

    It starts the journal, and closes it at the end; the registry and the follower of receipts are
    the caller's to start and to close.
    """
    clock = clock or SystemClock()
    metrics = Metrics()
    metrics.watch(lambda: journal.connected)
    signed = settings.signatures == "required"
    access = Access(registry, clock, signatures=signed)
    desk = Desk(follow, settings.kafka)
    reader = BodyReader(
        Memory(settings.gateway_memory_octets),
        octets=settings.gateway_body_octets,
        seconds=settings.gateway_body_seconds,
    )
    rates = Rates(settings.gateway_rate, gateways=settings.gateway_count)
    entrance = Entrance(access, rates, reader, desk)
    vouching = Vouching(registry, signer, required=signed)
    quotas = DayQuotas(
        claims
        or KafkaTableLog(settings.kafka, QUOTAS, since=lambda: yesterday(clock.now()).timestamp()),
        clock,
        patience=settings.gateway_kafka_timeout,
        gateways=settings.gateway_count,
    )
    intake = Intake(
        journal,
        vouching,
        Territories.load(),
        clock,
        quotas,
        patience=settings.gateway_kafka_timeout,
    )
    book = RecordBook(settings.home / "gateway" / "records.sqlite3")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        journal.start()
        quotas.start()
        yield
        await journal.close()
        book.close()
        await asyncio.to_thread(quotas.close)

    app = FastAPI(
        title="Traverse : passerelle",
        summary="Publier les projets, appels et besoins d'une institution, par HTTP.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    problems.install(app)
    app.add_middleware(CountAnswers, count=metrics.count_answer)
    app.add_middleware(AnswerHead)
    app.add_middleware(AnySiteReads, paths=("/v1/schemas", "/openapi.json", "/asyncapi.json"))
    app.include_router(
        publish_events.router(entrance, intake, metrics, settings.gateway_batch_events)
    )
    app.include_router(publish_records.router(entrance, intake, metrics, book, clock))
    app.include_router(
        _receipts(entrance, access, intake, vouching, metrics=metrics, desk=desk),
        responses=openapi.problems(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
    )
    if members is not None:
        app.include_router(administration.router(access, reader, members, clock))
    app.include_router(_vocabulary(settings.kafka))
    app.include_router(
        _operation(journal, access, metrics, lambda: vouching.check_key(clock.now()))
    )
    return app


def _receipts(
    entrance: Entrance,
    access: Access,
    intake: Intake,
    vouching: Vouching,
    *,
    metrics: Metrics,
    desk: Desk,
) -> APIRouter:
    """Whoever may publish or read for an institution may follow what it published; to replay is
    to publish."""

    def reader_of(request: Request) -> str:
        authorization = request.headers.get("authorization")
        on_behalf = request.headers.get(ON_BEHALF_OF)
        return access.caller(authorization, Scope.PUBLISH, Scope.READ, on_behalf=on_behalf).siren

    async def body_of(request: Request) -> bytes:
        with entrance.reader.room(MAX_EVENT_BYTES) as body:
            return await body.read(request)

    async def publish(caller: Caller, said: Replay, given: bytes | None) -> Response:
        entrance.rates.count(caller.siren, caller.rate, 1)
        # What an institution signed itself goes on as its own word.
        own = given or (None if vouching.signs_for(caller.siren) else said.signature)
        judged = intake.judge([Piece(said.octets, signature=own)], caller)
        items = await intake.write(judged, caller)
        return answer_of(items, metrics)

    return receipts_router(lambda: desk, reader_of, entrance.caller, publish, body_of)


def _vocabulary(kafka: str) -> APIRouter:
    routes = APIRouter(tags=["schémas"])

    @routes.get("/v1/schemas")
    async def listed() -> Response:
        """Les schémas acceptés, avec leur adresse."""
        found = [
            {**each.said(), "url": f"/v1/schemas/{each.name}/{each.version}"} for each in schemas()
        ]
        return _json(orjson.dumps({"schemas": found}))

    @routes.get(
        "/v1/schemas/{kind}/{version}",
        responses={200: openapi.DEPRECATION, **openapi.problems(404, 422)},
        response_class=_SchemaResponse,
    )
    async def one(
        kind: Annotated[str, Path(description="Comme call.published ; ou call, pour tous.")],
        version: Annotated[str, Path(description="Comme v1.")],
    ) -> Response:
        """Un schéma (JSON Schema 2020-12) : d'un type d'événement, ou de tous ceux d'un genre."""
        headers = deprecation_headers(endings_of(kind, version))
        return _SchemaResponse(orjson.dumps(schema_of(kind, version)), headers=headers)

    @routes.get("/asyncapi.json")
    async def topics() -> Response:
        """Les topics où l'on publie et s'abonne (AsyncAPI 3.0)."""
        return _json(asyncapi.octets(kafka))

    return routes


def _operation(
    journal: Journal | SpooledJournal,
    access: Access,
    metrics: Metrics,
    check_key: Callable[[], None],
) -> APIRouter:
    routes = APIRouter(tags=["exploitation"])

    @routes.get("/healthz")
    async def health() -> Response:
        """Le service est en marche."""
        return _json(b'{"status":"ok"}')

    @routes.get("/readyz", responses=openapi.problems(503))
    async def ready() -> Response:
        """Le service peut publier : le registre est lu, la clé de la passerelle y vaut, et Kafka
        répond (`kafka` : `connected`) ou le disque prend ce qui vient en attendant (`kafka` :
        `away`)."""
        if not (access.ready and await journal.answers()):
            raise LogAwayError
        check_key()
        return _json(_READY if journal.connected else _SPOOLING)

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def measures() -> Response:
        """Les mesures du service, pour Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
