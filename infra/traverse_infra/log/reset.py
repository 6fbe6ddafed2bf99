"""Drops whatever is derived from `traverse.accepted`, and makes it anew: the last resort when the
state of the platform is in doubt, and the proof that the accepted events are enough (decision 5).

First everything is read and folded, so that an event which cannot be read stops it before anything
is lost; then the derived topics are dropped and the states written. While that lasts, the topic
`traverse.reset` is there and no step works; killed, it begins again from the first event.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

from elasticsearch import Elasticsearch
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import GroupIdNotFoundError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import InfraError
from traverse_infra.indices import delete_index, fresh_index, swap_aliases
from traverse_infra.log.reading import GROUPS, lags, read_topic
from traverse_infra.log.topics import apply_topics, kafka_admin, topic_exists
from traverse_schemas.documents.document import Content
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.errors import RejectedError
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import ACCEPTED, DERIVED, OPPORTUNITIES, RECORDS, RESET
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.registry import LiveRegistry, institutions_table
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.log import LogWriter, Message
from traverse_stream_processors.settings import ProcessorSettings
from traverse_stream_processors.validating.replay import replay
from traverse_stream_processors.validating.state import ValidateState
from traverse_stream_processors.validating.validate import Accepted, accepted_before

_BATCH = 2000
_PATIENCE = 60.0


class ResetError(InfraError):
    """A reset may not begin, or is not ended."""


def check_no_reset(bootstrap: str) -> None:
    """Raises ResetError while a reset is under way, or was stopped before its end."""
    if topic_exists(bootstrap, RESET):
        raise ResetError(
            "Une remise à neuf de l'état est en cours, ou s'est arrêtée avant la fin : attendez, "
            "ou relancez « traverse reset --state », puis « traverse work »."
        )


def reset_state(settings: ProcessorSettings, *, force: bool = False) -> Iterator[str]:
    """Do it, and tell each stage in a sentence; then `traverse work` links and indexes.

    `force`: though the index step has not read all of `traverse.records`: events whose record waits
    there lose their receipt. Raises ResetError when it may not begin; nothing has changed then.
    """
    kafka = settings.kafka
    with tempfile.TemporaryDirectory(prefix="traverse-reset-") as folder:
        states = ValidateState(Path(folder), "reset")
        try:
            with kafka_admin(kafka) as admin:
                _check_stopped(admin)
                if not force and not topic_exists(kafka, RESET):
                    _check_nothing_waits(kafka)
                with suppress(TopicAlreadyExistsError):
                    admin.create_topics([NewTopic(RESET, 1, -1)], wait_for_metadata=True)
                try:
                    count, decisions = _read_accepted(settings, states)
                except BaseException:
                    if set(DERIVED) <= _existing(kafka):
                        _drop(admin, (RESET,))
                    raise
                yield f"{count} événements acceptés relus."
                _drop(admin, DERIVED)
                ids = _created(kafka)
                yield f"{len(DERIVED)} topics recréés : {', '.join(DERIVED)}."
                written = _write(kafka, (_record(*each) for each in states.every_record()))
                _write(kafka, decisions)
                yield f"{written} dossiers et {len(decisions)} décisions réécrits."
                with suppress(GroupIdNotFoundError):
                    admin.delete_groups(["traverse-index"])
                _renew_indices(settings.elasticsearch, ids[OPPORTUNITIES])
                _drop_caches(settings.home)
                _drop(admin, (RESET,))
        finally:
            states.close()
    yield "État remis à neuf : lancez « traverse work », qui relie et indexe tout."


def _check_stopped(admin: KafkaAdminClient) -> None:
    found = admin.describe_groups(list(GROUPS))
    at_work = [name for name, group in found.items() if group.get("members")]
    if at_work:
        raise ResetError(
            f"Des traitements tournent encore ({', '.join(sorted(at_work))}) : arrêtez "
            "« traverse work » partout, puis recommencez."
        )


def _check_nothing_waits(kafka: str) -> None:
    waiting = lags(kafka)["traverse-index"]
    if waiting:
        raise ResetError(
            f"{waiting} messages attendent encore l'étape relier et indexer, et leurs accusés avec "
            "eux : laissez finir « traverse work », ou passez outre avec --force."
        )


def _read_accepted(settings: ProcessorSettings, states: ValidateState) -> tuple[int, list[Message]]:
    enriching = _enriching(settings)
    messages = (one for one in read_topic(settings.kafka, ACCEPTED) if one.value is not None)
    count = 0
    decisions: list[Message] = []
    while batch := [(one.partition, _understood(one)) for one in islice(messages, _BATCH)]:
        known = states.records(list({accepted.key for _, accepted in batch}))
        replayed = replay(batch, known, enriching)
        states.save(records=replayed.states)
        decisions += replayed.decisions
        count += len(batch)
    return count, decisions


def _enriching(settings: ProcessorSettings) -> "partial[Content | None]":
    territories = Territories.load()
    registry = LiveRegistry(institutions_table(settings.kafka))
    registry.table.start()
    registry.table.wait(settings.start_wait)
    institutions = Institutions.load(
        settings.institutions_file,
        territories,
        lambda siren: registry.view().known_to_others(siren),
    )
    return partial(enrich, territories=territories, institutions=institutions)


def _understood(message: LogMessage) -> Accepted:
    try:
        return accepted_before(message.value or b"")
    except RejectedError as error:
        raise ResetError(
            f"Un événement accepté ne se lit plus ({ACCEPTED}/{message.partition}@"
            f"{message.offset} : {error}) : rien n'a été changé ; revenez à la version de Traverse "
            "qui le lisait."
        ) from error


def _record(key: str, partition: int, state: bytes) -> Message:
    return Message(RECORDS, partition, key.encode(), state)


def _write(kafka: str, messages: Iterable[Message]) -> int:
    async def write() -> int:
        writer = LogWriter(kafka)
        await writer.start()
        count, left = 0, iter(messages)
        try:
            while chunk := list(islice(left, _BATCH)):
                await writer.write(chunk)
                count += len(chunk)
        finally:
            await writer.stop()
        return count

    return asyncio.run(write())


def _existing(kafka: str) -> set[str]:
    return {name for name in DERIVED if topic_exists(kafka, name)}


def _drop(admin: KafkaAdminClient, names: Iterable[str]) -> None:
    for name in names:
        with suppress(UnknownTopicOrPartitionError):
            admin.delete_topics([name])


def _created(kafka: str) -> Mapping[str, str]:
    """The declared topics, once the broker has done with deleting those of before."""
    before: set[str] = set()

    def applied() -> Mapping[str, str] | None:
        done = apply_topics(kafka)
        before.update(done.created)
        return done.ids if before >= set(DERIVED) else None

    ids = wait_until(applied, timeout=_PATIENCE)
    if ids is None:
        raise ResetError(
            "Kafka n'a pas fini d'effacer les topics dérivés : relancez « traverse reset --state » "
            "dans une minute."
        )
    return ids


def _renew_indices(elasticsearch: str, topic_id: str) -> None:
    """Versions are offsets of the new topic: the old index would take nothing of it."""
    with Elasticsearch(**elasticsearch_client(elasticsearch), request_timeout=120) as client:
        fresh = {alias: fresh_index(client, alias, topic_id) for alias in ALIASES.values()}
        for former in swap_aliases(client, fresh):
            delete_index(client, former)


def _drop_caches(home: Path) -> None:
    """Those of the steps; what other services keep there is of other topics."""
    for path in (home / "state").glob("validate-*.sqlite*"):
        path.unlink(missing_ok=True)
    shutil.rmtree(home / "faust", ignore_errors=True)
