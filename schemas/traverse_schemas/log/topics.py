"""The topics of the journey, with their settings. `traverse up` applies them.

Everything keyed by record shares one number of partitions (identity.partition_of). It never
changes: an offset of `traverse.opportunities` is the version of a document (decision 4).
"""

from dataclasses import dataclass, field
from typing import Final

PARTITIONS: Final = 4
"""Enough for four validating processes; raising it is a migration (a new generation)."""

MAX_EVENT_BYTES: Final = 512 * 1024
"""The largest event that is accepted, in octets of its structured JSON."""

_DAY_MS = 24 * 3600 * 1000
LARGEST_BATCH: Final = 1024 * 1024
"""What the broker must take at once: its limit counts a whole batch, however small its messages."""

_BROKER_ROOM = 64 * 1024  # headers, key and batch overhead beside the event itself

INBOUND: Final = "traverse.inbound"
ACCEPTED: Final = "traverse.accepted"
REJECTED: Final = "traverse.rejected"
RECORDS: Final = "traverse.records"
DECISIONS: Final = "traverse.decisions"
LINKS: Final = "traverse.links"
OPPORTUNITIES: Final = "traverse.opportunities"
CHANGES: Final = "traverse.changes"
RECEIPTS: Final = "traverse.receipts"
INSTITUTIONS: Final = "traverse.institutions"
ACCOUNTS: Final = "traverse.accounts"
AUDIT: Final = "traverse.audit"
GROUPINGS: Final = "traverse.groupings"
SUBSCRIPTIONS: Final = "traverse.subscriptions"
READERSHIP: Final = "traverse.readership"
SHOWCASES: Final = "traverse.showcases"
QUOTAS: Final = "traverse.quotas"
PERMANENCES: Final = "traverse.permanences"
EVENTS: Final[dict[str, str]] = {
    kind: f"traverse.events.{kind}" for kind in ("project", "call", "need")
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be: `config` holds Kafka's own setting names and values."""

    name: str
    purpose: str
    partitions: int = PARTITIONS
    config: dict[str, str] = field(default_factory=dict)


def _kept(days: int, largest: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * _DAY_MS),
        # A message goes with its segment: so a day later than the days say, at most.
        "segment.ms": str(_DAY_MS),
        "max.message.bytes": str(largest),
    }


def _last_of_days(days: int, largest: int) -> dict[str, str]:
    """The last message of each key, and none for longer than that."""
    return {**_compacted(largest), **_kept(days, largest), "cleanup.policy": "compact,delete"}


def _compacted(largest: int) -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        # Bounds when a purged content is gone from the disks (decision 5).
        "max.compaction.lag.ms": str(_DAY_MS),
        "min.cleanable.dirty.ratio": "0.1",
        # A tombstone must outlive the longest absence of a reader that caches the topic.
        "delete.retention.ms": str(7 * _DAY_MS),
        "max.message.bytes": str(largest),
    }


# A publisher gets twice the limit from the broker, so that what is a little too large is
# rejected with a sentence; what is hugely too large the broker itself refuses at once.
_LARGEST_INBOUND = 2 * MAX_EVENT_BYTES + _BROKER_ROOM
# An enriched record carries labels beside the content.
_LARGEST_ENRICHED = 4 * MAX_EVENT_BYTES

TOPICS: Final[tuple[Topic, ...]] = (
    Topic(
        INBOUND,
        "what publishers send, not yet checked (7 days)",
        # The broker's own time: what a publisher says of the time of receipt proves nothing.
        config={
            **_kept(7, _LARGEST_INBOUND),
            "message.timestamp.type": "LogAppendTime",
            # A publisher may compress with a codec that our readers do not have, and one such
            # message would stop them: the broker, which has them all, unpacks it.
            "compression.type": "uncompressed",
        },
    ),
    Topic(
        ACCEPTED,
        "every accepted event, whole: the truth from which the rest is rebuilt",
        config=_compacted(_LARGEST_INBOUND),
    ),
    Topic(
        REJECTED,
        "what was refused, as received, with the reason (30 days)",
        config=_kept(30, _LARGEST_ENRICHED),
    ),
    *(
        Topic(name, f"public {kind} events, octets unchanged", config=_compacted(_LARGEST_INBOUND))
        for kind, name in EVENTS.items()
    ),
    Topic(
        RECORDS,
        "the last state of each record, enriched; which events brought it, in a header",
        # Compaction must not take a message, and the receipts of the events it brings, before the
        # index step has read it: half a day of absence loses none.
        config={**_compacted(_LARGEST_ENRICHED), "min.compaction.lag.ms": str(_DAY_MS // 2)},
    ),
    Topic(
        DECISIONS,
        "what people say of links between records, every word of it",
        config=_compacted(LARGEST_BATCH),
    ),
    Topic(
        LINKS,
        "what two records are to one another, with the score and the reason",
        config=_compacted(LARGEST_BATCH),
    ),
    Topic(
        OPPORTUNITIES,
        "the last state of each opportunity; its offset is the document's version",
        config=_compacted(_LARGEST_ENRICHED),
    ),
    Topic(
        RECEIPTS,
        "what became of each event, without its content (90 days)",
        config=_kept(90, 1024 * 1024),
    ),
    Topic(CHANGES, "what changed in the index, for streams (7 days)", config=_kept(7, 1024 * 1024)),
    Topic(
        INSTITUTIONS,
        "the registry: who may publish and read, with public keys and hashes of API keys",
        partitions=1,  # a table that every service holds whole
        config=_compacted(1024 * 1024),
    ),
    Topic(
        ACCOUNTS,
        "accounts of staff: addresses, roles, hashes of passwords",
        partitions=1,
        config=_compacted(1024 * 1024),
    ),
    Topic(
        AUDIT,
        "what people did in the pages: who, for whom, what, when (365 days)",
        partitions=1,
        config=_kept(365, 1024 * 1024),
    ),
    Topic(
        SUBSCRIPTIONS,
        "saved searches, whose they are and how their alerts are delivered",
        partitions=1,
        config=_compacted(1024 * 1024),
    ),
    Topic(
        READERSHIP,
        "how often each institution's publications are read and followed, in sums of a day "
        "(62 days)",
        partitions=1,
        # Two months are compared.
        config=_last_of_days(62, 1024 * 1024),
    ),
    Topic(
        SHOWCASES,
        "the sites that may show an institution's list in a frame",
        partitions=1,
        config=_compacted(1024 * 1024),
    ),
    Topic(
        PERMANENCES,
        "the calendars of permanences that institutions published themselves",
        partitions=1,
        config=_compacted(1024 * 1024),
    ),
    Topic(
        QUOTAS,
        "what each request took of its institution's quota of the day (2 days)",
        partitions=1,  # all gateways read the claims in one order
        config=_kept(2, 1024 * 1024),
    ),
    Topic(
        GROUPINGS,
        "the proposed joint purchases, for each layer of readers",
        partitions=1,  # a table that the search holds whole
        config=_compacted(1024 * 1024),
    ),
)

DERIVED: Final = (RECORDS, DECISIONS, LINKS, OPPORTUNITIES, GROUPINGS, CHANGES)
"""What is made anew from `traverse.accepted` (`traverse reset --state`). The public topics are not:
what subscribers were told, and when, is no function of the events alone, and their positions would
be lost. Nor are receipts and rejections, which tell what happened."""

RESET: Final = "traverse.reset"
"""There while a reset is under way: the other topics are not whole, and no step may work."""
