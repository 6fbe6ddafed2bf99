"""Plays a set of events through the pure steps, in order, without engines."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from traverse_schemas.documents.document import PUBLIC_INDEX
from traverse_schemas.events import Action
from traverse_schemas.log.identity import Version
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import RECEIPTS, REJECTED
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.linking.link import form
from traverse_stream_processors.validating.admit import admit
from traverse_stream_processors.validating.check import Inbound, check

RECEIVED = datetime(2026, 11, 24, 8, tzinfo=UTC)
"""The moment of the demonstration: every event of the set is older, but the one from 2030."""


@dataclass
class Played:
    """`ends` counts how each event ended, `reasons` has those of the rejected ones in order,
    `documents` the last document of each record that can be seen, by its key."""

    ends: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)


def play(events: Iterable[bytes], institutions: Path) -> Played:
    """Validate, enrich, fold and form each event, as the processors do, one by one.

    An event that is older than one already accepted of its record is `superseded`, a withdrawal
    is `withdrawn`, and any other accepted event is `searchable`; of what is not accepted, the
    receipt says why (`duplicate`, `purged`).
    """
    territories = Territories.load()
    enriched = partial(
        enrich,
        territories=territories,
        institutions=Institutions.load(institutions, territories),
    )
    played = Played()
    known: dict[bytes, bytes] = {}
    states: dict[str, bytes] = {}
    newest: dict[str, Version] = {}
    for offset, octets in enumerate(events):
        checked = check([Inbound(0, offset, RECEIVED, octets)], territories, None)
        admitted = admit(checked, known, states, enriched, 1)
        known |= {one.id: one.hash for one in admitted.known}
        states |= {key: state for key, _, state in admitted.states}
        refused = [message for message in admitted.effects if message.topic == REJECTED]
        if refused:
            played.ends["rejected"] += 1
            played.reasons.append(dict(refused[0].headers)["reason"].decode())
            continue
        accepted = checked[0].accepted
        assert accepted is not None
        played.ends[
            _end(accepted.type.action, accepted.version, accepted.key, newest, admitted)
        ] += 1
    for key, state in states.items():
        _see(played, key, orjson.loads(state))
    return played


def _end(action: str, version: Version, key: str, newest: dict[str, Version], done: Any) -> str:
    if not done.accepted:
        (receipt,) = (one for one in done.effects if one.topic == RECEIPTS)
        return str(orjson.loads(receipt.value)["end"])
    if key in newest and version < newest[key]:
        return "superseded"
    newest[key] = version
    return "withdrawn" if action is Action.WITHDRAWN else "searchable"


def _see(played: Played, key: str, state: RecordState) -> None:
    message = form(state)
    if message is None or message["document"]["stub"]:
        played.withdrawn.add(key)
        return
    played.documents[key] = dict(message["document"])
    if message["index"] == PUBLIC_INDEX:
        played.public.add(key)
