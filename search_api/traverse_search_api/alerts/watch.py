"""The notify step: changes and subscriptions in, alerts on the ledger out.

Each change is looked at once it can be searched; a batch and the position after it go to the ledger
together. What the log no longer holds (a long absence, another generation of the topic) is made up
for by reading the indices whole: the ledger knows which versions it has seen.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.documents.status import CLOSING_SOON
from traverse_search_api.access.reader import Reader
from traverse_search_api.alerts.departures import LOOKED_FOR_AFTER, forget_departed
from traverse_search_api.alerts.everything import everything
from traverse_search_api.alerts.followed import FollowedSearches, ReaderOf
from traverse_search_api.alerts.judging import Judge, Occasion, together
from traverse_search_api.alerts.ledger import Batch, Ledger
from traverse_search_api.alerts.look import look
from traverse_search_api.alerts.proposed import proposed_to
from traverse_search_api.alerts.subscription import Subscription
from traverse_search_api.alerts.verdict import known_of, members_of
from traverse_search_api.changes.change_log import Change, ChangeLog
from traverse_search_api.changes.errors import ForgottenChangesError
from traverse_search_api.changes.position import Position
from traverse_search_api.engines.elasticsearch_client import Indices
from traverse_search_api.filters.status_query import index_text
from traverse_search_api.matching.finding import learn, refused
from traverse_search_api.matching.looked import late_in, ready

_LOG = logging.getLogger(__name__)
_POSITION: Final = "position"
_CLOSING: Final = "closing"
_BATCH: Final = 200
_WAIT: Final = 0.2
_LOOK_AGAIN: Final = 0.1
_LATE: Final = 2.0  # seconds after which a document that does not show is asked for by its id
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
    _judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        self._judge = Judge(self.indices, self.ledger, self.searches, self.clock, self.present)

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
        async for documents in everything(self.indices):
            if noted is None:
                known = [known_of(one) for one in documents]
                proposed = [each for one in documents for each in self._proposals(one, followers)]
                self.ledger.write(Batch({}, together(known), (), (), proposed=proposed))
            else:
                held = [Change(one["id"], one["visibility"], 0, 0, 0) for one in documents]
                await self._judge.judge(held, Occasion.WHOLE, {})
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
        await self._judge.judge(done, Occasion.CHANGED, {_POSITION: _text(position)}, sight)
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
            async for documents in everything(self.indices, query):
                changes = [Change(one["id"], one["visibility"], 0, 0, 0) for one in documents]
                await self._judge.judge(changes, Occasion.CLOSING_SOON, {})
        self.ledger.write(Batch({_CLOSING: now.isoformat()}, {}, (), ()))

    def _refresh(self) -> None:
        self.searches.refresh(self.rows(), self.reader_of, self.clock.now())
        self.refreshed = asyncio.get_running_loop().time()

    async def _check_generation(self) -> None:
        end = await self.log.end()
        if self.at is not None and end.generation != self.at.generation:
            self.at = None
            await self.begin()

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


def _text(position: Position) -> str:
    return json.dumps([position.generation, position.offsets])
