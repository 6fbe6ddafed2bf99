"""What changed documents come to: looked at once, one entry of the ledger with all there is to say.

A change, a reading of everything and what closes soon are judged alike; only what makes an alert
the same when it is made again differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from traverse_schemas.clock import Clock
from traverse_schemas.documents.document import INDICES
from traverse_schemas.log.identity import opportunity_of
from traverse_search_api.access.reader import Reader
from traverse_search_api.alerts.departures import departed
from traverse_search_api.alerts.followed import FollowedSearches
from traverse_search_api.alerts.ledger import Alert, Batch, Ledger, alert_id
from traverse_search_api.alerts.look import Sight, look
from traverse_search_api.alerts.proposed import proposed_to
from traverse_search_api.alerts.subscription import AlertKind
from traverse_search_api.alerts.verdict import Known, known_of, members_of, news_of, verdict
from traverse_search_api.changes.change_log import Change
from traverse_search_api.engines.elasticsearch_client import Indices
from traverse_search_api.matching.finding import found_by

_LEFT: Final = AlertKind.WITHDRAWN


class Occasion(Enum):
    """Why documents are looked at: they changed, everything is read, or they close soon."""

    CHANGED = "changed"
    WHOLE = "whole"
    CLOSING_SOON = "closing_soon"


@dataclass(slots=True)
class _Said:
    """What one look comes to: pairs of record and subscription that are told of and that are told
    of no more, alerts, and records that are there no more."""

    told: list[tuple[str, str]] = field(default_factory=list)
    untold: list[tuple[str, str]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges documents for who follows `searches`. What is open, and what closes soon, is judged
    from `clock`; when an alert was made is told by `present`."""

    indices: Indices
    ledger: Ledger
    searches: FollowedSearches
    clock: Clock
    present: Clock

    async def judge(
        self,
        changes: Sequence[Change],
        occasion: Occasion,
        notes: Mapping[str, str],
        sight: Sight | None = None,
    ) -> None:
        """Look at documents, unless `sight` is what was seen of them, and put what there is to say
        on the ledger, with these notes. Raises SearchUnavailableError."""
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
        told = self.ledger.told(records + [record for each in lost.values() for record in each])
        said = _Said()
        self._tell_of_shown(said, shown, found, told, versions, occasion, made_at)
        if occasion is Occasion.CLOSING_SOON:
            # What changed of these besides is told when its change is read.
            self.ledger.write(Batch(notes, {}, (), said.alerts))
            return
        await self._tell_of_lost(said, lost, told, versions, made_at)
        left = departed(self.ledger, {name: one for name, (_, one) in shown.items()}, made_at)
        fresh = together(known_of(one) for _, one in shown.values())
        proposed = self._propose(said, shown, found, now, made_at)
        self.ledger.write(
            Batch(
                {**notes, **left},
                fresh,
                said.told,
                said.alerts,
                said.gone,
                said.untold,
                proposed=proposed,
                lost=lost,
            )
        )

    def _tell_of_shown(  # noqa: PLR0917 -- each of another type
        self,
        said: _Said,
        shown: Mapping[str, tuple[str, dict[str, Any]]],
        found: Mapping[str, set[str]],
        told: Mapping[str, set[str]],
        versions: Mapping[str, str],
        occasion: Occasion,
        at: float,
    ) -> None:
        """What there is to say of documents that can be seen."""
        known = self.ledger.known([one for _, each in shown.values() for one in members_of(each)])
        for identity, (index, source) in shown.items():
            news = news_of(source, known)
            matched = found.get(identity, set())
            version = _version(source, versions[identity], occasion)
            for name in matched | _knowing(told, news.members):
                reader = self.searches.reader(name)
                if reader is None or (name not in matched and occasion is Occasion.CLOSING_SOON):
                    continue
                if not _reads(reader, index, source):
                    # It is for others now: to who was told of it, that is all there is to say.
                    if name in told and occasion is Occasion.CHANGED:
                        said.untold += [(record, name) for record in news.members]
                        said.alerts += self._alert(name, identity, _LEFT, version, at)
                    continue
                kind = verdict(news, told.get(name, ()), matched=name in matched)
                if occasion is Occasion.CLOSING_SOON:
                    kind = AlertKind.CLOSING_SOON
                fields = news.changed if kind is AlertKind.CHANGED else ()
                if name in matched or kind is not None:
                    said.told += [(record, name) for record in news.members]
                said.alerts += self._alert(name, identity, kind, version, at, fields)

    async def _tell_of_lost(
        self,
        said: _Said,
        lost: Mapping[str, Sequence[str]],
        told: Mapping[str, set[str]],
        versions: Mapping[str, str],
        at: float,
    ) -> None:
        """What there is to say of opportunities that are there no more, by the records they had."""
        for identity, members in lost.items():
            if await self._said_elsewhere(identity, members):
                # The others are in an opportunity of their own: known still, and told of.
                said.gone += [one for one in members if opportunity_of(one) == identity]
                continue
            said.gone += members
            for name in _knowing(told, members):
                said.alerts += self._alert(name, identity, _LEFT, versions[identity], at)

    def _propose(
        self,
        said: _Said,
        shown: Mapping[str, tuple[str, dict[str, Any]]],
        found: Mapping[str, Iterable[str]],
        now: datetime,
        at: float,
    ) -> list[tuple[str, str, str]]:
        """Says what is proposed for documents and was not yet, to those whose search finds them;
        gives what they know of it then, paused or not (as `Batch.proposed`)."""
        known = self.ledger.proposed(list(shown))
        proposed: list[tuple[str, str, str]] = []
        for identity, name in ((one, name) for one in shown for name in found.get(one, ())):
            index, source = shown[identity]
            reader = self.searches.reader(name)
            if reader is None or not _reads(reader, index, source):
                continue
            offered = proposed_to(source, reader, now)
            if fresh := sorted(offered.keys() - known.get((identity, name), set())):
                types = tuple(sorted({offered[one] for one in fresh}))
                version = ",".join(fresh)
                said.alerts += self._alert(name, identity, AlertKind.PROPOSED, version, at, types)
                proposed += [(identity, one, name) for one in fresh]
        return proposed

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
        others = {opportunity_of(member) for member in members} - {identity}
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


def together(parts: Iterable[Mapping[str, Known]]) -> dict[str, Known]:
    """What is known of the records of several documents."""
    return {record: known for part in parts for record, known in part.items()}


def _reads(reader: Reader, index: str, source: dict[str, Any]) -> bool:
    return index in reader.indices and reader.reads_document(source)


def _knowing(told: Mapping[str, set[str]], members: Iterable[str]) -> set[str]:
    """The subscriptions that were told of one of these records."""
    wanted = set(members)
    return {name for name, records in told.items() if not records.isdisjoint(wanted)}


def _version(source: Mapping[str, Any], version: str, occasion: Occasion) -> str:
    """What tells two alerts of a kind about a document apart."""
    if occasion is Occasion.CLOSING_SOON:
        return str((source.get("deadline") or {}).get("until"))
    return version if occasion is Occasion.CHANGED else max(members_of(source).values())
