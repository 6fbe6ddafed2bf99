"""The search service: its routes, each a few lines over `search.Searcher`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Annotated

import orjson
from elasticsearch import AsyncElasticsearch
from fastapi import FastAPI, Path, Query, Request, Response

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.topics import ACCEPTED, CHANGES
from traverse_schemas.read_settings import read_settings
from traverse_schemas.registry.registry import FixedRegistry, Registry
from traverse_schemas.web.any_site import AnySiteReads
from traverse_schemas.web.counting import CountAnswers
from traverse_schemas.web.http_methods import AnswerHead
from traverse_search_api.access.keeping_private import KeepPrivate
from traverse_search_api.access.rates import LimitRates, Rates
from traverse_search_api.access.ways import ApiKeys, Readers, Visitors, Way
from traverse_search_api.accounts.staff import Staff
from traverse_search_api.alerts.book import SubscriptionBook
from traverse_search_api.alerts.install import install_alerts, open_book
from traverse_search_api.alerts.outside import Outside
from traverse_search_api.answers.answer_schema import (
    DETAIL,
    GROUPING,
    GROUPINGS,
    MERGED,
    SEARCH,
    answers,
)
from traverse_search_api.beside.routes import beside_router
from traverse_search_api.beside.suggestions import prepare_places
from traverse_search_api.changes.change_log import ChangeLog
from traverse_search_api.engines.elasticsearch_client import Index, Indices, connect
from traverse_search_api.engines.line import PATIENCE
from traverse_search_api.engines.spent import spending
from traverse_search_api.exports.places import Places
from traverse_search_api.exports.routes import Exporter, export_router
from traverse_search_api.filters.zones import load_territories
from traverse_search_api.groupings import groupings as grouping_view
from traverse_search_api.groupings.groupings import GroupingParameters, GroupingRows
from traverse_search_api.groupings.read import read_grouping
from traverse_search_api.groupings.table import GroupingTable
from traverse_search_api.history.accepted_log import AcceptedLog
from traverse_search_api.history.routes import history_router
from traverse_search_api.institutions.freshness import Freshness
from traverse_search_api.institutions.readership import Readership, readership_table
from traverse_search_api.institutions.showcases import Showcases, showcases_table
from traverse_search_api.metrics import Metrics
from traverse_search_api.pages import routes as pages
from traverse_search_api.pages.excuses import for_people, install_excuses
from traverse_search_api.pages.files_routes import files_router
from traverse_search_api.pages.reading import Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.showcase_routes import Framing
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.permanences.desk import PermanenceDesk
from traverse_search_api.permanences.held import Calendars
from traverse_search_api.permanences.published import PublishedCalendars, published_table
from traverse_search_api.permanences.routes import permanence_router
from traverse_search_api.query.paging import Snapshots
from traverse_search_api.search import Searcher
from traverse_search_api.settings import SearchSettings
from traverse_search_api.stream.hub import Hub, StreamLimits
from traverse_search_api.stream.routes import stream_router
from traverse_search_api.understanding.place_names import prepare_names
from traverse_search_api.web import problems
from traverse_search_api.web.compressing import CompressPages
from traverse_search_api.web.description import PROBLEMS, AsOf, Identifier, describe, operation_name
from traverse_search_api.web.query_string import described, read_query
from traverse_search_api.words.synonym_book import SynonymBook


def create_app(
    settings: SearchSettings | None = None,
    *,
    registry: Registry | None = None,
    client: AsyncElasticsearch | None = None,
    clock: Clock | None = None,
    present: Clock | None = None,
    aliases: Mapping[str, str] = ALIASES,
    changes: str = CHANGES,
    accepted: str = ACCEPTED,
    staff: Staff | None = None,
    groupings: GroupingRows | None = None,
    subscriptions: SubscriptionBook | None = None,
    readership: Readership | None = None,
    showcases: Showcases | None = None,
    permanences: PublishedCalendars | None = None,
) -> FastAPI:
    """The service as an ASGI application.

    Everything comes from the environment, but who may read: without `staff` nobody signs in, and
    without a `registry` (that of the staff, else one that is the caller's to start and to close)
    nobody is a member. `staff` is started and closed here. A `client` that is passed in serves
    anybody and members, and stays the caller's to close; other `aliases` and topics are for
    tests that share the engines. Dates are judged from `clock`, keys from
    `present`. Raises InvalidClockError when TRAVERSE_AS_OF is no date, InvalidSettingError.
    """
    settings = settings or read_settings(SearchSettings)
    public = client or connect(settings.elasticsearch, settings.search_timeout)
    members = client or connect(settings.elasticsearch, settings.search_timeout, members=True)
    indices = Indices(public, members, aliases, settings.search_patience, settings.searches_at_once)
    registry = registry or (staff.registry if staff else FixedRegistry())
    keys = ApiKeys(registry, present or SystemClock())
    ways: list[Way] = [keys, *([Visitors(staff.visits)] if staff else [])]
    readers = Readers(*ways)
    territories = load_territories(settings.zones)
    prepare_names(territories)
    prepare_places(territories)
    searcher = Searcher(
        indices=indices,
        snapshots=Snapshots(lifetime=60 * settings.cursor_minutes),
        territories=territories,
        clock=clock or settings.clock,
        cursor_key=settings.cursor_key.get_secret_value().encode(),
        keep_alive=f"{settings.cursor_minutes}m",
        synonyms=SynonymBook(settings.synonyms),
        freshness=Freshness(lambda reader, body: indices.of(reader).search(body)),
        longest=settings.search_timeout + PATIENCE,
    )

    metrics = Metrics()
    hub = Hub(
        live=ChangeLog(settings.kafka, changes),
        past=ChangeLog(settings.kafka, changes),
        indices=indices,
        territories=searcher.territories,
        synonyms=searcher.synonyms,
        clock=searcher.clock,
        key=searcher.cursor_key,
        metrics=metrics,
        limits=StreamLimits(
            settings.streams,
            settings.streams_per_address,
            settings.streams_per_key,
            settings.stream_heartbeat,
        ),
    )

    calendars = Calendars(
        registry,
        permanences or PublishedCalendars(published_table(settings.kafka)),
        Outside(private=settings.webhook_private),
        searcher.territories,
        present or SystemClock(),
    )
    rows = groupings or GroupingTable(settings.kafka)
    book = subscriptions or open_book(settings)
    showcases = showcases or Showcases(showcases_table(settings.kafka))
    readership = readership or Readership(
        readership_table(settings.kafka), present or SystemClock()
    )

    log = AcceptedLog(settings.kafka, settings.home / "search", accepted)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if staff is not None:
            staff.start()
        calendars.start()
        readership.start()
        yield
        await calendars.close()
        await hub.close()
        await readership.close()
        await log.close()
        if staff is not None:
            await staff.close()
        for close in (rows.close, book.close, showcases.close):
            await asyncio.to_thread(close)
        if client is None:
            await public.close()
            await members.close()

    app = FastAPI(
        title="Traverse : recherche",
        summary="Une vue mutualisée des projets, appels et besoins des institutions.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_name,
    )
    problems.install(app)
    # Before /v1/opportunities/{identifier}: their addresses look like one.
    app.include_router(beside_router(searcher, readers, PROBLEMS))
    exporter = _add_exports(app, searcher, readers, settings)
    _add_search(app, searcher, readers, metrics, readership)
    app.include_router(history_router(searcher, log, readers, PROBLEMS))
    app.include_router(stream_router(hub, readers, PROBLEMS))
    _add_groupings(app, searcher, readers, rows)
    _add_operation(app, indices.public, metrics)
    render = pages.install(
        app,
        Readings(searcher, readers, rows),
        log,
        calendars,
        staff,
        _add_permanences(app, calendars, staff, keys),
        readership,
        _framing(settings, showcases, registry, present or SystemClock()),
    )
    if staff is not None:
        _add_own(app, book, exporter, staff, render, settings)
    _guard(app, Rates(settings.address_rate, settings.key_rate), keys, metrics, render)
    return app


def _add_exports(
    app: FastAPI, searcher: Searcher, readers: Readers, settings: SearchSettings
) -> Exporter:
    exporter = Exporter(searcher, readers, settings.public_address, Places())
    app.include_router(export_router(exporter, PROBLEMS))
    return exporter


def _add_own(  # noqa: PLR0917 -- each part is of another type
    app: FastAPI,
    book: SubscriptionBook,
    exporter: Exporter,
    staff: Staff,
    render: Renderer,
    settings: SearchSettings,
) -> None:
    """What who has signed in takes away of a search, and has sent."""
    app.include_router(files_router(exporter, staff.visits, render))
    install_alerts(
        app, book, searcher=exporter.searcher, readers=exporter.readers, staff=staff, render=render,
        settings=settings, problems=PROBLEMS,
    )  # fmt: skip


def _add_permanences(
    app: FastAPI, calendars: Calendars, staff: Staff | None, keys: ApiKeys
) -> PermanenceDesk | None:
    """Where institutions publish theirs; nowhere without an audit of who does."""
    if staff is None:
        return None
    desk = PermanenceDesk(
        calendars.published, staff.audit, calendars.territories, calendars.present
    )
    app.include_router(permanence_router(desk, keys, PROBLEMS))
    return desk


def _framing(
    settings: SearchSettings, showcases: Showcases, registry: Registry, clock: Clock
) -> Framing:
    def is_member(siren: str) -> bool:
        found = registry.view().get(siren)
        return found is not None and found.active(clock.now())

    return Framing(settings.showcase_origins, showcases, is_member, settings.public_address)


def _guard(app: FastAPI, rates: Rates, keys: ApiKeys, metrics: Metrics, render: Renderer) -> None:
    """What goes around every route: errors for people, short pages, limits, counts, no shared
    cache, and whose scripts may read."""
    describe(app)
    install_excuses(app, render)
    app.add_middleware(CompressPages)
    app.add_middleware(
        LimitRates,
        rates=rates,
        key_of=keys.key_of,
        shown=lambda request, answer: for_people(request, answer, render),
    )
    app.add_middleware(CountAnswers, count=metrics.count_answer)
    app.add_middleware(KeepPrivate)
    app.add_middleware(AnswerHead)
    app.add_middleware(AnySiteReads, paths=("/v1/", "/openapi.json"))


def _add_search(
    app: FastAPI, searcher: Searcher, readers: Readers, metrics: Metrics, readership: Readership
) -> None:
    @app.get(
        "/v1/opportunities",
        responses={**PROBLEMS, **answers(SEARCH, "Ce qui a été trouvé, et ce qui a été fait.")},
        response_class=Response,
        tags=["recherche"],
        openapi_extra=described(SearchParameters),
    )
    async def search(request: Request) -> Response:
        """Cherche parmi les publications de toutes les institutions."""
        with spending() as spent:
            reader = readers.of(request)
            parameters = read_query(request, SearchParameters)
            answer = await searcher.search(parameters, reader)
            content = orjson.dumps(answer)
        metrics.seconds.observe(perf_counter() - spent.begun)
        metrics.engine_seconds.observe(spent.engine / 1000)
        if not answer["items"]:
            metrics.empty.inc()
        return _json(content, {"Server-Timing": spent.header()})

    @app.get(
        "/v1/opportunities/{identifier}",
        responses={**MERGED, **PROBLEMS, **answers(DETAIL, "La publication, entière.")},
        response_class=Response,
        tags=["recherche"],
    )
    async def detail(request: Request, identifier: Identifier, as_of: AsOf = None) -> Response:
        """Une publication entière, avec son statut à la date demandée."""
        reader = readers.of(request)
        document = await searcher.detail(identifier, as_of, reader)
        readership.read(document, reader)
        return _json(orjson.dumps(document))


def _add_groupings(app: FastAPI, searcher: Searcher, readers: Readers, rows: GroupingRows) -> None:
    @app.get(
        "/v1/groupings",
        responses={**PROBLEMS, **answers(GROUPINGS, "Les groupements, le plus pressé d’abord.")},
        response_class=Response,
        tags=["recherche"],
    )
    async def groupings(
        request: Request, parameters: Annotated[GroupingParameters, Query()]
    ) -> Response:
        """Les groupements de commandes proposés, parmi ce que chacun peut lire."""
        reader = readers.of(request)
        as_of = searcher.as_of(parameters.as_of)
        # The first question waits until the table is read.
        known = await asyncio.to_thread(rows.rows)
        found = grouping_view.answer(
            known.values(), parameters, as_of, searcher.territories, reader
        )
        return _json(orjson.dumps(found))

    @app.get(
        "/v1/groupings/{identifier}",
        responses={**MERGED, **PROBLEMS, **answers(GROUPING, "Le groupement.")},
        response_class=Response,
        tags=["recherche"],
    )
    async def grouping(
        request: Request,
        identifier: Annotated[str, Path(max_length=60, description="`id` d’un groupement.")],
        as_of: AsOf = None,
    ) -> Response:
        """Un groupement proposé ; 301 vers celui où sont ses membres, quand il a changé ; 410
        quand il est terminé."""
        reader, moment = readers.of(request), searcher.as_of(as_of)
        found = await read_grouping(rows, searcher, identifier, moment, reader)
        return _json(orjson.dumps(found))


def _add_operation(app: FastAPI, index: Index, metrics: Metrics) -> None:
    @app.get("/healthz", tags=["exploitation"])
    async def health() -> Response:
        """Le service est en marche."""
        return _json(b'{"status":"ok"}')

    @app.get("/readyz", responses={503: PROBLEMS[503]}, tags=["exploitation"])
    async def ready() -> Response:
        """Le service peut répondre : Elasticsearch est là, et l'index aussi."""
        await index.check()
        return _json(b'{"status":"ok"}')

    @app.get(
        "/metrics",
        tags=["exploitation"],
        response_class=Response,
        responses={200: {"description": "Texte de Prometheus.", "content": {"text/plain": {}}}},
    )
    async def measures() -> Response:
        """Les mesures du service, pour Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _json(content: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content, headers=headers, media_type="application/json")
