"""The link and index step at work: link, form opportunities, write them, index them, tell of it.

One process of all does this at a time; others follow and stand by. Durable before acknowledged, as
in `validating.work`. The offset that Kafka gives a message of `traverse.opportunities` is the
version of its document.

While one batch is brought into the index, the next is linked: the two wait for different things.
What the first came to is settled before, and told before the next is written.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import orjson

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.documents.document import OpportunityMessage
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.log.identity import partition_of, record_key
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import (
    CHANGES,
    DECISIONS,
    GROUPINGS,
    INBOUND,
    LINKS,
    OPPORTUNITIES,
    PARTITIONS,
    RECORDS,
)
from traverse_stream_processors.errors import StateUnavailableError
from traverse_stream_processors.indexing.bulk import BulkWriter, Refused
from traverse_stream_processors.indexing.index import Operation, operations
from traverse_stream_processors.indexing.refuse import refusal, refused_events
from traverse_stream_processors.linking.opportunities import (
    Formed,
    LinkMessage,
    Opportunities,
    digest_of,
)
from traverse_stream_processors.log import (
    Follower,
    LogShrunkError,
    LogWriter,
    Message,
    Stored,
    last_messages,
    read_at,
    read_partition,
)
from traverse_stream_processors.receipts import Fate, receipts_of, receipts_of_words
from traverse_stream_processors.telemetry import logger
from traverse_stream_processors.validating.reject import rejection_message

FENCE = "traverse-link"
"""The name under which one process at a time writes opportunities and links."""

_FEW = 100
"""Documents: with fewer at once this step keeps up, and searches show them before they are told of.
More are shown at the index's next refresh: one of its own for each batch would cost the most when
there is most to do."""

_PORTION = 2000
"""Opportunities, or links, written at once when a process takes over."""


class Changed(NamedTuple):
    """A message of `traverse.records`: `trace` is its header of that name, `time` its timestamp
    in milliseconds. Or one of `traverse.decisions`."""

    partition: int
    offset: int
    key: bytes
    value: bytes | None
    trace: bytes = b""
    time: int = 0
    topic: str = RECORDS


class _Indexed(NamedTuple):
    """A message of `traverse.opportunities` on its way to the index; `shown` as in `Formed`."""

    message: OpportunityMessage
    document: bytes
    partition: int
    offset: int
    shown: bool = True


class _Linked(NamedTuple):
    """A batch after linking: its records and words of people, what there is to write, and by record
    key what each came to and its state (as `receipts_of` takes them)."""

    records: Sequence[Changed]
    words: Sequence[Changed]
    formed: Sequence[Formed]
    links: Sequence[LinkMessage]
    groupings: Sequence[LinkMessage]
    fates: Mapping[str, Fate]
    states: Mapping[str, RecordState]


def _no_batch(
    formed: Sequence[Formed] = (),
    links: Sequence[LinkMessage] = (),
    groupings: Sequence[LinkMessage] = (),
) -> _Linked:
    """What is written without a batch that brought it."""
    return _Linked((), (), formed, links, groupings, {}, {})


class IndexWork:
    """Handles batches of `traverse.records` and `traverse.decisions`, or follows who does.

    `writer` is fenced: only the process that leads writes opportunities and links. `teller` writes
    what may be said twice: changes and refusals.
    """

    def __init__(
        self,
        *,
        bootstrap: str,
        writer: LogWriter,
        teller: LogWriter,
        bulk: BulkWriter,
        opportunities: Opportunities,
        verified: bool,
        clock: Clock | None = None,
    ) -> None:
        """`verified`: whose events these are was proven by their signatures."""
        self._bootstrap = bootstrap
        self._writer = writer
        self._teller = teller
        self._bulk = bulk
        self._opportunities = opportunities
        self._verified = verified
        self._clock = clock or SystemClock()
        self._follower = Follower(bootstrap, (RECORDS, DECISIONS, OPPORTUNITIES), PARTITIONS)
        self._next: dict[tuple[str, int], int] = {}
        self._leading = False
        self._standing = False
        self._busy = asyncio.Lock()
        # The batch before, on its way to the index.
        self._behind: asyncio.Task[None] | None = None
        self._doubtful: dict[str, str] = {}

    async def release(self) -> None:
        """Partitions are being taken away: finish the batches at hand, then lead no more."""
        async with self._busy:
            await self._settle()
            self._leading = False

    async def tick(self, *, owner: bool) -> None:
        """Called now and then: lead as soon as this process is the one, else follow it."""
        if self._busy.locked():
            return  # a batch is at hand: this process leads
        async with self._busy:
            if owner:
                await self._lead()
                return
            await self._follow()
            if not self._standing:
                self._standing = True
                logger.warning("Une autre relie : cette étape la suit et attend de la relayer.")

    async def handle(self, batch: Sequence[Changed]) -> Awaitable[None]:
        """Bring one batch into the index. Returns when the log has what it came to; what is given
        is done when Elasticsearch has all of it and that is told."""
        async with self._busy:
            await self._lead()
            doubtful, self._doubtful = self._doubtful, {}
            linked = await asyncio.to_thread(self._link, batch, doubtful)
            for one in batch:
                self._next[one.topic, one.partition] = one.offset + 1
            await self._settle()
            documents = await self._log(linked)
            self._behind = asyncio.create_task(self._index(documents, linked, self._now()))
            return self._behind

    async def _settle(self) -> None:
        """Until the batch before is done."""
        if self._behind is not None:
            await self._behind
            self._behind = None

    def _link(self, batch: Sequence[Changed], doubtful: Iterable[str]) -> _Linked:
        known = self._opportunities
        known.refused(doubtful)
        records = [one for one in batch if one.topic == RECORDS]
        words = [one for one in batch if one.topic == DECISIONS]
        touched = known.put_records([(one.key.decode(), one.offset, one.value) for one in records])
        touched |= known.put_decisions(one.value for one in words if one.value)
        formed, links = known.form(touched), known.links()
        fates = known.fates([one.key.decode() for one in records])
        return _Linked(records, words, formed, links, known.groupings(), fates, known.told())

    async def _lead(self) -> None:
        """Become the one writer: shut out whoever was, know all it wrote, finish what it left."""
        if self._leading:
            return
        await self._writer.start()
        await self._follow()
        await self._follower.close()
        await self._index_what_is_written()
        left = sorted(await asyncio.to_thread(self._opportunities.everything_linked))
        for start in range(0, len(left), _PORTION):
            portion = left[start : start + _PORTION]
            formed = await asyncio.to_thread(self._opportunities.form, portion)
            await self._index(await self._log(_no_batch(formed)))
        await self._write_links()
        self._leading, self._standing = True, False
        logger.warning("Cette étape relie désormais : %d dossiers liés relus.", len(left))

    async def _follow(self) -> None:
        """Know all that is on the log by now."""
        try:
            async for topic, partition, chunk in self._follower.news(self._next):
                # In a thread: heartbeats go on meanwhile.
                await asyncio.to_thread(self._know, topic, chunk)
                self._next[topic, partition] = chunk[-1].offset + 1
        except LogShrunkError as error:
            raise StateUnavailableError(
                "Un topic du journal est plus court que ce qui en a été lu : il a été recréé. "
                "Relancez « traverse work », qui relit tout."
            ) from error

    def _know(self, topic: str, chunk: Sequence[Stored]) -> None:
        if topic == RECORDS:
            self._opportunities.put_records(
                [(one.key.decode(), one.offset, one.value) for one in chunk]
            )
        elif topic == DECISIONS:
            self._opportunities.put_decisions(one.value for one in chunk if one.value)
        else:
            self._opportunities.put_written(
                [(one.key.decode(), one.value) for one in chunk if one.value]
            )

    async def _write_links(self) -> None:
        """Links and groupings that are not on the log as they are now, in portions: a million are
        neither held at once nor written in one transaction."""
        missing = self._opportunities.missing_links(await self._written_links())
        while links := await asyncio.to_thread(lambda: list(islice(missing, _PORTION))):
            await self._log(_no_batch(links=links))
        groupings = await asyncio.to_thread(
            self._opportunities.missing_groupings, await self._written_groupings()
        )
        for start in range(0, len(groupings), _PORTION):
            await self._log(_no_batch(groupings=groupings[start : start + _PORTION]))

    async def _written_links(self) -> dict[str, bytes]:
        """Digests of the links that the log has, by their keys."""
        digests: dict[str, bytes] = {}
        for partition in range(PARTITIONS):
            async for chunk in read_partition(self._bootstrap, LINKS, partition, 0):
                for one in chunk:
                    if one.value is not None:
                        digests[one.key.decode()] = digest_of(one.value)
                    else:
                        digests.pop(one.key.decode(), None)
        return digests

    async def _written_groupings(self) -> dict[str, bytes]:
        messages: dict[str, bytes | None] = {}
        async for chunk in read_partition(self._bootstrap, GROUPINGS, 0, 0):
            messages.update((one.key.decode(), one.value) for one in chunk)
        return {key: value for key, value in messages.items() if value is not None}

    async def _index_what_is_written(self) -> None:
        """Opportunities of which nothing was told yet may not be in the index: whoever wrote them
        may have ended in between. Changes of a partition are told in its order.

        After a quiet week no change is kept that says how far that went: all is brought to the
        index, and of what it held already nothing is told. It was, but for what was written just
        before an end that lasted the week.
        """
        told = dict.fromkeys(range(PARTITIONS), -1)
        last_told = await last_messages(self._bootstrap, CHANGES)
        for last in last_told.values():
            if last is not None:
                change = orjson.loads(last.value or b"{}")
                told[change["partition"]] = change["version"]
        for partition, version in told.items():
            forgotten = partition in last_told and last_told[partition] is None
            async for chunk in read_partition(
                self._bootstrap, OPPORTUNITIES, partition, version + 1
            ):
                written = [_read(one, partition) for one in chunk if one.value]
                await self._index(written, only_new=forgotten)

    async def _log(self, linked: _Linked) -> list[_Indexed]:
        """Opportunities, links and groupings to the log, in one transaction; gives the first as
        they go to the index."""
        formed = linked.formed
        partitions = [partition_of(one.message["id"], PARTITIONS) for one in formed]
        messages = [
            Message(OPPORTUNITIES, partition, one.message["id"].encode(), one.octets)
            for one, partition in zip(formed, partitions, strict=True)
        ]
        offsets = await self._writer.write(
            [
                *messages,
                *(
                    Message(LINKS, partition_of(key, PARTITIONS), key.encode(), value)
                    for key, value in linked.links
                ),
                *(Message(GROUPINGS, 0, key.encode(), value) for key, value in linked.groupings),
            ]
        )
        self._opportunities.remember(formed)
        return [
            _Indexed(one.message, one.document, partition, offset, one.shown)
            for one, partition, offset in zip(formed, partitions, offsets, strict=False)
        ]

    async def _index(
        self,
        documents: Sequence[_Indexed],
        linked: _Linked | None = None,
        at: int = 0,
        *,
        only_new: bool = False,
    ) -> None:
        """Documents to the index; then it is told (where `only_new`, not of what the index held),
        with what became of the batch that was linked `at` that moment. `only_new` is for those of
        one partition."""
        linked = linked or _no_batch()
        owners: dict[Operation, _Indexed] = {}
        for one in documents:
            for operation in operations(one.message, one.document, one.offset):
                owners[operation] = one
        held: set[Operation] | None = set() if only_new else None
        refused = await self._bulk.write(list(owners), held, refresh=len(owners) < _FEW)
        whys = {one.operation.id: _refusal_sentence(one) for one in refused}
        self._doubtful |= whys
        fates = {
            key.encode(): fate._replace(refused=whys.get(fate.opportunity or ""))
            for key, fate in linked.fates.items()
        }
        events = refused_events(linked.records, fates)
        originals = await read_at(self._bootstrap, INBOUND, [one.place for one in events])
        told = [one for one in events if one.place in originals]
        explained = {one.opportunity for one in told}
        if held is not None:
            new = {owners[one].offset for one in owners.keys() - held}
            documents = [one for one in documents if one.offset in new]
        changes = [_change(one) for one in documents]
        rest = [
            *(refusal(one, originals[one.place], verified=self._verified) for one in told),
            *(
                _refusal(one, owners[one.operation])
                for one in refused
                if one.operation.id not in explained
            ),
            *receipts_of(linked.records, fates, at, linked.states),
            *receipts_of_words(linked.words, at),
        ]
        if refused:
            # First: a document of which a change was told is not brought to the index again, and
            # so not refused again, by whoever goes on from here.
            await self._teller.write(rest)
            await self._teller.write(changes)
        else:
            await self._teller.write([*changes, *rest])

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _read(stored: Stored, partition: int) -> _Indexed:
    message: OpportunityMessage = orjson.loads(stored.value or b"")
    return _Indexed(message, orjson.dumps(message["document"]), partition, stored.offset)


def _change(indexed: _Indexed) -> Message:
    """What streams are told: which document, in which index, since which version. What was merged
    before anybody could see it goes from no view: `shown` is false then, and otherwise left out."""
    message = indexed.message
    value = {
        "id": message["id"],
        "index": message["index"],
        "stub": message["document"]["stub"],
        "partition": indexed.partition,
        "version": indexed.offset,
    } | ({} if indexed.shown else {"shown": False})
    return Message(CHANGES, indexed.partition, message["id"].encode(), orjson.dumps(value))


def _refusal_sentence(refused: Refused) -> str:
    return (
        f"Elasticsearch refuse le document {refused.operation.id} ({refused.why}) : il n'est pas "
        "cherchable ; signalez-le, la faute est de notre côté."
    )


def _refusal(refused: Refused, indexed: _Indexed) -> Message:
    sources = indexed.message["document"].get("sources") or [{"source": "", "subject": ""}]
    first = sources[0]  # type: ignore[index]
    key = record_key(first["source"], first["subject"])
    return rejection_message(
        partition=partition_of(key, PARTITIONS),
        key=key.encode(),
        octets=refused.operation.body,
        error=RejectedError(Reason.DOCUMENT_REFUSED, "", _refusal_sentence(refused)),
        origin=f"{OPPORTUNITIES}/{indexed.partition}@{indexed.offset}",
        received="",
    )
