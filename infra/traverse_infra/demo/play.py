"""Plays the demonstration: publish, wait until every step is done, count, search."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import NamedTuple

from elasticsearch import Elasticsearch

from traverse_infra.demo.accounts import Refusal, fates, refusals
from traverse_infra.demo.tally import UNREADABLE, Fate, Sent, SourceSum, tally
from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import InfraError
from traverse_infra.log.reading import lags, read_topic
from traverse_producers.transports.contract import Delivery
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.log.identity import opportunity_id, record_key
from traverse_schemas.log.topics import RECORDS
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

_HEADERS = (("content-type", CONTENT_TYPE.encode()),)


class UnsettledError(InfraError):
    """The steps did not finish in time."""


class Accounts(NamedTuple):
    """The sums by source, and the refusals of what this demonstration sent."""

    sums: dict[str, SourceSum]
    refused: list[Refusal]


def publish(
    bootstrap: str,
    events: Iterable[bytes],
    progress: Callable[[], None] = lambda: None,
    sign: Callable[[bytes, str], bytes] | None = None,
) -> list[Sent]:
    """Put the events on `traverse.inbound` as they are, right or wrong, and wait for all.

    The SDK would refuse the wrong ones at once; here the platform itself is to say no. `sign`
    gives the signature of an event's octets, given its source.
    """
    transport = KafkaTransport(bootstrap)
    pending: list[tuple[str, str | None, Future[Delivery]]] = []
    try:
        for octets in events:
            source, subject = _who(octets)
            key = record_key(source, subject) if subject else ""
            identity = opportunity_id(source, subject) if subject else None
            signature = ((SIGNATURE_HEADER, sign(octets, source)),) if sign else ()
            future = transport.send(key, octets, (*_HEADERS, *signature))
            pending.append((source, identity, future))
            progress()
        transport.flush(60)
        return [
            Sent(source, identity, _place(future.result(60)))
            for source, identity, future in pending
        ]
    finally:
        transport.close(10)


def settle(bootstrap: str, check: Callable[[], None], timeout: float) -> None:
    """Wait until every step has acknowledged everything. Raises UnsettledError."""

    def done() -> bool:
        check()
        return not any(lags(bootstrap).values())

    if not wait_until(done, timeout=timeout):
        left = ", ".join(f"{group} : {count}" for group, count in lags(bootstrap).items())
        raise UnsettledError(
            f"Après {timeout:.0f} s, il reste des événements à traiter ({left}) : voyez les "
            "journaux des traitements."
        )


def account(bootstrap: str, client: Elasticsearch, sent: list[Sent]) -> Accounts:
    """What became of everything that was sent."""
    client.indices.refresh(index=list(ALIASES.values()))
    places = {event.place for event in sent}
    refused = [one for one in refusals(bootstrap) if one.place in places]
    known = fates(client, {event.record for event in sent if event.record})
    # What was erased before anybody could see it leaves nothing in any index.
    known |= dict.fromkeys(_never_shown(bootstrap) - known.keys(), Fate.WITHDRAWN)
    return Accounts(tally(sent, (one.place for one in refused), known), refused)


def _never_shown(bootstrap: str) -> set[str]:
    """The ids of records that were withdrawn and never were in an index."""
    states = (json.loads(one.value) for one in read_topic(bootstrap, RECORDS) if one.value)
    last = {state["id"]: state for state in states}  # compaction leaves earlier ones for a while
    return {
        identity
        for identity, state in last.items()
        if not state["indices"] and (state["life"] or {}).get("state") == "withdrawn"
    }


def octets_of(events: Iterable[dict[str, object]]) -> Iterator[bytes]:
    """Events as they travel."""
    for event in events:
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _who(octets: bytes) -> tuple[str, str | None]:
    """Source and subject as far as they can be read."""
    try:
        event = json.loads(octets)
        source, subject = event["source"], event["subject"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return UNREADABLE, None
    if not isinstance(source, str) or not isinstance(subject, str):
        return UNREADABLE, None
    return source, subject


def _place(delivery: Delivery) -> str:
    return f"{delivery.topic}/{delivery.partition}@{delivery.offset}"
