"""The validate and enrich step at work: look up, admit, write, remember.

Durable before acknowledged: when `handle` returns, everything that the batch means is on the log.
Killed anywhere in between, the batch is read again and comes to the same.
"""

import asyncio
from collections.abc import Callable, Sequence

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from traverse_schemas.documents.document import Content
from traverse_schemas.log.compacted_table import TableError
from traverse_schemas.log.topics import ACCEPTED, PARTITIONS, RECORDS
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.registry import Registry
from traverse_schemas.signing.attribution import AWAITS_REGISTRY
from traverse_stream_processors.log import LogShrunkError, LogWriter, Message, read_partition
from traverse_stream_processors.telemetry import logger
from traverse_stream_processors.validating.admit import admit, erased_records
from traverse_stream_processors.validating.check import Checked, Inbound, check
from traverse_stream_processors.validating.keep import forgotten_from_log, known_from_log
from traverse_stream_processors.validating.state import StateBrokenError, ValidateState
from traverse_stream_processors.validating.validate import Accepted

_REGISTRY_PATIENCE = 10.0


class ValidateWork:
    """Handles batches of `traverse.inbound`, for the partitions this process has."""

    def __init__(
        self,
        *,
        bootstrap: str,
        state: ValidateState,
        writer: LogWriter,
        territories: Territories,
        enrich: Callable[[Accepted], Content | None],
        registry: Registry | None,
    ) -> None:
        """`registry` tells who may speak; None where signatures are not asked for."""
        self._bootstrap = bootstrap
        self._state = state
        self._writer = writer
        self._territories = territories
        self._enrich = enrich
        self._registry = registry
        self._restored: set[int] = set()
        self._busy = asyncio.Lock()

    async def release(self) -> None:
        """Partitions are being taken away: finish the batch at hand, then trust nothing of the
        cache until it has been caught up again."""
        async with self._busy:
            self._restored.clear()

    async def tick(self, *, owner: bool) -> None:
        """Nothing to do between batches."""

    async def handle(self, messages: Sequence[Inbound]) -> None:
        """Bring one batch onto the log. Returns only when all of it is there."""
        async with self._busy:
            # In a thread: heartbeats must go on while a batch of hostile events costs seconds, or
            # Kafka gives the partitions away and the same batch comes again, for ever.
            checked = await asyncio.to_thread(self._check, messages)
            try:
                await self._admit(checked)
            except StateBrokenError as error:
                # The cache is spoilt. What of the batch is on the log already may be written
                # again: it comes to the same.
                logger.warning("L'état local est abîmé (%s) : il est refait du journal.", error)
                self._state.renew()
                self._restored.clear()
                await self._admit(checked)

    def _check(self, messages: Sequence[Inbound]) -> list[Checked]:
        registry = self._registry
        if registry is None:
            return check(messages, self._territories, None)
        checked = check(messages, self._territories, registry.view())
        unknown = [
            index
            for index, one in enumerate(checked)
            if (one.error is not None and one.error.reason in AWAITS_REGISTRY)
            or (one.accepted is not None and one.accepted.sandbox)
        ]
        if unknown:
            # Who was registered a moment ago publishes at once: know all of the registry before
            # calling anybody a stranger, or taking what is meant for a trial.
            for attempt in Retrying(
                retry=retry_if_exception_type(TableError),
                wait=wait_exponential_jitter(multiplier=0.2, max=15, jitter=0.1),
                before_sleep=_say_waiting,
            ):
                with attempt:
                    registry.catch_up(_REGISTRY_PATIENCE)
            again = check(
                [messages[index] for index in unknown], self._territories, registry.view()
            )
            for index, one in zip(unknown, again, strict=True):
                checked[index] = one
        return checked

    async def _admit(self, checked: Sequence[Checked]) -> None:
        for partition in {one.message.partition for one in checked} - self._restored:
            await self._restore(partition)
        accepted = [one.accepted for one in checked if one.accepted is not None]
        admitted = await asyncio.to_thread(
            admit,
            checked,
            self._state.accepted([one.event_id for one in checked if one.event_id]),
            self._state.records(list({one.place for one in accepted})),
            self._enrich,
            PARTITIONS,
            self._state.events_of(erased_records(checked)),
        )
        written = [*admitted.effects, *admitted.accepted]
        offsets = await self._writer.write(admitted.effects)
        offsets += await self._writer.write(admitted.accepted)
        self._state.save(
            records=admitted.states,
            accepted=admitted.known,
            forgotten=admitted.forgotten,
            progress=_progress(written, offsets),
        )

    async def _restore(self, partition: int) -> None:
        """Catch the cache up with what the log holds of a partition."""
        try:
            count = await self._catch_up(partition)
        except LogShrunkError:
            logger.warning(
                "La partition %d du journal est plus courte que l'état local : il est refait.",
                partition,
            )
            self._state.forget(partition)
            count = await self._catch_up(partition)
        self._restored.add(partition)
        if count:
            logger.info("Partition %d : %d messages relus pour l'état local.", partition, count)

    async def _catch_up(self, partition: int) -> int:
        count = 0
        start = self._state.progress(RECORDS, partition)
        async for chunk in read_partition(self._bootstrap, RECORDS, partition, start):
            self._state.save(
                records=[
                    (stored.key.decode(), partition, stored.value)
                    for stored in chunk
                    if stored.value is not None
                ],
                progress=[(RECORDS, partition, stored.offset + 1) for stored in chunk[-1:]],
            )
            count += len(chunk)
        start = self._state.progress(ACCEPTED, partition)
        async for chunk in read_partition(self._bootstrap, ACCEPTED, partition, start):
            # An erased event that is not compacted yet comes before its tombstone.
            gone = [forgotten_from_log(stored.key) for stored in chunk if stored.value is None]
            known = [known_from_log(partition, stored.key, stored.headers) for stored in chunk]
            self._state.save(
                accepted=[one for one in known if one is not None],
                forgotten=gone,
                progress=[(ACCEPTED, partition, stored.offset + 1) for stored in chunk[-1:]],
            )
            count += len(chunk)
        return count


def _progress(messages: Sequence[Message], offsets: Sequence[int]) -> list[tuple[str, int, int]]:
    """How far the cache has the two topics it mirrors, after what was just written."""
    latest: dict[tuple[str, int], int] = {}
    for message, offset in zip(messages, offsets, strict=True):
        if message.topic in (RECORDS, ACCEPTED):
            latest[message.topic, message.partition] = offset + 1
    return [(topic, partition, after) for (topic, partition), after in latest.items()]


def _say_waiting(attempt: RetryCallState) -> None:
    error = attempt.outcome.exception() if attempt.outcome else None
    logger.warning("Le registre n'est pas à jour : nouvel essai, rien n'est perdu. %s", error)
