"""Validate: may this be said, and is it well said? Pure; no broker, no clock of its own.

Gives an `Accepted` event or raises `RejectedError` with the reason, the JSON pointer and one
French sentence for the publisher.
"""

from datetime import datetime
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel

from traverse_schemas.events import Event, EventType, Withdrawn
from traverse_schemas.judging.judge import (
    Judged,
    check_object,
    check_size,
    judge,
    read_json,
    understand,
)
from traverse_schemas.log.identity import Version, content_hash, record_key
from traverse_schemas.records.codes import WithdrawalReason
from traverse_schemas.records.models import Call, Need, Project
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.signing.attribution import Signed, speaker
from traverse_schemas.signing.sources import Source


class Accepted(NamedTuple):
    """An event that may be said.

    `raw` is its JSON, in the current version of its type, `record` the record it carries (None for
    a withdrawal, or a closing without one), `raw_record` that record's JSON, `hash` 8 bytes of its
    content as it was sent, whatever the order of the keys. `signature` is the JWS that was
    verified, `vouched_by` the gateway's SIREN where that one signed for the institution; None where
    signatures are not asked for. `sandbox`: it is only tried, and nobody else will hear of it.
    """

    octets: bytes
    raw: dict[str, Any]
    event: Event[BaseModel]
    type: EventType
    source: Source
    key: str
    version: Version
    record: Project | Call | Need | None
    raw_record: dict[str, Any] | None
    hash: bytes
    signature: bytes | None = None
    vouched_by: str | None = None
    sandbox: bool = False

    @property
    def place(self) -> str:
        """Under what the record's state is kept: its key, or, for what is only tried, a name that
        no key has."""
        return f"sandbox {self.key}" if self.sandbox else self.key


def validate(
    octets: bytes,
    received: datetime,
    territories: Territories,
    signed: Signed | None = None,
    registry: RegistryView | None = None,
) -> Accepted:
    """Check one message of `traverse.inbound`.

    `received` is the broker's timestamp (aware): the same message is judged the same when it is
    read again. `signed` says who signed the octets, and comes with the `registry` that knows them;
    without, who speaks is not checked. Raises RejectedError.
    """
    raw = _read(octets)
    judged = judge(octets, raw, received, territories)
    vouched_by, sandbox = None, False
    if signed is not None and registry is not None:
        # By the source as it was judged: what is compared is what will be used.
        data = judged.event.data
        erasure = isinstance(data, Withdrawn) and data.reason is WithdrawalReason.ERASURE
        who = speaker(signed, judged.source, received, registry, erasure=erasure)
        vouched_by = who.vouched_by
        sandbox = who.institution is not None and who.institution.tries(received)
    accepted = _accepted(octets, raw, judged)
    if signed is None:
        return accepted
    return accepted._replace(signature=signed.signature, vouched_by=vouched_by, sandbox=sandbox)


def accepted_before(octets: bytes) -> Accepted:
    """An event of `traverse.accepted`, to take it into account again: what was accepted stays so,
    whatever became of keys and rules (decision 5).

    Raises RejectedError when this version of Traverse cannot read it at all.
    """
    raw = _read(octets)
    return _accepted(octets, raw, understand(octets, raw))


def _accepted(octets: bytes, raw: dict[str, Any], judged: Judged) -> Accepted:
    event = judged.event
    return Accepted(
        octets=octets,
        raw=judged.raw,
        event=event,
        type=judged.type,
        source=judged.source,
        key=record_key(event.source, event.subject),
        version=event.version,
        record=judged.record,
        raw_record=judged.raw_record,
        hash=content_hash(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)),
    )


def _read(octets: bytes) -> dict[str, Any]:
    check_size(octets)
    return check_object(octets, read_json(octets))
