"""The Faust apps: which step reads which topic. Wiring only.

    traverse.inbound --(validate, enrich)--> accepted, events.*, rejected, records, receipts
    traverse.records, traverse.decisions
                     --(link, index)-------> opportunities, links, groupings, Elasticsearch,
                                             changes, receipts

Two processes, one a step, so that they share the cores. More of the first share the partitions;
of the second, one works and the others stand by. The loop is the one Faust pattern that
loses nothing: `noack_take`, and acknowledge in order what is durable; an error that escapes
would leave the partition standing still, so the process leaves instead and what was not
acknowledged is read again.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import faust
from elasticsearch import AsyncElasticsearch, OrjsonSerializer

from traverse_schemas.collector import spare_what_stays
from traverse_schemas.errors import TraverseError
from traverse_schemas.log.engine_access import elasticsearch_client, engine_access
from traverse_schemas.log.receipts import TRACE_HEADER
from traverse_schemas.log.topics import DECISIONS, INBOUND, RECORDS
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.registry import LiveRegistry, institutions_table
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.fetching import fetch_promptly, waiting
from traverse_stream_processors.indexing.bulk import BulkWriter
from traverse_stream_processors.indexing.work import FENCE, Changed, IndexWork
from traverse_stream_processors.likeness.model import model_at
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.opportunities import Opportunities
from traverse_stream_processors.linking.shelf import Shelf
from traverse_stream_processors.log import LogWriter
from traverse_stream_processors.matching.matches import Matches
from traverse_stream_processors.settings import ProcessorSettings
from traverse_stream_processors.single_writer import SingleWriterAssignor
from traverse_stream_processors.telemetry import Progress, logger
from traverse_stream_processors.validating.check import Inbound
from traverse_stream_processors.validating.state import ValidateState
from traverse_stream_processors.validating.work import ValidateWork

EXIT_STOPPED = 70
"""Exit code when the process leaves because only a person can mend what is wrong."""

_WATCH_EVERY = 15.0
"""Seconds between two looks at whether the step moves."""

_LOOK_AT_TOPICS_EVERY_MS = 5000

_TICK_EVERY = 2.0
"""Seconds between two looks of a process that stands by at what the other has done."""

Item_contra = TypeVar("Item_contra", contravariant=True)


class Work(Protocol[Item_contra]):
    """A step at work: `handle` returns when the next batch may be handed in, and gives what is done
    when this one is durable (None: it is); `release` gives up partitions, `tick` comes between
    batches, with whether the process has partitions."""

    async def handle(self, batch: Sequence[Item_contra], /) -> Awaitable[None] | None: ...

    async def release(self) -> None: ...

    async def tick(self, *, owner: bool) -> None: ...


def validate_app(settings: ProcessorSettings, generation: str) -> faust.App:
    """The app of validate and enrich. `generation` names the generation of the topics."""
    app = _app("traverse-validate", settings)
    territories = Territories.load()
    registry = LiveRegistry(institutions_table(settings.kafka))
    institutions = Institutions.load(
        settings.institutions_file,
        territories,
        lambda siren: registry.view().known_to_others(siren),
    )
    writer = LogWriter(settings.kafka)
    work = ValidateWork(
        bootstrap=settings.kafka,
        state=ValidateState(settings.home / "state", generation),
        writer=writer,
        territories=territories,
        enrich=partial(enrich, territories=territories, institutions=institutions),
        registry=registry if settings.signatures == "required" else None,
    )

    async def start() -> None:
        # Nothing is judged before all of the registry is known. It is followed until the process
        # ends: it belongs to no group that would want to be told.
        registry.table.start()
        await asyncio.to_thread(registry.table.wait, settings.start_wait)
        if settings.signatures == "off":
            logger.warning(
                "Les signatures ne sont pas vérifiées (TRAVERSE_SIGNATURES=off) : qui peut écrire "
                "%s parle au nom de toutes les institutions.",
                INBOUND,
            )
        await writer.start()

    _agent(
        app, (INBOUND,), work, _inbound, settings,
        wait=settings.batch_wait, start=start, stop=writer.stop,
    )  # fmt: skip
    return app


def index_app(settings: ProcessorSettings) -> faust.App:
    """The app of link and index."""
    app = _app("traverse-index", settings, PartitionAssignor=SingleWriterAssignor)
    # Fenced, and so started only when this process is the one that works.
    writer, teller = LogWriter(settings.kafka, fence=FENCE), LogWriter(settings.kafka)
    client = AsyncElasticsearch(
        **elasticsearch_client(settings.elasticsearch),
        serializer=OrjsonSerializer(),
        request_timeout=60,
        max_retries=0,
    )
    model = model_at(settings.likeness_file)
    learnt = settings.likeness_file if settings.likeness_file.is_file() else "celui du produit"
    logger.warning("Parenté des textes : modèle %s (%s).", model.version, learnt)
    work = IndexWork(
        bootstrap=settings.kafka,
        writer=writer,
        teller=teller,
        bulk=BulkWriter(client),
        opportunities=Opportunities(
            Linker(),
            Shelf(settings.home / "state"),
            Matches(model),
        ),
        verified=settings.signatures == "required",
    )

    async def stop() -> None:
        await writer.stop()
        await teller.stop()
        await client.close()

    _agent(
        app, (RECORDS, DECISIONS), work, _changed, settings,
        wait=settings.index_wait, start=teller.start, stop=stop,
    )  # fmt: skip
    return app


def run(app: faust.App) -> None:
    """Run the app in this process until it is told to stop (SIGTERM, SIGINT)."""
    spare_what_stays()
    worker = faust.Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True)
    worker.spinner = None  # its control codes would litter the journal
    worker.execute_from_commandline()


def _app(name: str, settings: ProcessorSettings, **more: Any) -> faust.App:
    # Beside what the steps remember, which may be thrown away at any time: Faust, as it starts,
    # makes no folder above its own.
    datadir = settings.home / "faust"
    datadir.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        name,
        broker=f"kafka://{settings.kafka.replace(',', ';')}",
        broker_credentials=_credentials(settings.kafka),
        datadir=datadir,
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        # A restart after SIGKILL waits this long for the group to notice.
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.session_timeout / 5,
        broker_commit_interval=settings.acknowledge_every,
        # Who joins while Kafka comes back may not know the topics yet, and gives itself none of
        # their partitions; the next look at them mends that (by default after five minutes).
        consumer_metadata_max_age_ms=_LOOK_AT_TOPICS_EVERY_MS,
        # Elasticsearch may be away for long; the watchdog sees to a step that stands still.
        broker_max_poll_interval=24 * 3600,
        # Bounded memory: this many messages of half a mebibyte at most wait in the process.
        stream_buffer_maxsize=2 * settings.batch_size,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        **more,
    )
    return fetch_promptly(app)


def _credentials(bootstrap: str) -> Any:
    """Faust's own form of who this program is for Kafka."""
    words = engine_access().aiokafka(bootstrap)
    context = words.get("ssl_context")
    if "sasl_mechanism" in words:
        return faust.SASLCredentials(
            username=words["sasl_plain_username"],
            password=words["sasl_plain_password"],
            mechanism=words["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


def _agent(
    app: faust.App,
    topics: Sequence[str],
    work: Work[Any],
    read: Callable[[Any], Any],
    settings: ProcessorSettings,
    *,
    wait: float,
    start: Callable[[], Awaitable[None]],
    stop: Callable[[], Awaitable[None]],
) -> None:
    progress = Progress(settings.stall_after)
    owned: set[Any] = set()
    assigned = asyncio.Event()
    started = asyncio.Event()

    @app.agent(app.topic(*topics, value_serializer="raw"), name=app.conf.id)
    async def step(stream: Any) -> None:
        async def all_batches() -> None:
            last: asyncio.Task[None] | None = None
            try:
                async for mine in _ours(
                    _batches(stream, settings.batch_size, wait), assigned, owned
                ):
                    progress.begin()
                    durable = await work.handle([read(event.message) for event in mine])
                    last = asyncio.create_task(leaving(acknowledge(mine, durable, last)))
            finally:
                if last is not None:
                    last.cancel()
                    await asyncio.wait([last])

        async def acknowledge(
            events: Sequence[Any],
            durable: Awaitable[None] | None,
            before: asyncio.Task[None] | None,
        ) -> None:
            if before is not None:
                await before
            if durable is not None:
                await _unbroken(app, durable)
            for event in events:
                event.ack()
            progress.end(len(events))

        await leaving(start())
        started.set()
        try:
            await _to_the_end(app, leaving(all_batches()))
        finally:
            await stop()

    async def release(*_: Any, **__: Any) -> None:
        assigned.clear()
        await work.release()

    async def own(*arguments: Any, **_: Any) -> None:
        _app, partitions = arguments
        owned.clear()
        owned.update(partitions)
        assigned.set()

    async def tick() -> None:
        if assigned.is_set() and started.is_set():
            await leaving(_unbroken(app, work.tick(owner=bool(owned))))

    async def watch() -> None:
        if progress.stalled(await waiting(app)):
            leave(
                f"L'étape {app.conf.id} n'avance plus alors que des événements attendent : le "
                "processus s'arrête pour être relancé."
            )

    app.on_partitions_revoked.connect(release)
    app.on_partitions_assigned.connect(own)
    app.timer(_WATCH_EVERY)(watch)
    app.timer(_TICK_EVERY)(tick)


def _batches(stream: Any, size: int, wait: float) -> Any:
    """Batches of events that nobody acknowledges but who handled them.

    As it ends, `noack_take` (0.15.3) sets `enable_acks` back to what it found, while its stream
    reads on: by default that acknowledges what nobody has handled.
    """
    stream.enable_acks = False
    return stream.noack_take(size, within=wait)


async def _ours(
    batches: AsyncIterator[Sequence[Any]], assigned: asyncio.Event, owned: Collection[Any]
) -> AsyncIterator[Sequence[Any]]:
    """What waited here while its partition went to another process is that one's work: handling it
    too could write an older state of a record after a newer. Nothing is no batch either: whoever
    links for it would shut out the one that links."""
    async for batch in batches:
        await assigned.wait()
        mine = [event for event in batch if event.message.tp in owned]
        if mine:
            yield mine


async def _to_the_end(app: faust.App, doing: Awaitable[None]) -> None:
    """Await it until the app stops. Cancelled before that, Faust would go on after the batch that
    was at hand, which nobody handled."""
    try:
        await doing
    except asyncio.CancelledError:
        if not app.should_stop:
            logger.exception("Défaut interne : le traitement est annulé, rien n'est acquitté.")
            leave("Le traitement a été annulé ; voyez le journal ci-dessus.")
        raise


async def _unbroken(app: faust.App, doing: Awaitable[None]) -> None:
    """Await it. Cancelled though nobody stops it, it is an error: the cancellation of a task or a
    timer is one that nobody hears of."""
    try:
        await doing
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if app.should_stop or task is None or task.cancelling():
            raise
        raise RuntimeError("cancelled from inside") from error


async def leaving(doing: Awaitable[None]) -> None:
    """Await it; on an error leave the process, so that what was not done is done by another."""
    try:
        await doing
    except TraverseError as error:
        leave(str(error))
    except Exception:
        logger.exception("Défaut interne : le traitement s'arrête, rien n'est acquitté.")
        leave("Le traitement s'est arrêté sur un défaut interne ; voyez le journal ci-dessus.")


def leave(sentence: str) -> None:
    """Leave the process at once: what was not acknowledged is read again by the next one."""
    logger.critical(sentence)
    os._exit(EXIT_STOPPED)


def _inbound(message: Any) -> Inbound:
    return Inbound(
        partition=message.partition,
        offset=message.offset,
        received=datetime.fromtimestamp(message.timestamp, UTC),
        value=message.value or b"",
        headers=_headers(message.headers),
    )


def _changed(message: Any) -> Changed:
    return Changed(
        partition=message.partition,
        offset=message.offset,
        key=message.key or b"",
        value=message.value,
        trace=dict(_headers(message.headers)).get(TRACE_HEADER, b""),
        time=int(message.timestamp * 1000),
        topic=message.topic,
    )


def _headers(headers: Any) -> tuple[tuple[str, bytes], ...]:
    if not headers:
        return ()
    return tuple(headers.items() if isinstance(headers, dict) else headers)
