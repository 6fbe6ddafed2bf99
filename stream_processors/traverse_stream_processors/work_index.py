"""The link and index step at work: form opportunities, write them, index them, tell of changes.

Durable before acknowledged, as in `work_validate`. The offset that Kafka gives a message of
`traverse.opportunities` is the version of its document.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.document import OpportunityMessage
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.record_state import RecordState
from traverse_schemas.topics import CHANGES, OPPORTUNITIES, RECORDS
from traverse_stream_processors.admit import rejection_message
from traverse_stream_processors.bulk import BulkWriter, Refused
from traverse_stream_processors.index import Operation, operations
from traverse_stream_processors.link import form
from traverse_stream_processors.log import LogWriter, Message
from traverse_stream_processors.receipts import Fate, receipts_of


class Changed(NamedTuple):
    """A message of `traverse.records`: `trace` is its header of that name, `time` its timestamp
    in milliseconds."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    trace: bytes = b""
    time: int = 0


class _Formed(NamedTuple):
    source: Changed
    message: OpportunityMessage
    document: bytes
    octets: bytes


class IndexWork:
    """Handles batches of `traverse.records`."""

    def __init__(self, *, writer: LogWriter, bulk: BulkWriter, clock: Clock | None = None) -> None:
        self._writer = writer
        self._bulk = bulk
        self._clock = clock or SystemClock()
        self._busy = asyncio.Lock()

    async def release(self) -> None:
        """Partitions are being taken away: finish the batch at hand."""
        async with self._busy:
            return

    async def handle(self, batch: Sequence[Changed]) -> None:
        """Bring one batch into the index. Returns only when Elasticsearch has all of it."""
        async with self._busy:
            formed = _form(batch)
            offsets = await self._writer.write(
                [
                    Message(OPPORTUNITIES, one.source.partition, _id(one), one.octets)
                    for one in formed
                ]
            )
            linked = int(self._clock.now().timestamp() * 1000)
            owners: dict[Operation, _Formed] = {}
            for one, offset in zip(formed, offsets, strict=True):
                for operation in operations(one.message, one.document, offset):
                    owners[operation] = one
            refused = await self._bulk.write(list(owners))
            await self._writer.write(
                [
                    *(_change(one, offset) for one, offset in zip(formed, offsets, strict=True)),
                    *(_refusal(one, owners[one.operation].source) for one in refused),
                    *receipts_of(batch, _fates(formed, refused, owners), linked),
                ]
            )


def _form(batch: Sequence[Changed]) -> list[_Formed]:
    """The opportunities of a batch; of several states of one record only the last counts."""
    # A tombstone says that a record is gone for good; whoever wrote it has told the index.
    last: dict[bytes, Changed] = {changed.key: changed for changed in batch if changed.value}
    formed = []
    for changed in last.values():
        state: RecordState = orjson.loads(changed.value)
        message = form(state)
        if message is not None:
            document = orjson.dumps(message["document"])
            octets = orjson.dumps({**message, "document": orjson.Fragment(document)})
            formed.append(_Formed(changed, message, document, octets))
    return formed


def _fates(
    formed: Sequence[_Formed], refused: Sequence[Refused], owners: Mapping[Operation, _Formed]
) -> dict[bytes, Fate]:
    """What each record of a batch came to, by its key."""
    whys = {owners[one.operation].source.key: _refusal_sentence(one) for one in refused}
    return {
        one.source.key: Fate(
            one.message["id"], one.message["document"]["stub"], whys.get(one.source.key)
        )
        for one in formed
    }


def _id(formed: _Formed) -> bytes:
    return formed.message["id"].encode()


def _change(formed: _Formed, offset: int) -> Message:
    """What streams are told: which document, in which index, since which version."""
    message = formed.message
    value = {
        "id": message["id"],
        "index": message["index"],
        "stub": message["document"]["stub"],
        "partition": formed.source.partition,
        "version": offset,
    }
    return Message(CHANGES, formed.source.partition, _id(formed), orjson.dumps(value))


def _refusal_sentence(refused: Refused) -> str:
    return (
        f"Elasticsearch refuse le document {refused.operation.id} ({refused.why}) : il n'est pas "
        "cherchable ; signalez-le, la faute est de notre côté."
    )


def _refusal(refused: Refused, source: Changed) -> Message:
    error = RejectedError(Reason.DOCUMENT_REFUSED, "", _refusal_sentence(refused))
    return rejection_message(
        partition=source.partition,
        key=source.key,
        octets=refused.operation.body,
        error=error,
        origin=f"{RECORDS}/{source.partition}@{source.offset}",
        received="",
    )
