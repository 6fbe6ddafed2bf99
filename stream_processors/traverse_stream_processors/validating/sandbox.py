"""Sandbox: what an institution may see of an event that it only tries, and nobody else. Pure.

A trial is decided like any other event, in a state of its own. Of all that would follow from it
only this leaves: receipts that say how it would have ended and what Traverse knew of it,
rejections (their institution alone sees them), and what goes round once more. What a trial leaves
behind is in the local cache only, without the publisher's words: when that is lost, it begins anew.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

import orjson

from traverse_schemas.documents.document import Content
from traverse_schemas.log.receipts import TRACE_HEADER, End, Receipt
from traverse_schemas.log.record_state import Life, RecordState, VersionedContent
from traverse_schemas.log.topics import DECISIONS, INBOUND, RECEIPTS, RECORDS, REJECTED
from traverse_stream_processors.linking.link import form
from traverse_stream_processors.log import Message
from traverse_stream_processors.receipts import Fate, receipts_of, receipts_of_words

_ENRICHED: Final = (
    "language", "visibility", "owner_kind", "place_names", "within", "territory", "location",
    "themes", "cpv_within", "cpv_labels", "amount", "deadline", "end_max", "flags",
)  # fmt: skip
"""What Traverse makes of a record, beside the publisher's own words: a receipt has no content."""
_MOST = 50  # of a list


class _Brought(NamedTuple):
    """A record's message as the index step would have read it."""

    key: bytes
    value: bytes | None
    partition: int
    trace: bytes
    time: int


def only_told(effects: Sequence[Message]) -> list[Message]:
    """Of all that a batch of trials comes to, what may leave."""
    return [message for effect in effects for message in _left_of(effect)]


def remembered(octets: bytes) -> bytes:
    """What the cache keeps of the state of a record that is tried (JSON): what decides of the next
    version, and none of the publisher's words."""
    state: RecordState = orjson.loads(octets)
    content, life = state["content"], state["life"]
    if content is not None:
        kept = {"visibility": content["content"]["visibility"], **_enriched(state)}
        content = VersionedContent(version=content["version"], content=cast(Content, kept))
    if life is not None:
        life = Life(version=life["version"], state=life["state"])
    return orjson.dumps({**state, "content": content, "life": life})


def _left_of(effect: Message) -> Iterator[Message]:
    if effect.topic in (INBOUND, REJECTED):
        yield effect
    elif effect.topic == RECEIPTS:
        yield from _told(effect, {})
    elif effect.topic == DECISIONS:
        trace = dict(effect.headers).get(TRACE_HEADER, b"")
        brought = _Brought(effect.key, effect.value, effect.partition, trace, 0)
        for receipt in receipts_of_words([brought], 0):
            yield from _told(receipt, {})
    elif effect.topic == RECORDS and effect.value is not None:
        trace = dict(effect.headers).get(TRACE_HEADER, b"")
        brought = _Brought(effect.key, effect.value, effect.partition, trace, 0)
        state: RecordState = orjson.loads(effect.value)
        formed = form(state)
        fates = {}
        if formed is not None:
            fates[effect.key] = Fate(formed["id"], formed["document"]["stub"])
        for receipt in receipts_of([brought], fates, 0):
            yield from _told(receipt, _enriched(state))


def _told(receipt: Message, enriched: dict[str, Any]) -> Iterator[Message]:
    """The receipt of a trial; none for what an earlier receipt spoke of, whose word holds."""
    said: Receipt = orjson.loads(receipt.value or b"{}")
    if "origin" not in said:
        return
    if said["end"] != End.DUPLICATE:
        would = said["end"]
        said = Receipt(
            source=said["source"],
            id=said["id"],
            end=End.SANDBOX,
            origin=said["origin"],
            received=said["received"],
            would=would,
        )
        if would == End.SEARCHABLE and enriched:
            said["enriched"] = enriched
    yield receipt._replace(value=orjson.dumps(said))


def _enriched(state: RecordState) -> dict[str, Any]:
    if state["content"] is None:
        return {}
    content: dict[str, Any] = {**state["content"]["content"]}
    return {
        name: value[:_MOST] if isinstance(value, list) else value
        for name in _ENRICHED
        if (value := content.get(name)) is not None
    }
