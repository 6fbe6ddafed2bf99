"""The notify step: changes and subscriptions in, alerts on the ledger out.

Each change is looked at once it can be searched; a batch and the position after it go to the ledger
together. What the log no longer holds (a long absence, another generation of the topic) is made up
for by reading the indices whole: the ledger knows which versions it has seen.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.document import INDICES
from traverse_schemas.identity import opportunity_id
from traverse_schemas.status import CLOSING_SOON
from traverse_search_api.alerts.departures import (
    LOOKED_FOR_AFTER,
    departed,
    forget_departed,
)
from traverse_search_api.alerts.followed import FollowedSearches, ReaderOf
from traverse_search_api.alerts.ledger import Alert, Batch, Ledger, alert_id
from traverse_search_api.alerts.look import Sight, look
from traverse_search_api.alerts.proposed import proposed_to
from traverse_search_api.alerts.subscription import AlertKind, Subscription
from traverse_search_api.alerts.verdict import Known, known_of, members_of, news_of, verdict
from traverse_search_api.changes.change_log import Change, ChangeLog
from traverse_search_api.changes.position import Position
from traverse_search_api.elasticsearch_client import Indices
from traverse_search_api.errors import ForgottenChangesError
from traverse_search_api.matching.finding import found_by, learn, refused
from traverse_search_api.matching.looked import late_in, ready
from traverse_search_api.reader import Reader
from traverse_search_api.status_query import index_text

_LOG = logging.getLogger(__name__)
_LEFT: Final = AlertKind.WITHDRAWN
_POSITION: Final = "position"
_CLOSING: Final = "closing"
_BATCH: Final = 200
_WAIT: Final = 0.2
_LOOK_AGAIN: Final = 0.1
_LATE: Final = 2.0  # seconds after which a document that does not show is asked for by its id
_PAGE: Final = 500
_KEEP_ALIVE: Final = "2m"
_REFRESH_EVERY: Final = 5.0
_CLOSING_EVERY: Final = 60.0
_GENERATION_EVERY: Final = 30.0

Rows = Callable[[], Mapping[str, Subscription]]


@dataclass(slots=True)
class Watcher:
    """One process of it. `searches` are followed as `rows` has them, read as `reader_of` says.

    What is open, and what closes soon, is judged from `clock`; when an alert was made is told by
    `present`, the machine's.
    """

    log: ChangeLog
    indices: Indices
    ledger: Ledger
    searches: FollowedSearches
    rows: Rows
    reader_of: ReaderOf
    clock: Clock
    present: Clock = field(default_factory=SystemClock)
    at: Position | None = None
    refreshed: float = field(default=float("-inf"))
    _pending: list[tuple[Change, float]] = field(default_factory=list)
    _read_to: Position | None = None
    _closed: float = field(default=float("-inf"))
    _generation: float = 0.0
    _swept: float = 0.0

    async def begin(self) -> None:
        """Take up where the ledger stands. Raises StreamUnavailableError, SearchUnavailableError.

        The first time everything that is there counts as known, and nobody is told of it.
        """
        self._pending.clear()
        self._read_to = None
        self._refresh()
        await learn(self.searches.searches.words, self.indices.public)
        end = await self.log.end()
        noted = self.ledger.note(_POSITION)
        if noted is not None:
            generation, offsets = json.loads(noted)
            position = Position(generation, tuple(offsets))
            same = generation == end.generation and len(offsets) == len(end.offsets)
            oldest = await self.log.beginning()
            if same and position.reaches(oldest) and end.reaches(position):
                self.at = position
                return
            _LOG.warning("notify_reads_whole_index: its position is not on the log any more")
        # Of another generation the indices are still being filled.
        whole = noted is not None and json.loads(noted)[0] == end.generation
        followers = self._followers() if noted is None else {}
        async for documents in self._everything():
            if noted is None:
                known = [known_of(one) for one in documents]
                proposed = [each for one in documents for each in self._proposals(one, followers)]
                self.ledger.write(Batch({}, _together(known), (), (), proposed=proposed))
            else:
                held = [Change(one["id"], one["visibility"], 0, 0, 0) for one in documents]
                await self._judge(held, "whole", {})
                if whole:
                    self.ledger.see(record for one in documents for record in members_of(one))
        if whole:
            self.ledger.forget_unseen()
        self.ledger.write(Batch({_POSITION: _text(end)}, {}, (), ()))
        self.at = end

    async def step(self) -> int:
        """One batch; gives how many changes were done with."""
        loop = asyncio.get_running_loop()
        if self.at is None:
            await self.begin()
        if loop.time() - self.refreshed > _REFRESH_EVERY:
            self._refresh()
        if loop.time() - self._closed > _CLOSING_EVERY:
            await self.close_soon()
            self._closed = loop.time()
        if loop.time() - self._swept > LOOKED_FOR_AFTER:
            self._swept = loop.time()
            now = self.present.now().timestamp()
            await forget_departed(self.ledger, self.indices, now)
        if loop.time() - self._generation > _GENERATION_EVERY:
            self._generation = loop.time()
            await self._check_generation()
        if self.at is None:
            return 0
        if len(self._pending) < _BATCH:
            wait = _LOOK_AGAIN if self._pending else _WAIT
            try:
                changes, self._read_to = await self.log.read(self._read_to or self.at, wait)
            except ForgottenChangesError:
                self.at = None  # the next step takes up as after an absence
                return 0
            self._pending += [(change, loop.time()) for change in changes]
            if not self._pending:
                self.at = self._read_to
                return 0
        batch = [change for change, _ in self._pending[:_BATCH]]
        sight = await look(batch, self.indices)
        old = loop.time() - _LATE
        overdue = {change for change, came in self._pending[:_BATCH] if came < old}
        late = late_in(sight.looked)
        gone = overdue & await refused(sight.looked, self.indices) if overdue & late else set()
        done = ready(batch, late - gone)
        if not done:
            await asyncio.sleep(_LOOK_AGAIN)
            return 0
        position = self.at
        for change in done:
            position = position.after(change.partition, change.offset)
        await self._judge(done, "", {_POSITION: _text(position)}, sight)
        self.at = position
        finished = set(done)
        self._pending = [each for each in self._pending if each[0] not in finished]
        return len(done)

    async def close_soon(self) -> None:
        """Tell of what closes within seven days from now, and did not when this was last asked."""
        now = self.clock.now()
        noted = self.ledger.note(_CLOSING)
        since = datetime.fromisoformat(noted) if noted else now
        if now > since:
            window = {
                "range": {
                    "deadline.until": {
                        "gt": index_text(since + CLOSING_SOON),
                        "lte": index_text(now + CLOSING_SOON),
                    }
                }
            }
            query = {"bool": {"filter": [window, {"term": {"state": "active"}}]}}
            async for documents in self._everything(query):
                changes = [Change(one["id"], one["visibility"], 0, 0, 0) for one in documents]
                await self._judge(changes, AlertKind.CLOSING_SOON, {})
        self.ledger.write(Batch({_CLOSING: now.isoformat()}, {}, (), ()))

    def _refresh(self) -> None:
        self.searches.refresh(self.rows(), self.reader_of, self.clock.now())
        self.refreshed = asyncio.get_running_loop().time()

    async def _check_generation(self) -> None:
        end = await self.log.end()
        if self.at is not None and end.generation != self.at.generation:
            self.at = None
            await self.begin()

    async def _judge(
        self,
        changes: Sequence[Change],
        how: str,
        notes: Mapping[str, str],
        sight: Sight | None = None,
    ) -> None:
        """Look at changed documents and put what there is to say on the ledger. `how` is "" for
        changes, "whole" for a reading of everything, or `closing_soon`."""
        now, made_at = self.clock.now(), self.present.now().timestamp()
        seen = sight or await look(changes, self.indices)
        versions = {change.id: str(change.version) for change in changes}
        shown = {one: each for one, each in seen.documents.items() if one in versions}
        seen = seen._replace(documents=shown)
        found = await self._found(seen, now)
        lost = {
            one: self.ledger.members(one)
            for one, leads in seen.stubs.items()
            if one in versions and one not in shown and not leads
        }
        records = [record for _, one in shown.values() for record in members_of(one)]
        known = self.ledger.known(records)
        told = self.ledger.told(records + [record for each in lost.values() for record in each])
        pairs: list[tuple[str, str]] = []
        untold: list[tuple[str, str]] = []
        alerts: list[Alert] = []
        for identity, (index, source) in shown.items():
            news = news_of(source, known)
            matched = found.get(identity, set())
            version = _version(source, versions[identity], how)
            for name in matched | _knowing(told, news.members):
                reader = self.searches.reader(name)
                if reader is None or (name not in matched and how == AlertKind.CLOSING_SOON):
                    continue
                if index not in reader.indices or not reader.reads_document(source):
                    # It is for others now: to who was told of it, that is all there is to say.
                    if name in told and not how:
                        untold += [(record, name) for record in news.members]
                        alerts += self._alert(name, identity, _LEFT, version, made_at)
                    continue
                kind = verdict(news, told.get(name, ()), matched=name in matched)
                if how == AlertKind.CLOSING_SOON:
                    kind = AlertKind.CLOSING_SOON
                fields = news.changed if kind is AlertKind.CHANGED else ()
                if name in matched or kind is not None:
                    pairs += [(record, name) for record in news.members]
                alerts += self._alert(name, identity, kind, version, made_at, fields)
        if how == AlertKind.CLOSING_SOON:
            # What changed of these besides is told when its change is read.
            self.ledger.write(Batch(notes, {}, (), alerts))
            return
        gone: list[str] = []
        for identity, members in lost.items():
            if await self._said_elsewhere(identity, members):
                # The others are in an opportunity of their own: known still, and told of.
                gone += [one for one in members if _own_id(one) == identity]
                continue
            gone += members
            for name in _knowing(told, members):
                alerts += self._alert(name, identity, _LEFT, versions[identity], made_at)
        left = departed(self.ledger, {name: one for name, (_, one) in shown.items()}, made_at)
        notes = {**notes, **left}
        fresh = _together(known_of(one) for _, one in shown.values())
        offers, proposed = self._propose(shown, found, now, made_at)
        alerts += offers
        self.ledger.write(
            Batch(notes, fresh, pairs, alerts, gone, untold, proposed=proposed, lost=lost)
        )

    def _propose(
        self,
        shown: Mapping[str, tuple[str, dict[str, Any]]],
        found: Mapping[str, Iterable[str]],
        now: datetime,
        at: float,
    ) -> tuple[list[Alert], list[tuple[str, str, str]]]:
        """The alerts of what is proposed for documents and was not yet, to those whose search finds
        them; and what they know of it then, paused or not."""
        known = self.ledger.proposed(list(shown))
        alerts: list[Alert] = []
        proposed: list[tuple[str, str, str]] = []
        for identity, name in ((one, name) for one in shown for name in found.get(one, ())):
            index, source = shown[identity]
            reader = self.searches.reader(name)
            if reader is None or index not in reader.indices or not reader.reads_document(source):
                continue
            offered = proposed_to(source, reader, now)
            if fresh := sorted(offered.keys() - known.get((identity, name), set())):
                types = tuple(sorted({offered[one] for one in fresh}))
                version = ",".join(fresh)
                alerts += self._alert(name, identity, AlertKind.PROPOSED, version, at, types)
                proposed += [(identity, one, name) for one in fresh]
        return alerts, proposed

    def _followers(self) -> dict[str, list[tuple[str, Reader]]]:
        """The subscriptions of each institution, with who reads for them, by its SIREN."""
        found: dict[str, list[tuple[str, Reader]]] = {}
        for name in self.searches.rows:
            if (reader := self.searches.reader(name)) is not None:
                found.setdefault(reader.siren, []).append((name, reader))
        return found

    def _proposals(
        self, document: Mapping[str, Any], followers: Mapping[str, list[tuple[str, Reader]]]
    ) -> list[tuple[str, str, str]]:
        """What is proposed of a document to the institution whose thing it is, if it follows
        something."""
        now, identity = self.clock.now(), str(document["id"])
        return [
            (identity, one, name)
            for name, reader in followers.get(document.get("owner_siren", ""), ())
            for one in proposed_to(document, reader, now)
        ]

    async def _found(self, seen: Sight, now: datetime) -> dict[str, set[str]]:
        """The subscriptions whose search finds each document, by its id."""
        found: dict[str, set[str]] = {}
        followed = self.searches
        whole = await found_by(seen.shown(), followed.searches, self.indices, now)
        for key, ids in ((key, ids) for each in whole.values() for key, ids in each.items()):
            for identity in ids:
                found.setdefault(identity, set()).update(followed.by_key[key].subscriptions)
        return found

    def _alert(  # noqa: PLR0917 -- each of another type
        self,
        name: str,
        identity: str,
        kind: AlertKind | None,
        version: str,
        at: float,
        changed: tuple[str, ...] = (),
    ) -> list[Alert]:
        """The alert for a subscription that wants it."""
        row = self.searches.rows.get(name)
        if kind is None or row is None or row.muted or kind not in row.kinds:
            return []
        if identity in row.dismissed or self.searches.reader(name) is None:
            return []
        made = alert_id(name, identity, kind, version)
        why = self.searches.why(name)
        return [Alert(made, name, identity, kind, changed, why, at)]

    async def _said_elsewhere(self, identity: str, members: Iterable[str]) -> bool:
        """Whether other records of an opportunity whose first one left are still there, under an
        id of their own."""
        others = {_own_id(member) for member in members} - {identity}
        for index in INDICES if others else ():
            body = {
                "size": 1, "_source": ["id"],
                "query": {
                    "bool": {
                        "filter": [{"terms": {"id": sorted(others)}}],
                        "must_not": [{"term": {"stub": True}}],
                    }
                },
            }  # fmt: skip
            if (await self.indices.one(index).match(body)).get("hits", {}).get("hits"):
                return True
        return False

    async def _everything(
        self, query: dict[str, Any] | None = None
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Every document that the query finds, or all, a page at a time."""
        only = query or {"match_all": {}}
        wanted = {"bool": {"filter": [only], "must_not": [{"term": {"stub": True}}]}}
        for name in INDICES:
            index = self.indices.one(name)
            snapshot = await index.open_snapshot(_KEEP_ALIVE)
            try:
                after: list[Any] = []
                while True:
                    body: dict[str, Any] = {
                        "size": _PAGE, "query": wanted, "sort": [{"id": "asc"}],
                        "track_total_hits": False,
                        "pit": {"id": snapshot, "keep_alive": _KEEP_ALIVE},
                    }  # fmt: skip
                    if after:
                        body["search_after"] = after
                    hits = (await index.search(body)).get("hits", {}).get("hits", [])
                    if hits:
                        yield [hit["_source"] for hit in hits]
                    if len(hits) < _PAGE:
                        break
                    after = hits[-1]["sort"]
            finally:
                await index.close_snapshot(snapshot)


def _together(parts: Iterable[Mapping[str, Known]]) -> dict[str, Known]:
    return {record: known for part in parts for record, known in part.items()}


def _knowing(told: Mapping[str, set[str]], members: Iterable[str]) -> set[str]:
    """The subscriptions that were told of one of these records."""
    wanted = set(members)
    return {name for name, records in told.items() if not records.isdisjoint(wanted)}


def _version(source: Mapping[str, Any], version: str, how: str) -> str:
    """What tells two alerts of a kind about a document apart."""
    if how == AlertKind.CLOSING_SOON:
        return str((source.get("deadline") or {}).get("until"))
    return max(members_of(source).values()) if how else version


def _own_id(record: str) -> str:
    """The id of the opportunity that begins with a record, by its key."""
    source, _, subject = record.partition(" ")
    return opportunity_id(source, subject)


def _text(position: Position) -> str:
    return json.dumps([position.generation, position.offsets])
