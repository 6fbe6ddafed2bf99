"""The sums of a demonstration: what became of everything that was published, by source. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

UNREADABLE = "(illisible)"


class Fate(StrEnum):
    """What became of a record, or of an event that was refused."""

    SEARCHABLE = "searchable"
    RESERVED = "reserved"  # in the index of those who may read it, not in the public one
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    LOST = "lost"  # neither found nor refused: a defect


class Sent(NamedTuple):
    """An event that was published: who said it, of which record, and its place on the log.

    `record` is the id of its opportunity, None when the event is no readable CloudEvent.
    """

    source: str
    record: str | None
    place: str


@dataclass(slots=True)
class SourceSum:
    """The sums of one source: `events` = `taken` + `rejected` + `lost`; records count once."""

    events: int = 0
    taken: int = 0
    rejected: int = 0
    lost: int = 0
    records: dict[Fate, set[str]] = field(default_factory=dict)

    def count(self, fate: Fate) -> int:
        """Records with this fate."""
        return len(self.records.get(fate, ()))


def tally(
    sent: Iterable[Sent], rejected: Iterable[str], fates: Mapping[str, Fate]
) -> dict[str, SourceSum]:
    """The sums by source, in the order in which the sources first spoke.

    `rejected` are the places on the log (`topic/partition@offset`) of refused events, `fates` what
    became of the records that are known, by opportunity id.
    """
    refused = set(rejected)
    sums: dict[str, SourceSum] = {}
    for event in sent:
        one = sums.setdefault(event.source, SourceSum())
        one.events += 1
        if event.place in refused:
            one.rejected += 1
            continue
        fate = fates.get(event.record, Fate.LOST) if event.record else Fate.LOST
        if fate is Fate.LOST:
            one.lost += 1
        else:
            one.taken += 1
        if event.record:
            one.records.setdefault(fate, set()).add(event.record)
    return sums
